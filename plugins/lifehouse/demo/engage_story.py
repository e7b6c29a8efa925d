"""What is true about each person whom the engagement platform knows: the facts that its tables tell parts of.

Every fact is drawn from a stream of its own, seeded by its name and the person: another fact changes none of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from lifehouse.demo.crm_contacts import Contact, between, shuffled
from lifehouse.demo.nights import END

MONTH = timedelta(days=30)
REASONS = ("price", "range", "freshness", "service", "moved away", "competitor")
#: What a month of each plan costs, in USD.
PLANS = {"box-small": 29.0, "box-family": 54.0, "box-plus": 79.0}
_FIRST_TOUCH = 0.35  # of those who came by an online channel were there before they were known
_ONLINE = ("search", "social", "email", "paid", "content", "referral")


@dataclass(frozen=True)
class Deal:
    """A chance of a sale: when it was opened and decided, and how."""

    opened_at: datetime
    closed_at: datetime | None
    outcome: str | None
    reason: str | None
    amount: float


@dataclass(frozen=True)
class Term:
    """A subscription: its start, monthly renewals, notice if any, and the end that the notice announces."""

    plan: str
    started_at: datetime
    renewals: tuple[datetime, ...]
    notice_at: datetime | None
    withdrawn_at: datetime | None
    ends_at: datetime | None
    reason: str | None


@dataclass(frozen=True)
class Device:
    """A thing that was bought to be used at home: installed, used, looked after, replaced by a better one or removed."""

    installed_at: datetime
    used: tuple[datetime, ...]
    maintained_at: datetime | None
    upgraded_at: datetime | None
    removed_at: datetime | None


@dataclass(frozen=True)
class Story:
    """One person's life with the company. ``number`` is the person of :mod:`lifehouse.demo.people`; times are UTC.

    ``first_touch``: the first anonymous visit, if there was one before ``known_at``. ``is_named``: whether the person's
    cookie was ever seen together with the member.
    """

    number: int
    contact_id: int
    cookie: str
    channel: str
    known_at: datetime
    first_touch: datetime | None
    is_named: bool
    baskets: tuple[datetime, ...]
    deal: Deal | None
    subscription: Term | None
    device: Device | None
    is_advocate: bool
    left_because: str | None

    @property
    def is_lead(self) -> bool:
        return not self.baskets

    def dice(self, what: str) -> Random:
        """The stream of one table for this person."""
        return Random(f"engage {what} {self.contact_id}")  # noqa: S311


def tell(contacts: Iterable[Contact], baskets: dict[int, list[datetime]]) -> dict[int, Story]:
    """The stories by contact number, second records of the same person left out. ``baskets``: sorted, by household."""
    return {
        contact.contact_id: _of(contact, tuple(baskets.get(contact.number, ())))
        for contact in contacts
        if not contact.is_second
    }


def _of(contact: Contact, baskets: tuple[datetime, ...]) -> Story:
    known, channel = contact.created_at, contact.versions[0]["acquisition_channel"]
    dice = _dice("touch", contact)
    before = known - timedelta(days=dice.uniform(0.2, 25))
    early = channel in _ONLINE and dice.random() < _FIRST_TOUCH
    gone = bool(baskets) and END - baskets[-1] > timedelta(days=75)
    return Story(
        number=contact.number,
        contact_id=contact.contact_id,
        cookie=f"c{shuffled(contact.contact_id):08x}",
        channel=channel,
        known_at=known,
        first_touch=before.replace(microsecond=0) if early else None,
        is_named=dice.random() < 0.8,
        baskets=baskets,
        deal=_deal(contact, baskets),
        subscription=_subscription(contact, baskets, gone),
        device=_device(contact, baskets),
        is_advocate=len(baskets) > 40 and _dice("advocate", contact).random() < 0.3,
        left_because=_dice("leaving", contact).choice(REASONS) if gone else None,
    )


def _dice(what: str, contact: Contact) -> Random:
    return Random(f"story {what} {contact.contact_id}")  # noqa: S311


def _deal(contact: Contact, baskets: tuple[datetime, ...]) -> Deal | None:
    dice = _dice("deal", contact)
    if dice.random() > (0.35 if not baskets else 0.12):
        return None
    opened = between(dice, contact.created_at, contact.created_at + MONTH)
    closed = between(dice, opened + timedelta(days=2), opened + 2 * MONTH)
    if dice.random() < 0.25:
        return Deal(opened, None, None, None, round(dice.uniform(60, 900), 2))
    won = bool(baskets) and dice.random() < 0.85
    reason = None if won else dice.choice(REASONS)
    return Deal(opened, closed, "won" if won else "lost", reason, round(dice.uniform(60, 900), 2))


def _subscription(contact: Contact, baskets: tuple[datetime, ...], gone: bool) -> Term | None:
    dice = _dice("subscription", contact)
    if not baskets or dice.random() > 0.3:
        return None
    start = between(dice, max(baskets[0], contact.created_at), END - timedelta(days=10))
    notice = withdrawn = ends = None
    if gone or dice.random() < 0.25:
        notice = between(dice, start + timedelta(days=3), END)
        ends = notice + timedelta(days=45)
        if not gone and dice.random() < 0.2:
            withdrawn, ends = notice + timedelta(days=6), None
    renewals, at = [], start + MONTH
    while at < min(ends or END, END):
        renewals.append(at)
        at += MONTH
    reason = dice.choice(REASONS) if notice else None
    return Term(dice.choice(tuple(PLANS)), start, tuple(renewals), notice, withdrawn, ends, reason)


def _device(contact: Contact, baskets: tuple[datetime, ...]) -> Device | None:
    dice = _dice("device", contact)
    if not baskets or dice.random() > 0.2:
        return None
    installed = between(dice, max(baskets[0], contact.created_at), END)
    ends = between(dice, installed + MONTH, installed + 8 * MONTH)
    removed = ends if dice.random() < 0.3 else None
    used = tuple(sorted(between(dice, installed, min(removed or END, END)) for _ in range(dice.randrange(7))))
    upkeep = between(dice, installed + MONTH, installed + 4 * MONTH) if dice.random() < 0.4 else None
    upgraded = ends if removed is None and dice.random() < 0.35 else None
    return Device(installed, used, upkeep, upgraded, removed)
