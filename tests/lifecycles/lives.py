"""People whose records reach the warehouse night by night: late, shuffled, repeated, corrected, cancelled, taken back.

And whose identity changes meanwhile: records that were two customers' become one's, and part again.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from lifecycles.reference import Event

T = TypeVar("T")


@dataclass(frozen=True)
class Record:
    """What a source holds: of which person, and the event that it tells (whose id follows from its type and the key)."""

    key: str
    person: str
    event: Event

    @property
    def told(self) -> Event:
        name = f"{self.event.type}|source|{self.key}"
        return replace(self.event, id=hashlib.md5(name.encode(), usedforsecurity=False).hexdigest())


@dataclass
class Lives:
    """``still_to_come`` waits at the sources; ``records`` have arrived; ``owner`` says whose each person is."""

    dice: random.Random
    still_to_come: list[Record]
    records: dict[str, Record] = field(default_factory=dict)
    owner: dict[str, str] = field(default_factory=dict)
    customers: int = 0

    def night(self) -> tuple[list[Record], list[str], set[str]]:
        """A night passes: what arrives (in this order), the keys of what is taken back, and the customers who changed."""
        before = dict(self.owner)
        self._merge_and_split()
        moved = {person for person in before if self.owner[person] != before[person]}
        arriving = self._arrivals()
        gone = self._some(list(self.records), 0.1)
        concerned = (
            {record.person for record in arriving} | {self.records[key].person for key in gone} | moved
        )
        concerned |= {self.records[record.key].person for record in arriving if record.key in self.records}
        for record in arriving:
            self.records[record.key] = record
        for key in gone:
            del self.records[key]
        arriving = [record for record in arriving if record.key in self.records]
        return (
            arriving,
            gone,
            {owner[person] for person in concerned for owner in (before, self.owner) if person in owner},
        )

    def timelines(self) -> dict[str, list[Event]]:
        """Every customer's events as they are known now."""
        found: dict[str, list[Event]] = {}
        for record in self.records.values():
            found.setdefault(self.owner[record.person], []).append(record.told)
        return found

    def _arrivals(self) -> list[Record]:
        """A part of what waits, whenever it happened; some of it twice; and older records corrected."""
        self.dice.shuffle(self.still_to_come)
        cut = self.dice.randrange(len(self.still_to_come) + 1)
        new, self.still_to_come = self.still_to_come[:cut], self.still_to_come[cut:]
        again = self._some(list(self.records.values()), 0.1)
        corrected = [self._corrected(record) for record in self._some(list(self.records.values()), 0.2)]
        for record in new:
            if record.person not in self.owner:
                self.owner[record.person] = self._customer()
        arriving = [*new, *again, *self._some(new, 0.2)]
        self.dice.shuffle(arriving)
        return [*arriving, *corrected]

    def _corrected(self, record: Record) -> Record:
        event, other = record.event, self.dice.choice(list(self.records.values()))
        changes: list[Callable[[], Record]] = [
            lambda: replace(record, event=replace(event, at=other.event.at)),
            lambda: replace(
                record, event=replace(event, amount=other.event.amount, detail=other.event.detail)
            ),
            lambda: replace(record, person=other.person),
        ]
        if event.type == "order":
            changes.append(lambda: replace(record, event=replace(event, type="order_cancelled")))
        return self.dice.choice(changes)()

    def _merge_and_split(self) -> None:
        """Some persons join another's customer, some leave theirs for one of their own."""
        for person in self._some(list(self.owner), 0.25):
            others = [other for other in self.owner if other != person]
            if others and self.dice.random() < 0.6:
                self.owner[person] = self.owner[self.dice.choice(others)]
            else:
                self.owner[person] = self._customer()

    def _customer(self) -> str:
        self.customers += 1
        return f"c{self.customers}"

    def _some(self, items: list[T], share: float) -> list[T]:
        return [item for item in items if self.dice.random() < share]
