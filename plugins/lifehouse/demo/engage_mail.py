"""The simulated platform's campaigns, messages and personal offers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from lifehouse.demo.crm_contacts import between
from lifehouse.demo.engage_story import Story
from lifehouse.demo.engage_web import Record, Versions, member_id
from lifehouse.demo.nights import BEGIN, END

#: Mailings that a moment in somebody's life sets off, and advertisements; with the year's cost in USD.
_CAMPAIGNS = (
    (11, "Welcome", "email", "triggered", 300.0),
    (12, "Recipes of the week", "email", "triggered", 900.0),
    (13, "Your coupons", "sms", "triggered", 1_200.0),
    (14, "We miss you", "email", "triggered", 400.0),
    (101, "Fresh box, search ads", "paid", "advertising", 21_000.0),
    (102, "Brand on search engines", "search", "advertising", 6_000.0),
    (103, "Recipes on social networks", "social", "advertising", 9_500.0),
)
#: What an offer of a kind is worth, in USD.
_WORTH = {"coupon": 5.0, "trial": 12.0, "gift": 8.0, "discount": 3.0}


def campaigns() -> Versions:
    """One record a campaign; all run all year."""
    return [
        [
            {
                "campaign_id": number,
                "name": name,
                "channel": channel,
                "kind": kind,
                "starts_at": BEGIN,
                "ends_at": END,
                "cost": cost,
                "currency": "USD",
                "updated_at": BEGIN,
            }
        ]
        for number, name, channel, kind, cost in _CAMPAIGNS
    ]


def messages(stories: list[Story]) -> Versions:
    """One record a thing that happened to a message."""
    return [[event] for story in stories for event in _of(story)]


def _of(story: Story) -> Iterator[Record]:
    dice, place = story.dice("messages"), 0
    sent = [(11, story.known_at + timedelta(hours=1))]
    sent += [
        (12, between(dice, story.known_at, END))
        for _ in range(dice.choices((0, 1, 2, 3), (50, 25, 15, 10))[0])
    ]
    if story.baskets and dice.random() < 0.3:
        sent.append((13, between(dice, story.known_at, END)))
    if story.left_because and dice.random() < 0.8:
        sent.append((14, story.baskets[-1] + timedelta(days=70)))
    for number, (campaign, at) in enumerate(sorted(sent, key=lambda one: one[1])):
        steps: list[tuple[str, float, str | None]] = [("sent", 0.0, None)]
        luck = dice.random()
        if luck < 0.02:
            steps.append(("bounced", 0.01, "hard" if luck < 0.01 else "soft"))
        else:
            steps.append(("delivered", 0.01, None))
            if dice.random() < 0.4:
                opened = dice.uniform(0.1, 20)
                steps.append(("opened", opened, None))
                if dice.random() < 0.25:
                    steps.append(("clicked", opened + 0.05, dice.choice(("recipe", "offer", "account"))))
                if dice.random() < 0.02:
                    steps.append(("unsubscribed", opened + 0.1, None))
            elif dice.random() < 0.004:
                steps.append(("complained", 2.0, None))
        for event, hours, detail in steps:
            when = (at + timedelta(hours=hours)).replace(microsecond=0)
            if when >= END:
                break
            yield {
                "event_id": story.contact_id * 100 + place,
                "message_id": story.contact_id * 10 + number,
                "member_id": member_id(story),
                "campaign_id": campaign,
                "channel": "sms" if campaign == 13 else "email",
                "event": event,
                "detail": detail,
                "occurred_at": when,
                "updated_at": when,
            }
            place += 1


def offers(stories: list[Story]) -> Versions:
    """One record an offer to one person, with whether it was taken back."""
    return [[offer] for story in stories for offer, _ in _offers(story)]


def redemptions(stories: list[Story]) -> Versions:
    """One record an offer that was used."""
    return [
        [
            {
                "redemption_id": offer["offer_id"],
                "offer_id": offer["offer_id"],
                "member_id": offer["member_id"],
                "kind": offer["kind"],
                "value": offer["value"],
                "currency": "USD",
                "redeemed_at": used,
                "updated_at": used,
            }
        ]
        for story in stories
        for offer, used in _offers(story)
        if used is not None and used < END
    ]


def _offers(story: Story) -> Iterator[tuple[dict[str, Any], datetime | None]]:
    dice = story.dice("offers")
    for place in range(dice.choices((0, 1, 2), (60, 30, 10))[0]):
        at = between(dice, story.known_at, END)
        kind = dice.choice(tuple(_WORTH))
        used = between(dice, at + timedelta(hours=4), at + timedelta(days=21))
        takes = dice.random() < (0.45 if story.baskets else 0.12)
        yield (
            {
                "offer_id": story.contact_id * 10 + place,
                "member_id": member_id(story),
                "campaign_id": 14 if story.left_because else 12,
                "kind": kind,
                "name": f"{kind.title()} for you",
                "value": _WORTH[kind],
                "currency": "USD",
                "offered_at": at,
                "ends_at": at + timedelta(days=21),
                "updated_at": at,
            },
            used if takes else None,
        )
