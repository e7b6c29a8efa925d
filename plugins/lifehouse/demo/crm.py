"""The simulated CRM: everything it ever holds, and what it holds at an instant.

A seeded simulator of the project's own: people, consents, tickets and answers are invented. It knows the same
people as the shop, imperfectly (see ``crm_contacts``), and its pipeline follows their purchases in The Complete
Journey. The same households give the same CRM, always.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lifehouse.demo import package
from lifehouse.demo.crm_contacts import contacts
from lifehouse.demo.crm_desk import surveys, tickets
from lifehouse.demo.crm_life import consents, stage_changes

Record = dict[str, Any]
#: The tables, each with its key.
KEYS = {
    "contacts": "contact_id",
    "consents": "consent_id",
    "stage_changes": "change_id",
    "tickets": "ticket_id",
    "surveys": "answer_id",
}


@dataclass(frozen=True)
class World:
    """Per table, the versions of every record, oldest first; and each table's key."""

    tables: dict[str, list[list[Record]]]
    keys: Mapping[str, str] = field(default_factory=lambda: KEYS)

    def at(self, as_of: datetime) -> dict[str, list[Record]]:
        """What each table held at ``as_of``: of each record the newest version, sorted by (updated_at, key)."""
        return {table: _current(records, self.keys[table], as_of) for table, records in self.tables.items()}


def build(households: Iterable[int] | None = None) -> World:
    """The CRM of the shop's households (None: all). Some two seconds for all of them."""
    baskets = baskets_of(households)
    people = contacts({household: times[0] for household, times in baskets.items()})
    desk = tickets(people)
    return World(
        {
            "contacts": [contact.versions for contact in people],
            "consents": [[decision] for decision in consents(people)],
            "stage_changes": [[change] for change in stage_changes(people, baskets)],
            "tickets": desk,
            "surveys": surveys(people, desk),
        }
    )


def baskets_of(households: Iterable[int] | None = None) -> dict[int, list[datetime]]:
    """When each household bought, sorted (None: all households)."""
    visits = package.visits()
    if households is not None:
        visits = visits[visits.household_id.isin(list(households))]
    return {
        int(household): [at.to_pydatetime() for at in times]
        for household, times in visits.groupby("household_id")["at"]
    }


def _current(records: list[list[Record]], key: str, as_of: datetime) -> list[Record]:
    known = ([version for version in versions if version["updated_at"] < as_of] for versions in records)
    return sorted((versions[-1] for versions in known if versions), key=lambda r: (r["updated_at"], r[key]))
