"""The simulated CRM's service desk and surveys: tickets, NPS once a year, CSAT after a solved ticket."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from lifehouse.demo.crm_contacts import Contact, between, shuffled
from lifehouse.demo.nights import END, NIGHTS, midnight

#: On each later night: tickets and NPS answers on paper, days old, that are entered only then.
LATE_TICKETS, LATE_ANSWERS = 8, 5
_YEAR = midnight(NIGHTS[0].date().replace(month=1, day=2))
_TOPICS = {
    "question": ("opening hours", "loyalty card", "coupon", "ingredients"),
    "complaint": ("spoiled product", "price at the till", "coupon refused", "waiting time", "staff"),
    "request": ("replace loyalty card", "order in advance", "change of address"),
}
_REASONS = ("price", "range", "freshness", "service", "waiting time", "loyalty programme")
_COMMENTS = {
    "good": (
        "Always a pleasure.",
        "Fresh produce and friendly staff.",
        "The coupons are worth it.",
        None,
        None,
    ),
    "fair": ("Fine, but the queues are long.", "Prices have gone up.", None, None),
    "poor": ("The coupon was refused again.", "Nobody at the counter.", "The fruit was spoiled.", None),
}


def tickets(contacts: list[Contact]) -> list[list[dict[str, Any]]]:
    """The versions of each ticket: opened, answered, solved, judged."""
    made = [ticket for contact in contacts if not contact.is_lead for ticket in _tickets(contact)]
    recent = [
        versions
        for versions in made
        if NIGHTS[0] - timedelta(days=10) < versions[0]["opened_at"] < NIGHTS[0] - timedelta(days=1)
    ]
    recent.sort(key=lambda versions: shuffled(versions[0]["ticket_id"]))
    _enter_late(recent, LATE_TICKETS)
    return made


def surveys(contacts: list[Contact], desk: list[list[dict[str, Any]]]) -> list[list[dict[str, Any]]]:
    """The versions (one each) of every answer; a ticket that was judged is also a CSAT answer."""
    answers = [[answer] for contact in contacts if not contact.is_lead for answer in _nps(contact)]
    recent = [a for a in answers if NIGHTS[0] - timedelta(days=20) < a[0]["answered_at"] < NIGHTS[0]]
    recent.sort(key=lambda versions: shuffled(versions[0]["answer_id"]))
    _enter_late(recent, LATE_ANSWERS)
    judged = [versions[-1] for versions in desk if versions[-1]["satisfaction"] is not None]
    return answers + [[_csat(ticket)] for ticket in judged]


def _enter_late(records: list[list[dict[str, Any]]], share: int) -> None:
    """The first ``share`` records are known from the second night on, the next from the third."""
    for number, night in enumerate(NIGHTS[1:]):
        for rank, versions in enumerate(records[number * share : (number + 1) * share]):
            entered = night - timedelta(minutes=90 - rank)
            for version in versions:
                version["updated_at"] = max(version["updated_at"], entered)


def _tickets(contact: Contact) -> Iterator[list[dict[str, Any]]]:
    dice = Random(f"crm tickets {contact.contact_id}")  # noqa: S311
    for place in range(dice.choices((0, 1, 2, 3), (58, 27, 11, 4))[0]):
        kind = dice.choices(tuple(_TOPICS), (45, 35, 20))[0]
        opened = between(dice, max(contact.created_at, _YEAR), END)
        answered = between(dice, opened + timedelta(minutes=10), opened + timedelta(hours=30))
        solved = between(dice, answered, answered + timedelta(days=4))
        ticket = {
            "ticket_id": contact.contact_id * 10 + place,
            "contact_id": contact.contact_id,
            "kind": kind,
            "topic": dice.choice(_TOPICS[kind]),
            "opened_at": opened,
            "first_answer_at": None,
            "solved_at": None,
            "satisfaction": None,
            "updated_at": opened,
        }
        versions = [ticket]
        if dice.random() < 0.97:
            versions.append(versions[-1] | {"first_answer_at": answered, "updated_at": answered})
        if len(versions) == 2 and dice.random() < 0.93:
            versions.append(versions[-1] | {"solved_at": solved, "updated_at": solved})
        if len(versions) == 3 and dice.random() < 0.55:
            stars = dice.choices(
                (1, 2, 3, 4, 5), (12, 10, 18, 30, 30) if kind == "complaint" else (3, 5, 12, 35, 45)
            )[0]
            judged = between(dice, solved + timedelta(hours=1), solved + timedelta(days=2))
            versions.append(versions[-1] | {"satisfaction": stars, "updated_at": judged})
        yield versions


def _nps(contact: Contact) -> Iterator[dict[str, Any]]:
    dice = Random(f"crm nps {contact.contact_id}")  # noqa: S311
    asked = max(contact.created_at + timedelta(days=30), _YEAR)
    if dice.random() < 0.45 and asked < END:
        score = dice.choices(range(11), (2, 1, 2, 3, 4, 7, 8, 15, 20, 20, 18))[0]
        yield _answer(
            contact.contact_id,
            contact.contact_id * 100,
            "nps",
            score,
            score / 10,
            dice,
            between(dice, asked, END),
        )


def _csat(ticket: dict[str, Any]) -> dict[str, Any]:
    dice = Random(f"crm csat {ticket['ticket_id']}")  # noqa: S311
    score, number = ticket["satisfaction"], ticket["contact_id"] * 100 + 1 + ticket["ticket_id"] % 10
    return _answer(ticket["contact_id"], number, "csat", score, (score - 1) / 4, dice, ticket["updated_at"])


def _answer(
    contact_id: int, answer_id: int, survey: str, score: int, share: float, dice: Random, at: datetime
) -> dict[str, Any]:
    mood = "good" if share >= 0.9 else "fair" if share >= 0.7 else "poor"
    return {
        "answer_id": answer_id,
        "contact_id": contact_id,
        "survey": survey,
        "score": score,
        "reason": dice.choice(_REASONS) if mood == "poor" or dice.random() < 0.4 else None,
        "comment": dice.choice(_COMMENTS[mood]),
        "answered_at": at,
        "updated_at": at,
    }
