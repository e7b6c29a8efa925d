"""What is usual: the median and the MAD of a source's own history, against a plain reference."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import date, timedelta
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifehouse.ingest.bounds import MIX, RARE, REPEATED, ROWS, SHARE, SIZE, History, bounds
from lifehouse.ingest.volume import Day, judge

FIRST = date(2024, 1, 1)  # a Monday
VALUES = st.lists(st.floats(-20, 20), min_size=10, max_size=56)


def _history(values: list[float]) -> History:
    middle = median(values)
    mad = median(abs(value - middle) for value in values)
    return History(middle, mad, min(values), max(values), len(values))


@settings(max_examples=200, deadline=None)
@given(VALUES, st.sampled_from([SIZE, ROWS, SHARE, RARE, REPEATED, MIX]), st.integers(1, 10**6))
def test_nothing_that_was_there_before_is_unusual(values: list[float], scale: object, n: int) -> None:
    limits = bounds(_history(values), scale, n)  # type: ignore[arg-type]
    assert all(limits.severity(value) is None for value in values)


@settings(max_examples=200, deadline=None)
@given(VALUES, st.sampled_from([SIZE, ROWS, SHARE, RARE, REPEATED, MIX]), st.integers(1, 10**6))
def test_what_closes_the_gate_is_further_out_than_what_warns(
    values: list[float], scale: object, n: int
) -> None:
    limits = bounds(_history(values), scale, n)  # type: ignore[arg-type]
    assert limits.critical_low < limits.low < median(values) < limits.high < limits.critical_high


@settings(max_examples=100, deadline=None)
@given(VALUES, st.integers(1, 10**6), st.floats(1.1, 5))
def test_fewer_rows_and_a_larger_factor_never_make_it_narrower(
    values: list[float], n: int, factor: float
) -> None:
    few, many = bounds(_history(values), MIX, n), bounds(_history(values), MIX, n * 10)
    wide = bounds(_history(values), MIX, n, factor)
    assert few.low <= many.low
    assert few.high >= many.high
    assert wide.critical_low <= few.critical_low


def _days(count: int, rows: Callable[[date], float]) -> list[Day]:
    """History of nightly loads, each of one whole day; days without rows are not there."""
    days = [FIRST + timedelta(number) for number in range(count)]
    return [Day(day, rows(day), 0, newest=rows(day)) for day in days if rows(day)]


def _night(history: list[Day], day: date, found: float, elsewhere: float = 0) -> str | None:
    """Severity of the rows of one more day."""
    rows = judge([*history, Day(day, 0, found, elsewhere=elsewhere)], day)
    return rows.bounds.severity(rows.found) if rows and rows.bounds else None


def weekly(day: date) -> float:
    """A shop that is closed on Saturdays, quiet on Sundays, and wavers by a tenth."""
    dice = random.Random(day.toordinal())
    return {6: 0, 7: 300}.get(day.isoweekday(), 1000) * dice.uniform(0.9, 1.1)


@pytest.mark.parametrize("weeks", [2, 3, 4, 8])
def test_a_weekly_rhythm_raises_no_alarm(weeks: int) -> None:
    history = _days(weeks * 7, weekly)
    for number in range(7):
        day = FIRST + timedelta(weeks * 7 + number)
        if weekly(day):
            assert _night(history, day, weekly(day)) is None
        else:
            rows = judge(history, day)
            assert rows is None or rows.lost == []
        history += [Day(day, weekly(day), 0, newest=weekly(day))] if weekly(day) else []


def test_doubled_rows_and_a_truncated_delivery_close_the_gate() -> None:
    history, day = _days(56, weekly), FIRST + timedelta(56)
    assert _night(history, day, 2000) == "critical"
    assert _night(history, day, 400) == "critical"
    assert _night(history, day, 1500) in ("warning", "critical")
    assert _night(history, FIRST + timedelta(62), 1000) == "critical"  # a Sunday like any Monday


def test_growth_and_a_peak_seen_before_raise_no_alarm() -> None:
    def growing(day: date) -> float:
        return weekly(day) * 1.01 ** (day - FIRST).days * (1.6 if (day - FIRST).days == 40 else 1)

    day = FIRST + timedelta(56)
    assert _night(_days(56, growing), day, growing(day)) is None


def test_a_lost_day_is_told_from_a_closed_one() -> None:
    history = _days(55, weekly)  # to a Sunday... and one more
    history = [Day(d.day, d.before, 0, elsewhere_before=50, elsewhere=50, newest=d.newest) for d in history]
    monday = FIRST + timedelta(56)
    history.append(Day(FIRST + timedelta(55), 300, 0, 50, 50, newest=300))
    alone = judge([*history, Day(monday, 0, 0, elsewhere=60)], monday)
    assert alone is not None
    assert (alone.lost, alone.is_lost_alone, alone.closes_at_times) == ([monday], True, True)
    assert 900 < alone.usual_of_a_lost_day < 1100
    tuesday = monday + timedelta(1)
    whole = judge([*history, Day(tuesday, 0, 1000, elsewhere=60)], tuesday)
    assert whole is not None
    assert (whole.lost, whole.is_lost_alone) == ([monday], False)


def test_a_day_that_is_declared_closed_is_not_lost() -> None:
    history, monday = _days(56, weekly), FIRST + timedelta(56)
    days = [*history, Day(monday + timedelta(1), 0, 1000)]
    for closed in (f"{monday:%m-%d}", monday.isoformat()):
        rows = judge(days, monday + timedelta(1), closed=[closed])
        assert rows is not None
        assert rows.lost == []
    other = judge(days, monday + timedelta(1), closed=[f"{monday + timedelta(1):%m-%d}"])
    assert other is not None
    assert other.lost == [monday]


def test_a_holiday_of_the_whole_source_is_remembered() -> None:
    history = [day for day in _days(56, weekly) if day.day != FIRST + timedelta(31)]
    tuesday = FIRST + timedelta(57)
    rows = judge([*history, Day(tuesday, 0, 1000)], tuesday)
    assert rows is not None
    assert rows.lost == [FIRST + timedelta(56)]
    assert rows.closes_at_times


def test_a_source_read_in_the_middle_of_a_day_is_judged_on_the_day_before() -> None:
    early = 60.0  # rows of the small hours
    history = [Day(d.day, d.before, 0, newest=early) for d in _days(56, lambda _: 1000.0)]
    last, today = history[-1].day, FIRST + timedelta(56)
    history[-1] = Day(last, early, 940, newest=early)
    fine = judge([*history, Day(today, 0, early)], today)
    assert fine is not None
    assert (fine.found, fine.bounds) == (1000, None)
    history[-1] = Day(last, early, 0, newest=early)
    broken = judge([*history, Day(today, 0, early)], today)
    assert broken is not None
    assert broken.bounds is not None
    assert broken.bounds.severity(broken.found) == "critical"


def test_a_burst_like_one_before_raises_no_alarm_and_a_larger_one_does() -> None:
    def bursts(day: date) -> float:
        return 500 if (day - FIRST).days % 13 == 0 else 3

    history, day = _days(56, bursts), FIRST + timedelta(56)
    assert _night(history, day, 520) is None
    assert _night(history, day, 50_000) == "critical"


def test_little_history_and_a_catch_up_are_judged_by_fixed_limits_alone() -> None:
    day = FIRST + timedelta(5)
    assert judge([*_days(5, lambda _: 1000.0), Day(day, 0, 1)], day) is None
    many = [Day(FIRST + timedelta(20 + number), 0, 9000) for number in range(40)]
    assert judge([*_days(20, lambda _: 1000.0), *many], many[-1].day) is None
    assert judge([Day(FIRST, 0, 10)], FIRST) is None


def test_the_spread_is_the_reference() -> None:
    values = [math.log(value) for value in (90, 95, 100, 105, 110, 100, 99, 101, 150, 102)]
    history = _history(values)
    spread = math.hypot(1.4826 * history.mad, 1.0 * math.sqrt(4 / 10_000)) * 1.4 * 1.4
    limits = bounds(history, SIZE, 10_000)
    assert limits.low == pytest.approx(min(median(values) - max(4.5 * spread, 0.3), min(values) - 0.075))
    assert limits.critical_high == pytest.approx(
        max(median(values) + max(8 * spread, 0.5), max(values) + 0.5 / 3)
    )
