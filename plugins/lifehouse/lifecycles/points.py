"""Where stages can change, for several lifecycles at once: the points of one pass over the timeline, by number.

Each kind of event and each wait after it has a number, each lifecycle has bits of its own in one integer: a point
says by them whose it is, and a state holds the stages of all lifecycles side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from lifehouse.lifecycles.declaration import Lifecycle
from lifehouse.lifecycles.measures import Measure, Pace, leaves, measures, waits

#: An integer of 8 bytes, less its sign and one bit for adding two of them.
_BITS = 62


class Whose(NamedTuple):
    """The bits of the lifecycles that name a wait: after each event, the first, the last."""

    each: int
    first: int
    last: int


@dataclass(frozen=True)
class Points:
    """The points of the lifecycles, which fit into one integer."""

    lifecycles: Sequence[Lifecycle]

    @cached_property
    def needed(self) -> tuple[Measure, ...]:
        """The measures of all rules, each once."""
        found = (
            (*measures(leaf),)
            for declared in self.lifecycles
            for stage in declared.stages
            if stage.rule
            for leaf in leaves(stage.rule)
        )
        return tuple(dict.fromkeys(measure for each in found for measure in each))

    @cached_property
    def paces(self) -> tuple[Pace, ...]:
        """The waits whose days follow the customer's rhythm."""
        return tuple(measure for measure in self.needed if isinstance(measure, Pace))

    @cached_property
    def shifts(self) -> tuple[int, ...]:
        """Below each lifecycle's bits, so many are of others."""
        return tuple(accumulate((_width(each) for each in self.lifecycles), initial=0))[:-1]

    @cached_property
    def bits(self) -> tuple[int, ...]:
        """Each lifecycle's bits, set."""
        return tuple(
            (2 ** _width(each) - 1) << shift for each, shift in zip(self.lifecycles, self.shifts, strict=True)
        )

    @cached_property
    def whose(self) -> dict[tuple[str, int | Pace], Whose]:
        """(event type, days or rhythm) of each wait -> whose it is; in the order of their numbers, from 1."""
        found: dict[tuple[str, int | Pace], Whose] = {}
        for declared, bits in zip(self.lifecycles, self.bits, strict=True):
            for event_type, days, after in _waits(declared):
                known = found.get((event_type, days), Whose(0, 0, 0))
                found[event_type, days] = known._replace(**{after: getattr(known, after) | bits})
        ordered = sorted(found, key=lambda wait: (wait[0], isinstance(wait[1], Pace), str(wait[1]).zfill(6)))
        return {wait: found[wait] for wait in ordered}

    @cached_property
    def number(self) -> dict[tuple[str, int | Pace], int]:
        """The number of each wait."""
        return {wait: number for number, wait in enumerate(self.whose, start=1)}

    @cached_property
    def named(self) -> dict[str, list[int]]:
        """Each event type that rules name -> the numbers of its waits."""
        found: dict[str, list[int]] = {}
        for (event_type, _), number in self.number.items():
            found.setdefault(event_type, []).append(number)
        return found

    def at(self, events: Iterable[str], days: int = 0) -> str:
        """The condition that a point is so many days after one of the events."""
        numbers = sorted(self.number[event, days] for event in events)
        return f"wait = {numbers[0]}" if len(numbers) == 1 else f"wait in ({', '.join(map(str, numbers))})"


def passes(lifecycles: Sequence[Lifecycle]) -> list[Points]:
    """The lifecycles in as few passes as their bits allow, in their order."""
    found: list[list[Lifecycle]] = [[]]
    for declared in lifecycles:
        if sum(map(_width, found[-1])) + _width(declared) > _BITS:
            found.append([])
        found[-1].append(declared)
    return [Points(each) for each in found if each]


def _waits(declared: Lifecycle) -> Iterator[tuple[str, int | Pace, str]]:
    rules = [stage.rule for stage in declared.stages if stage.rule]
    yield from waits(rules)
    for measure in Points([declared]).paces:
        yield measure.event, measure, "last"


def _width(declared: Lifecycle) -> int:
    return len(declared.stages).bit_length()
