"""The simulated platform's customer club: points and tiers, subscriptions, the use of devices; its catalogue; the market."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from lifehouse.demo.engage_story import PLANS, Story
from lifehouse.demo.engage_web import Record, Versions, member_id
from lifehouse.demo.nights import BEGIN, END

POINTS_A_BASKET = 10
#: From how many points earned in all a tier begins.
TIERS = {"silver": 250, "gold": 700}
_PRODUCTS = (
    (1, "Fresh box, small", "Boxes", 29.0, 19.5),
    (2, "Fresh box, family", "Boxes", 54.0, 37.0),
    (3, "Fresh box, plus", "Boxes", 79.0, 52.0),
    (4, "Smart grill", "Devices", 149.0, 96.0),
)
_QUARTER = 90  # days between two statements
#: Of the statements with points so many are put right the day after; the place of those entries among a member's.
_PUT_RIGHT, _PUT_RIGHT_FROM = 0.04, 90


def catalogue() -> Versions:
    """One record a product of the club, in USD."""
    return [
        [
            {
                "product_id": number,
                "name": name,
                "category": category,
                "unit_price": price,
                "unit_cost": cost,
                "currency": "USD",
                "updated_at": BEGIN,
            }
        ]
        for number, name, category, price, cost in _PRODUCTS
    ]


def market() -> Versions:
    """One record a figure of a week: the market's price index and a competitor's price of a family box."""
    dice, found, index = Random("engage market"), [], 100.0  # noqa: S311
    for week in range(52):
        at = BEGIN + timedelta(weeks=week, hours=8)
        index *= 1 + dice.uniform(-0.006, 0.009)
        for place, (name, competitor, value, unit) in enumerate(
            (
                ("price index", None, round(index, 1), "points"),
                ("family box price", "Greenbasket", round(dice.uniform(47, 56), 2), "USD"),
            )
        ):
            found.append(
                [
                    {
                        "figure_id": week * 10 + place,
                        "indicator": name,
                        "market": "US Midwest",
                        "competitor": competitor,
                        "category": "Boxes" if competitor else None,
                        "value": value,
                        "unit": unit,
                        "measured_at": at,
                        "updated_at": at,
                    }
                ]
            )
    return found


def loyalty(stories: list[Story]) -> Versions:
    """One record an entry: every quarter the points of the baskets since, their use, and the tier that they reach."""
    return [[entry] for story in stories for entry in _entries(story)]


def _entries(story: Story) -> Iterator[Record]:
    dice, total, tiers = story.dice("loyalty"), 0, list(TIERS.items())
    fixed, quarter, balance = story.dice("points put right"), 0, 0
    since = max(story.known_at, BEGIN)
    at, place = since + timedelta(days=dice.uniform(0, _QUARTER)), 0
    while at < END:
        baskets = sum(since <= basket < at for basket in story.baskets)
        points = baskets * POINTS_A_BASKET
        total += points
        entries: list[tuple[str, int | None, str | None]] = [("earned", points, None)] if points else []
        if points and dice.random() < 0.25:
            entries.append(("redeemed", -min(points, 50), None))
        if not points and total and dice.random() < 0.3:
            entries += [("expired", -min(balance, 20), None)] if balance else []
        while tiers and total >= tiers[0][1]:
            entries.append(("tier", None, tiers.pop(0)[0]))
        for kind, amount, tier in entries:
            yield _entry(story, place, kind, amount, tier, at + timedelta(minutes=place % 10))
            place, balance = place + 1, balance + (amount or 0)
        if points and fixed.random() < _PUT_RIGHT:
            right = fixed.choice((-10, 10, 20)) if balance >= 10 else 10
            number, day_after = _PUT_RIGHT_FROM + quarter, at + timedelta(hours=30)
            yield _entry(story, number, "adjusted", right, None, day_after)
            balance += right
        since, at, quarter = at, at + timedelta(days=_QUARTER), quarter + 1


def _entry(story: Story, place: int, kind: str, points: int | None, tier: str | None, at: datetime) -> Record:
    at = at.replace(microsecond=0)
    number = story.contact_id * 100 + place
    told = {"entry_id": number, "member_id": member_id(story), "kind": kind, "points": points, "tier": tier}
    return told | {"entered_at": at, "updated_at": at}


def subscriptions(stories: list[Story]) -> Versions:
    """One record a thing that happened to a subscription."""
    return [[event] for story in stories for event in _events(story) if event["updated_at"] < END]


def _events(story: Story) -> Iterator[Record]:
    term = story.subscription
    if term is None:
        return
    price, month = PLANS[term.plan], timedelta(days=30)
    steps: list[tuple[str, datetime, datetime | None, float | None, str | None]] = [
        ("started", term.started_at, term.started_at + month, price, None),
        *(("renewed", at, at + month, price, None) for at in term.renewals),
    ]
    if term.notice_at:
        announced = term.ends_at or term.notice_at + timedelta(days=45)
        steps.append(("notice_given", term.notice_at, announced, None, term.reason))
    if term.withdrawn_at:
        steps.append(("notice_withdrawn", term.withdrawn_at, None, None, None))
    if term.ends_at:
        steps.append(("ended", term.ends_at, term.ends_at, None, term.reason))
    for place, (event, at, effective, amount, reason) in enumerate(sorted(steps, key=lambda step: step[1])):
        yield {
            "event_id": story.contact_id * 100 + place,
            "subscription_id": story.contact_id,
            "member_id": member_id(story),
            "product_id": 1 + list(PLANS).index(term.plan),
            "plan": term.plan,
            "event": event,
            "effective_at": effective,
            "amount": amount,
            "currency": "USD",
            "reason": reason,
            "occurred_at": at,
            "updated_at": at,
        }


def usage(stories: list[Story]) -> Versions:
    """One record a use of a device: installed, used, looked after, upgraded, removed."""
    return [[use] for story in stories for use in _uses(story) if use["updated_at"] < END]


def _uses(story: Story) -> Iterator[Record]:
    device = story.device
    if device is None:
        return
    steps: list[tuple[str, datetime | None]] = [("installed", device.installed_at)]
    steps += [("used", at) for at in device.used]
    steps += [
        ("maintained", device.maintained_at),
        ("upgraded", device.upgraded_at),
        ("removed", device.removed_at),
    ]
    ordered = sorted(((at, action) for action, at in steps if at is not None))
    for place, (at, action) in enumerate(ordered):
        yield {
            "usage_id": story.contact_id * 100 + place,
            "member_id": member_id(story),
            "product_id": 4,
            "action": action,
            "feature": "programme" if action == "used" else None,
            "minutes": 20 + (story.contact_id + 7 * place) % 90 if action == "used" else None,
            "used_at": at,
            "updated_at": at,
        }
