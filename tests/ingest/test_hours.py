"""A clock that is hours off is told from a shop that closed early, against a plain reference."""

from __future__ import annotations

import random
from math import log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifehouse.ingest.hours import _moved, shift

SHOP = [1, 1, 0.5, 0.5, 0.3, 0.3, 1, 2, 3, 5, 6, 7, 7, 8, 8, 9, 10, 11, 10, 8, 6, 4, 3, 2]
OFFICE = [0, 0, 0, 0, 0, 0, 0, 0, 2, 6, 8, 8, 6, 7, 8, 8, 6, 3, 0, 0, 0, 0, 0, 0]
ALWAYS = [1.0] * 24
SEEDS = st.integers(0, 10**6)


def day(shares: list[float], rows: int, chance: random.Random) -> list[float]:
    hours = [0.0] * 24
    for hour in chance.choices(range(24), shares, k=rows):
        hours[hour] += 1
    return hours


def earlier(shares: list[float], chance: random.Random, days: int = 30, rows: int = 120) -> list[list[float]]:
    return [day(shares, rows, chance) for _ in range(days)]


def later(hours: list[float], by: int) -> list[float]:
    return [hours[(hour - by) % 24] for hour in range(24)]


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.sampled_from([SHOP, OFFICE, ALWAYS]), st.integers(20, 2000))
def test_days_like_the_others_are_not_moved(seed: int, shares: list[float], rows: int) -> None:
    chance = random.Random(seed)
    assert shift(day(shares, rows, chance), earlier(shares, chance)) == 0


@pytest.mark.parametrize("by", [-9, -6, -5, 5, 6, 8, 12])
@pytest.mark.parametrize("shares", [SHOP, OFFICE])
def test_a_clock_that_is_hours_off_is_seen_and_by_how_much(shares: list[float], by: int) -> None:
    """One night in fifty of an office whose clock is half a day off looks like a strange working day: that is allowed."""
    missed = 0
    for seed in range(20):
        chance = random.Random(seed)
        found = shift(later(day(shares, 400, chance), by), earlier(shares, chance))
        missed += min((found - by) % 24, (by - found) % 24) > 1
    assert missed <= 1


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from([SHOP, OFFICE]), st.integers(9, 20), st.booleans())
def test_a_shop_that_opens_late_or_closes_early_has_no_wrong_clock(
    seed: int, shares: list[float], at: int, early: bool
) -> None:
    chance = random.Random(seed)
    is_open = [hour < at if early else hour >= at for hour in range(24)]
    open_shares = [share * there for share, there in zip(shares, is_open, strict=True)]
    if sum(open_shares) > 0.1 * sum(shares):
        assert shift(day(open_shares, 300, chance), earlier(shares, chance)) == 0


@pytest.mark.parametrize("hour", range(24))
def test_what_is_written_in_one_batch_has_no_wrong_clock(hour: int) -> None:
    batch = [0.0] * 24
    batch[hour] = 900
    assert shift(batch, earlier(SHOP, random.Random(hour))) == 0


def test_a_weekday_unlike_the_others_is_usual_once_it_was_there() -> None:
    chance = random.Random(7)
    nights = later(SHOP, 6)
    week = [day(nights if number % 7 == 5 else SHOP, 200, chance) for number in range(42)]
    assert shift(day(nights, 200, chance), week) == 0
    assert shift(later(day(SHOP, 200, chance), -6), week) != 0


def test_nothing_is_said_of_nothing() -> None:
    assert shift([0.0] * 24, [SHOP]) == 0
    assert shift(SHOP, [[0.0] * 24]) == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=24, max_size=24).filter(any), SEEDS)
def test_both_likelihoods_are_those_of_the_plain_reference(rows: list[int], seed: int) -> None:
    usual = day(SHOP, 3000, random.Random(seed))
    shares = [(count + 0.5) / (sum(usual) + 12) for count in usual]
    counted = [count * min(1, 100 / sum(rows)) for count in rows]
    n = sum(counted)
    moves = {by: sum(c * log(shares[(h - by) % 24]) for h, c in enumerate(counted)) for by in range(24)}
    best = max(range(2, 23), key=lambda by: moves[by])
    spans = [moves[0]]
    for first in range(24):
        for length in range(1, 24):
            inside = [(first + each) % 24 for each in range(length)]
            out = max(sum(c for h, c in enumerate(counted) if h not in inside), 0.5) / (n + 1)
            p = sum(shares[h] for h in inside)
            if sum(counted[h] for h in inside):
                spans.append(sum(
                    c * log((1 - out) * shares[h] / p if h in inside else out * shares[h] / (1 - p))
                    for h, c in enumerate(counted) if c
                ))  # fmt: skip
    moved, better = _moved([float(count) for count in rows], usual)
    if moves[best] - moves[0] < 15:
        assert (moved, better) == (0, 0)
    else:
        assert moves[moved % 24] == pytest.approx(moves[best])
        assert better == pytest.approx(moves[best] - max(spans))
