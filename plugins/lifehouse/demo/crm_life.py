"""What the simulated CRM keeps of its contacts: consents, and the history of their pipeline stage.

The stages follow what the households really bought: lead when entered, opportunity on the way to the first basket,
customer from then on, at risk 45 days and lost 120 days after the last basket, customer again on return.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from lifehouse.demo.crm_contacts import Contact, between, shuffled
from lifehouse.demo.nights import END, NIGHTS

AT_RISK, LOST = timedelta(days=45), timedelta(days=120)
#: On each later night so many withdrawals, made days before by letter or phone, are entered.
LATE_WITHDRAWALS = 6
#: The share of contacts that agreed to a channel when they were entered, and of those that withdrew later.
_AGREE = {"email": 0.72, "sms": 0.30, "phone": 0.18, "post": 0.60, "ads": 0.35}
_WITHDRAW, _REFUSE = 0.10, 0.25


def consents(contacts: list[Contact]) -> list[dict[str, Any]]:
    """One record a contact, channel and decision, all for marketing. A decision is never changed, only followed."""
    made = [decision for contact in contacts for decision in _decisions(contact)]
    last = {(decision["contact_id"], decision["channel"]): decision for decision in made}
    agreed = [
        decision
        for decision in last.values()
        if decision["channel"] == "email"
        and decision["status"] == "granted"
        and decision["changed_at"] < NIGHTS[0] - timedelta(days=7)
    ]
    agreed.sort(key=lambda decision: shuffled(decision["contact_id"]))
    for number, night in enumerate(NIGHTS[1:]):
        for rank, decision in enumerate(agreed[number * LATE_WITHDRAWALS : (number + 1) * LATE_WITHDRAWALS]):
            said = night - timedelta(days=1 + rank % 4, hours=3)
            entered = night - timedelta(hours=1, minutes=rank)
            made.append(
                _decision(decision["contact_id"], 9, "email", "withdrawn", said) | {"updated_at": entered}
            )
    return made


def stage_changes(contacts: list[Contact], baskets: dict[int, list[datetime]]) -> list[dict[str, Any]]:
    """One record a change; the first of a contact has no previous stage. ``baskets``: sorted times of a household."""
    return [change for contact in contacts for change in _changes(contact, baskets.get(contact.number, []))]


def _decisions(contact: Contact) -> Iterator[dict[str, Any]]:
    dice = Random(f"crm consent {contact.contact_id}")  # noqa: S311
    for place, (channel, share) in enumerate(_AGREE.items()):
        luck = dice.random()
        if luck < share:
            yield _decision(contact.contact_id, place, channel, "granted", contact.created_at)
            if dice.random() < _WITHDRAW:
                at = between(dice, contact.created_at, END)
                yield _decision(contact.contact_id, 10 + place, channel, "withdrawn", at)
        elif luck > 1 - _REFUSE * (1 - share):
            yield _decision(contact.contact_id, place, channel, "withdrawn", contact.created_at)


def _decision(contact_id: int, place: int, channel: str, status: str, at: datetime) -> dict[str, Any]:
    return {
        "consent_id": contact_id * 100 + place,
        "contact_id": contact_id,
        "channel": channel,
        "purpose": "marketing",
        "status": status,
        "legal_basis": "legitimate_interest" if channel == "post" else "consent",
        "changed_at": at,
        "updated_at": at,
    }


def _changes(contact: Contact, baskets: list[datetime]) -> Iterator[dict[str, Any]]:
    previous = None
    for place, (stage, at) in enumerate(_stages(contact, baskets)):
        yield {
            "change_id": contact.contact_id * 100 + place,
            "contact_id": contact.contact_id,
            "stage": stage,
            "previous_stage": previous,
            "changed_at": at.replace(microsecond=0),
            "updated_at": at.replace(microsecond=0),
        }
        previous = stage


def _stages(contact: Contact, baskets: list[datetime]) -> Iterator[tuple[str, datetime]]:
    dice = Random(f"crm stage {contact.contact_id}")  # noqa: S311
    yield "lead", contact.created_at
    if contact.is_lead:
        if dice.random() < 0.45:
            at = contact.created_at + timedelta(days=dice.uniform(1, 40))
            yield "opportunity", at
            if dice.random() < 0.3:
                yield "lost", at + timedelta(days=dice.uniform(20, 90))
        return
    baskets = [basket for basket in baskets if basket >= contact.created_at]
    if not baskets:
        return
    if not contact.is_second:
        yield "opportunity", contact.created_at + (baskets[0] - contact.created_at) * dice.uniform(0.1, 0.6)
    yield "customer", baskets[0]
    for basket, following in zip(baskets, [*baskets[1:], END], strict=True):
        silence = following - basket
        if silence > AT_RISK:
            yield "at_risk", basket + AT_RISK
        if silence > LOST:
            yield "lost", basket + LOST
        if silence > AT_RISK and following < END:
            yield "customer", following
