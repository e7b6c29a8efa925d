"""What the simulated systems know of each person of the demo, whoever the warehouse takes them for.

A person is a number of :mod:`lifehouse.demo.people`: the shop's households and the CRM's leads. Their events are
written down from the simulators' own tables, and their true story from :mod:`lifehouse.demo.engage_story`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from lifecycles.reference import Event
from lifehouse.demo import crm, engage
from lifehouse.demo.engage_story import Story
from lifehouse.demo.engage_web import FIRST_GROUP
from lifehouse.demo.people import FIRST_LEAD

Record = dict[str, Any]
Told = tuple[str, str, str, datetime | None, Record]  # source, customer_key, type, when, the record
#: The engagement platform's tables: times with the type of event that begins there, ``{}`` filled from the record.
_ENGAGE = {
    "members": {"joined_at": "first_seen"},
    "messages": {"occurred_at": "message_{event}"},
    "offers": {"offered_at": "offer_made"},
    "redemptions": {"redeemed_at": "offer_redeemed"},
    "opportunities": {"opened_at": "opportunity_opened", "closed_at": "opportunity_{outcome}"},
    "follow_ups": {"planned_at": "follow_up_planned", "held_at": "follow_up_held"},
    "invitations": {"invited_at": "survey_invited"},
    "answers": {"answered_at": "survey_answered"},
    "reviews": {"reviewed_at": "review"},
    "costs": {"incurred_at": "service_cost"},
    "returns": {"returned_at": "refund"},
    "loyalty": {"entered_at": "points_{kind}"},
    "referrals": {"referred_at": "referral_made", "converted_at": "referral_converted"},
    "subscriptions": {"occurred_at": "subscription_{event}"},
    "usage": {"used_at": "product_{action}"},
}
_CRM = {
    "contacts": {"created_at": "first_seen"},
    "consents": {"changed_at": "consent_{status}"},
    "stage_changes": {"changed_at": "crm_stage"},
    "tickets": {
        "opened_at": "ticket_opened",
        "first_answer_at": "ticket_answered",
        "solved_at": "ticket_solved",
    },
    "surveys": {"answered_at": "survey_answered"},
}


def person_of(source: str, customer_key: str) -> int:
    """The person behind a record."""
    number = int(customer_key) - (500_000 if source == "engage" else 0)
    if source == "engage" and int(customer_key) >= FIRST_GROUP:
        return -number  # a household or a company is no person
    return number if source == "shop" else number % 10_000 + (FIRST_LEAD if number >= 30_000 else 0)


def timelines(households: Iterable[int], orders: list[Record], as_of: datetime) -> dict[int, list[Event]]:
    """Each person's events until ``as_of``; ``orders``: the shop's own documents (type, customer_key, at, key)."""
    households = list(households)
    told = [
        *_told("crm", _CRM, crm.build(households).at(as_of), crm.KEYS, "contact_id"),
        *_engaged(engage.build(households).at(as_of)),
        *(("shop", row["customer_key"], row["type"], row["at"], row) for row in orders),
    ]
    found: dict[int, list[Event]] = {}
    for source, key, kind, at, record in told:
        if at is not None:
            event_id = hashlib.md5(
                f"{kind}|{source}|{record['key']}".encode(), usedforsecurity=False
            ).hexdigest()
            event = Event(
                at,
                kind,
                event_id,
                detail=record.get("stage") if kind == "crm_stage" else None,
                kind="crm_pipeline",
            )
            found.setdefault(person_of(source, key), []).append(event)
    return {person: sorted(events, key=lambda one: (one.at, one.id)) for person, events in found.items()}


def _told(
    source: str,
    kinds: dict[str, dict[str, str]],
    tables: dict[str, list[Record]],
    keys: Any,
    person: str,
) -> Iterator[Told]:
    for table, times in kinds.items():
        for record in tables[table]:
            named = record | {"key": record[keys[table]]}
            for column, kind in times.items():
                if record[column] is not None and not record.get("is_removed"):
                    yield source, str(record[person]), kind.format(**record), record[column], named


def _engaged(tables: dict[str, list[Record]]) -> Iterator[Told]:
    for source, key, kind, at, record in _told("engage", _ENGAGE, tables, engage.KEYS, "member_id"):
        yield source, key, "tier_changed" if kind == "points_tier" else kind, at, record
        if kind == "referral_made":
            yield source, str(record["referred_id"]), "referred", at, record
    hits = tables["interactions"]
    owner = {hit["cookie"]: hit["member_id"] for hit in hits if hit["member_id"] and hit["cookie"]}
    for hit in hits:
        if member := hit["member_id"] or owner.get(hit["cookie"]):
            yield (
                *("engage", str(member), hit["action"], hit["occurred_at"]),
                hit | {"key": hit["interaction_id"]},
            )


def moments(story: Story, as_of: datetime) -> Iterator[tuple[str, set[str], datetime, bool]]:
    """What the story alone says: the lifecycle, the stages of which one holds, the instant, and whether it begins there.

    In the words of the story, not of the rules: bought for the first time, gone quiet, gave notice, installed, removed.
    What is to come if nothing happens is said, too.
    """
    baskets = [basket for basket in story.baskets if basket < as_of]
    if not baskets:
        for lifecycle in ("status", "tenure"):
            yield lifecycle, {"potential"}, as_of, False
        yield "clm", {"acquisition"}, as_of, False
        yield "journey", {"awareness", "consideration"}, as_of, False
        return
    first, days = baskets[0], timedelta(days=1)
    yield "status", {"new"}, first, True
    yield "tenure", {"new"}, first, True
    yield "tenure", {"active"}, first + 30 * days, True
    yield "tenure", {"established"}, first + 180 * days, True
    yield "journey", {"purchase", "loyalty_advocacy"}, first, True
    for basket, following in zip(baskets, [*baskets[1:], None], strict=True):
        if following is None or following - basket > 60 * days:
            yield "crm", {"retention"}, basket + 60 * days, False
            yield "clm", {"churn"}, basket + 60 * days, False
        if following is None or following - basket > 180 * days:
            for lifecycle, stage in (("status", "lost"), ("crm", "acquisition"), ("relationship", "ended")):
                yield lifecycle, {stage}, basket + 180 * days, True
            yield "journey", {"awareness", "consideration"}, basket + 180 * days, True
    term, device = story.subscription, story.device
    if term and term.notice_at and term.notice_at < as_of:
        yield "clm", {"churn"}, term.notice_at, False
        if sum(basket <= term.notice_at for basket in baskets) >= 3:
            yield "relationship", {"decline", "ended"}, term.notice_at, False
    if term and term.ends_at and term.ends_at < as_of:
        yield "clm", {"churn"}, term.ends_at, False
    if device and device.installed_at < as_of:
        yield (
            *("ownership", {"installation_use", "after_sales", "upgrade_upkeep"}),
            *(device.installed_at, False),
        )
        for at in (device.maintained_at, device.upgraded_at):
            if at and at < as_of and not (device.removed_at and device.removed_at <= at):
                yield "ownership", {"upgrade_upkeep"}, at, False
        if device.removed_at and device.removed_at < as_of:
            yield "ownership", {"termination"}, device.removed_at, False
