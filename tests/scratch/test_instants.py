"""The instants of a backfill."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scratch.conftest import instant

from lifehouse.errors import ConfigError
from lifehouse.scratch.instants import instants


def test_days_keep_the_time_on_the_wall_when_clocks_change() -> None:
    first, last = instant("2024-03-29T23:00"), instant("2024-04-01T22:00")  # midnight in Berlin
    found = instants(first, last, "1d", "Europe/Berlin")
    assert [f"{at:%d %H}" for at in found] == ["29 23", "30 23", "31 22", "01 22"]
    months = instants(instant("2024-01-31T12:00"), instant("2024-04-30T12:00"), "1m", "UTC")
    assert [f"{at:%m-%d}" for at in months] == ["01-31", "02-29", "03-31", "04-30"]


@given(st.integers(1, 30), st.sampled_from("hdw"), st.integers(0, 400))
def test_instants_are_even_in_utc_and_stay_in_the_range(number: int, unit: str, hours: int) -> None:
    first = instant("2024-01-01")
    found = instants(first, first + timedelta(hours=hours), f"{number}{unit}", "UTC")
    length = timedelta(hours=number * {"h": 1, "d": 24, "w": 168}[unit])
    assert found == [first + n * length for n in range(hours // (length // timedelta(hours=1)) + 1)]


@pytest.mark.parametrize(
    ("every", "word"), [("1y", "use a number"), ("0d", "use a number"), ("1h", "instants")]
)
def test_a_range_that_makes_no_sense_is_refused(every: str, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        instants(instant("2020-01-01"), instant("2024-01-01"), every, "UTC")
