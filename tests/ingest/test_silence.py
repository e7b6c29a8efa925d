"""A source that comes with nothing is silent by its own weekdays and its own lag, and by nothing else."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from lifehouse.ingest.silence import Past, Silence, Table, judge

DAY = timedelta(days=1)
FIRST = date(2024, 1, 1)  # a Monday
DAYS = 56
RESTS = st.sets(st.integers(1, 7), max_size=4)


def at(day: date, hour: float = 0) -> datetime:
    return datetime.combine(day, time(), UTC) + timedelta(hours=hour)


def played(
    missing: int,
    lag: int = 0,
    rests: frozenset[int] = frozenset(),
    rested: date | None = None,
    **table: object,
) -> Silence | None:
    """A source that is read nightly, ``lag`` days behind; not on weekdays that it ``rests``. The last days are missing."""
    rows = {
        day: 100.0
        for day in (FIRST + number * DAY for number in range(DAYS))
        if day.isoweekday() not in rests and day != rested
    }
    newest = {
        night: max((day for day in rows if day <= FIRST + (night - 1 - lag) * DAY), default=None)
        for night in range(DAYS - 10, DAYS + 1)
    }
    past = Past(
        [(at(FIRST + night * DAY, 2), at(day, 23)) for night, day in newest.items() if day],
        [at(day, 23) for day in newest.values() if day],
    )
    last = max(day for day in newest.values() if day)
    rows = {day: count for day, count in rows.items() if day <= last}
    now = at(FIRST + (DAYS + missing) * DAY, 2)
    return judge([Table(rows, **table)], past, at(last, 23), now, now, "UTC")  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(RESTS, st.integers(0, 9), st.integers(0, 3))
def test_silent_are_just_the_days_on_which_it_never_rests(rests: set[int], missing: int, lag: int) -> None:
    """Against the plain reference: the days after the newest, but for its usual lag, that are no rest days of the week."""
    found = played(missing, lag, frozenset(rests))
    after = [FIRST + (DAYS - lag + number) * DAY for number in range(missing + lag)]
    open_days = [day for day in after if day.isoweekday() not in rests]
    behind_before = max(
        sum((FIRST + (night - number) * DAY).isoweekday() not in rests for number in range(1, lag + 1))
        for night in range(DAYS - 10, DAYS + 1)
    )
    if len(open_days) > behind_before:
        assert found is not None
        assert found.days == open_days
        assert (round(found.usual), found.has_rested) == (100, False)
    else:
        assert found is None


def test_a_declared_rest_is_no_silence_and_an_undeclared_one_is_remembered() -> None:
    night = FIRST + DAYS * DAY
    assert played(1, closed=[night.isoformat()]) is None
    assert played(1, closed=[f"{night:%m-%d}"]) is None
    found = played(1, rested=FIRST + 30 * DAY)
    assert found is not None
    assert found.has_rested
    declared = played(1, rested=FIRST + 30 * DAY, closed=[(FIRST + 30 * DAY).isoformat()])
    assert declared is not None
    assert not declared.has_rested


def test_who_was_not_asked_since_is_not_silent() -> None:
    """The source is read at two; at one it is not known what it will bring."""
    rows = {FIRST + number * DAY: 100.0 for number in range(DAYS)}
    past = Past([(at(FIRST + n * DAY, 2), at(FIRST + (n - 1) * DAY, 23)) for n in range(50, 57)], [])
    newest, as_of = at(FIRST + (DAYS - 1) * DAY, 23), at(FIRST + (DAYS + 1) * DAY, 1)
    assert judge([Table(rows)], past, newest, as_of - 23 * timedelta(hours=1), as_of, "UTC") is None
    assert judge([Table(rows)], past, newest, as_of, as_of, "UTC") is not None


def test_a_source_that_delivers_by_the_month_is_not_silent_in_between() -> None:
    rows = {FIRST + number * DAY: 100.0 for number in range(DAYS)}
    loads = [at(FIRST + number * DAY, 23) for number in (-33, -2, 26, 55)]
    for behind in (3, 12, 25):
        now = at(FIRST + (DAYS + behind) * DAY, 2)
        assert (
            judge([Table(rows)], Past([(now - DAY, now - 2 * DAY)] * 5, loads), loads[-1], now, now, "UTC")
            is None
        )
    late = at(FIRST + (DAYS + 33) * DAY, 2)
    assert (
        judge([Table(rows)], Past([(late, late - DAY)] * 5, loads), loads[-1], late, late, "UTC") is not None
    )


def test_little_history_and_few_rows_say_nothing() -> None:
    few = random.Random(1)
    now, newest = at(FIRST + (DAYS + 5) * DAY), at(FIRST + (DAYS - 1) * DAY, 23)
    past = Past([(newest, newest)] * 5, [])
    rows = {FIRST + number * DAY: float(few.randint(0, 9)) for number in range(DAYS)}
    assert judge([Table(rows)], past, newest, now, now, "UTC") is None
    many = {FIRST + number * DAY: 100.0 for number in range(DAYS)}
    assert judge([Table(many)], Past([(newest, newest)] * 2, []), newest, now, now, "UTC") is None
    young = {day: rows for day, rows in many.items() if day > FIRST + (DAYS - 8) * DAY}
    assert judge([Table(young)], past, newest, now, now, "UTC") is None
    assert judge([Table(many)], past, newest, now, now, "UTC") is not None
