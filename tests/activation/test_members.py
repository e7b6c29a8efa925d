"""Reading a list while others write to it: nobody who is there all the while is left out, or it is said that it moves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lifehouse.activation.pace import Pace
from lifehouse.activation.platforms import members
from lifehouse.activation.platforms.listing import Members
from lifehouse.errors import PlatformError

PAGE = 4
COUNTED = {"parameter": "from"}
BEHIND = {"first": "0", "cursor": "items[-1].id"}

people = st.sets(st.integers(1, 60), max_size=25)
#: What happens after a page was told: who joins and who leaves. Then nothing does any longer.
moves = st.lists(
    st.tuples(st.sets(st.integers(1, 60), max_size=3), st.sets(st.integers(1, 60), max_size=3)), max_size=12
)


def told(
    there: set[int], happens: list[tuple[set[int], set[int]]], page: dict[str, str], marked: int
) -> tuple[set[int], set[int]]:
    """Whom the reading told, and who was there, with the mark, all the while. Every ``marked``-th has it."""
    always, coming = set(there), iter(happens)
    listing = Members.model_validate(
        {"path": "/", "at": "items", "id": "id", "where": "marked", "page": page, "look_up": "find"}
    )

    async def fetch(cursor: str | None) -> Any:
        nonlocal always
        number = int(cursor or 0)
        listed = sorted(there)
        found = (
            listed[number : number + PAGE]
            if page is COUNTED
            else [one for one in listed if one > number][:PAGE]
        )
        joins, leaves = next(coming, (set(), set()))
        there.difference_update(leaves)
        there.update(joins)
        always &= there
        return {"items": [{"id": one, "marked": one % marked == 0} for one in found]}

    async def read() -> set[int]:
        pages = members.read(fetch, listing, Pace(0.01, 1.0), 3)
        return {int(one.id or 0) for page in [part async for part in pages] for one in page if one.is_held}

    found = asyncio.run(read())
    return found, {one for one in always if one % marked == 0}


@settings(max_examples=150, deadline=None)
@given(there=people, happens=moves, page=st.sampled_from([COUNTED, BEHIND]), marked=st.integers(1, 3))
@example(there=set(range(1, 10)), happens=[(set(), {1, 2}), (set(), {3})], page=COUNTED, marked=1)
@example(there=set(range(1, 10)), happens=[(set(), {1}), ({1}, set())], page=COUNTED, marked=2)
def test_nobody_who_is_there_all_the_while_is_left_out(
    there: set[int], happens: list[tuple[set[int], set[int]]], page: dict[str, str], marked: int
) -> None:
    try:
        found, always = told(there, happens, page, marked)
    except PlatformError:
        assert page is COUNTED  # it moved five times in a row
    else:
        assert always <= found


def test_a_list_that_always_moves_is_said_to_be_unreadable() -> None:
    always_one_less = [(set(), {number}) for number in range(1, 60)]
    with pytest.raises(PlatformError, match="moved while it was read"):
        told(set(range(1, 61)), always_one_less, COUNTED, 1)
