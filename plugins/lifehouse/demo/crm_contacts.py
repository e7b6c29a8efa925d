"""The simulated CRM's contacts: the shop's people as sales clerks typed them in, and leads the shop has not met.

Of 100 households about 20 have no contact, 6 have two. Contacts spell names their own way, shout or pad their
e-mail addresses, write phone numbers in five styles, and give only some identifiers: a few share none with the
shop and can be matched by nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from lifehouse.demo.nights import END, NIGHTS, midnight
from lifehouse.demo.people import FIRST_LEAD, Person, person

LEADS, LEADS_A_NIGHT = 420, 15
#: On each later night, wrongly typed e-mails put right, and changed family names.
TYPOS, RENAMED = 6, 4
_SECOND, _LEAD = 20_000, 30_000
_RECORDS_BEGIN = midnight(END.date().replace(year=2016, month=11, day=15))
_NICKNAMES = {
    "Alexander": "Alex", "Andrew": "Andy", "Benjamin": "Ben", "Catherine": "Katherine", "Christopher": "Chris",
    "Daniel": "Dan", "Deborah": "Debra", "Donald": "Don", "Elizabeth": "Liz", "Gregory": "Greg", "James": "Jim",
    "Jeffrey": "Jeff", "Jonathan": "Jon", "Joseph": "Joe", "Katherine": "Catherine", "Kenneth": "Ken",
    "Kimberly": "Kim", "Lawrence": "Larry", "Margaret": "Peggy", "Matthew": "Matt", "Michael": "Mike",
    "Nicholas": "Nick", "Patricia": "Pat", "Rebecca": "Becky", "Richard": "Rick", "Robert": "Bob", "Samuel": "Sam",
    "Stephen": "Steven", "Steven": "Stephen", "Teresa": "Theresa", "Theresa": "Teresa", "Thomas": "Tom",
    "Timothy": "Tim", "Victoria": "Vicky", "William": "Bill", "Zachary": "Zack",
}  # fmt: skip
_CHANNELS = ("store", "search", "social", "referral", "email", "paid", "event", "content")
_WEIGHTS = (40, 15, 13, 12, 8, 6, 4, 2)


@dataclass
class Contact:
    """One record and all its versions, oldest first. ``number`` is the person behind it, never told by the API."""

    number: int
    versions: list[dict[str, Any]]

    @property
    def contact_id(self) -> int:
        return int(self.versions[0]["contact_id"])

    @property
    def created_at(self) -> datetime:
        return self.versions[0]["created_at"]

    @property
    def is_lead(self) -> bool:
        return self.number >= FIRST_LEAD

    @property
    def is_second(self) -> bool:
        return _SECOND < self.contact_id < _LEAD

    def correct(self, at: datetime, **changes: Any) -> None:
        """A new version from ``at`` on."""
        self.versions.append({**self.versions[-1], **changes, "updated_at": at})


def contacts(first_basket: dict[int, datetime]) -> list[Contact]:
    """All contacts. ``first_basket``: the households to know, each with its first purchase."""
    known = [
        record for household, first in first_basket.items() for record in _of_household(household, first)
    ]
    return _corrected(known) + [_lead(number) for number in range(LEADS + LEADS_A_NIGHT * len(NIGHTS))]


def shuffled(number: int) -> int:
    """A fixed disorder of the whole numbers."""
    return number * 2_654_435_761 % 2**32


def between(dice: Random, start: datetime, end: datetime) -> datetime:
    """A second of this span."""
    return start + timedelta(seconds=int(dice.random() * max((end - start).total_seconds(), 1)))


def _of_household(household: int, first: datetime) -> list[Contact]:
    dice = Random(f"crm household {household}")  # noqa: S311
    share = dice.random()
    if share < 0.20:
        return []
    created = between(dice, max(first - timedelta(days=60), _RECORDS_BEGIN), first - timedelta(days=2))
    who = person(household)
    records = [Contact(household, [_typed(who, dice, 10_000 + household, created)])]
    if share > 0.94:
        again = _typed(who, dice, _SECOND + household, between(dice, first, NIGHTS[0]))
        again["phone"] = again["phone"] or _phone_style(who, dice)
        records.append(Contact(household, [again]))
    return records


def _lead(number: int) -> Contact:
    """Leads come all year; on each night of the demo a handful more."""
    dice = Random(f"crm lead {number}")  # noqa: S311
    created = between(dice, _RECORDS_BEGIN, NIGHTS[0])
    if number >= LEADS:
        night = NIGHTS[(number - LEADS) // LEADS_A_NIGHT]
        created = between(dice, night - timedelta(hours=16), night - timedelta(hours=6))
    return Contact(FIRST_LEAD + number, [_typed(person(FIRST_LEAD + number), dice, _LEAD + number, created)])


def _typed(who: Person, dice: Random, contact_id: int, created: datetime) -> dict[str, Any]:
    """The person as a clerk typed it in."""
    return {
        "contact_id": contact_id,
        "first_name": _NICKNAMES.get(who.first_name, who.first_name)
        if dice.random() < 0.3
        else who.first_name,
        "last_name": dice.choices((who.last_name, who.last_name.upper(), _slip(who.last_name)), (85, 10, 5))[
            0
        ],
        "email": _email_style(who, dice),
        "phone": _phone_style(who, dice) if dice.random() < 0.65 else None,
        "loyalty_card": who.loyalty_card if dice.random() < 0.3 and who.number < FIRST_LEAD else None,
        "city": who.city,
        "region": who.region,
        "postal_code": who.postal_code,
        "country": "US",
        "acquisition_channel": dice.choices(_CHANNELS, _WEIGHTS)[0],
        "created_at": created,
        "updated_at": created,
    }


def _email_style(who: Person, dice: Random) -> str | None:
    styles = (who.email, who.email.upper(), f" {who.email} ", who.email.title(), who.other_email, None)
    return dice.choices(styles, (52, 10, 8, 5, 13, 12))[0]


def _phone_style(who: Person, dice: Random) -> str:
    area, exchange, line = who.phone[2:5], who.phone[5:8], who.phone[8:]
    styles = ("+1 {} {} {}", "({}) {}-{}", "{}.{}.{}", "1-{}-{}-{}", "{}{}{}")
    return dice.choice(styles).format(area, exchange, line)


def _slip(word: str) -> str:
    """The word without its third letter."""
    return word[:2] + word[3:]


def _corrected(records: list[Contact]) -> list[Contact]:
    """Plays the later nights' corrections: an e-mail that was typed wrongly names the right person only then."""
    plain = [r for r in records if r.created_at < NIGHTS[0] - timedelta(days=2) and not r.is_second]
    plain.sort(key=lambda record: shuffled(record.contact_id))
    only_email = [r for r in plain if _has_only(r.versions[0], person(r.number).email)]
    others = [r for r in plain if r not in only_email[: TYPOS * 2]]
    for number, night in enumerate(NIGHTS[1:]):
        at = night - timedelta(hours=4)
        for minute, record in enumerate(only_email[number * TYPOS : (number + 1) * TYPOS]):
            right = record.versions[0]["email"]
            record.versions[0]["email"] = _slip(right)
            record.correct(at + timedelta(minutes=minute), email=right)
        for minute, record in enumerate(others[number * RENAMED : (number + 1) * RENAMED]):
            family = person(FIRST_LEAD + minute).last_name
            record.correct(at + timedelta(minutes=30 + minute), last_name=family)
    return records


def _has_only(record: dict[str, Any], email: str) -> bool:
    return record["email"] == email and not record["phone"] and not record["loyalty_card"]
