"""The simulated platform's service: who was asked, why people left, what they wrote in public, what they cost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from lifehouse.demo.crm_contacts import between, shuffled
from lifehouse.demo.engage_story import Story
from lifehouse.demo.engage_web import Record, Versions, member_id
from lifehouse.demo.nights import END, NIGHTS

#: On each later night the platform takes so many reviews back, as their writers ask.
TAKEN_BACK = 2
_WORDS = {
    5: "Great, every week again.",
    4: "Good value.",
    3: "It is all right.",
    2: "Too dear for what it is.",
    1: "Never again.",
}
#: The share of buyers who bring something back.
_RETURNING = 0.05
_COSTS = {"return": (4, 15), "service call": (6, 30), "delivery": (3, 9), "visit": (25, 60)}


def invitations(stories: list[Story]) -> Versions:
    """One record a request to answer a survey: once a year how likely one recommends us, and why one left."""
    return [[asked] for story in stories for asked, _ in _surveys(story)]


def answers(stories: list[Story]) -> Versions:
    """One record an answer to why one left; the CRM has the answers to the other surveys."""
    return [
        [answer]
        for story in stories
        for _, answer in _surveys(story)
        if answer and answer["updated_at"] < END
    ]


def _surveys(story: Story) -> Iterator[tuple[Record, Record | None]]:
    if not story.baskets:
        return
    dice = story.dice("surveys")
    asked = {
        "invitation_id": story.contact_id * 10,
        "member_id": member_id(story),
        "survey": "nps",
        "channel": dice.choice(("email", "sms")),
        "invited_at": between(dice, story.known_at, END),
    }
    yield asked | {"updated_at": asked["invited_at"]}, None
    if story.left_because:
        at = (story.baskets[-1] + timedelta(days=72)).replace(microsecond=0)
        if at >= END:
            return
        asked = asked | {"invitation_id": story.contact_id * 10 + 1, "survey": "leaving", "channel": "email"}
        told = between(dice, at, at + timedelta(days=6))
        answer = {
            "answer_id": story.contact_id,
            "invitation_id": asked["invitation_id"],
            "member_id": member_id(story),
            "survey": "leaving",
            "reason": story.left_because,
            "comment": "Not for me any more." if dice.random() < 0.3 else None,
            "answered_at": told,
            "updated_at": told,
        }
        yield asked | {"invited_at": at, "updated_at": at}, answer if dice.random() < 0.6 else None


def reviews(stories: list[Story]) -> Versions:
    """The versions of each review; on each later night some are taken back."""
    made = [[review] for story in stories for review in _reviews(story)]
    old = [one for one in made if one[0]["reviewed_at"] < NIGHTS[0] - timedelta(days=3)]
    old.sort(key=lambda one: shuffled(one[0]["review_id"]))
    for number, night in enumerate(NIGHTS[1:]):
        for minute, one in enumerate(old[number * TAKEN_BACK : (number + 1) * TAKEN_BACK]):
            at = night - timedelta(hours=5, minutes=minute)
            one.append(one[0] | {"is_removed": True, "updated_at": at})
    return made


def _reviews(story: Story) -> Iterator[Record]:
    dice = story.dice("reviews")
    if not story.baskets or dice.random() > (0.6 if story.is_advocate else 0.15):
        return
    stars = dice.choices((5, 4, 3, 2, 1), (6, 3, 1, 0, 0) if story.is_advocate else (3, 3, 2, 1, 1))[0]
    at = between(dice, max(story.known_at, story.baskets[0]), END)
    yield {
        "review_id": story.contact_id,
        "member_id": member_id(story),
        "product_id": 1 + dice.randrange(4) if dice.random() < 0.7 else None,
        "place": dice.choice(("website", "portal")),
        "stars": stars,
        "comment": _WORDS[stars] if dice.random() < 0.6 else None,
        "is_removed": False,
        "reviewed_at": at,
        "updated_at": at,
    }


def costs(stories: list[Story]) -> Versions:
    """One record an expense that one person caused, in USD."""
    return [[cost] for story in stories for cost in _costs(story)]


def _costs(story: Story) -> Iterator[Record]:
    dice = story.dice("costs")
    for place in range(dice.choices((0, 1, 2, 6), (60, 25, 13, 2))[0]):
        kind = dice.choice(tuple(_COSTS))
        at = between(dice, story.known_at, END)
        yield {
            "cost_id": story.contact_id * 10 + place,
            "member_id": member_id(story),
            "kind": kind,
            "amount": round(dice.uniform(*_COSTS[kind]), 2),
            "currency": "USD",
            "incurred_at": at,
            "updated_at": at,
        }


def returns(stories: list[Story]) -> Versions:
    """One record a purchase that the service desk took back, with the money given back for it, in USD."""
    return [[taken_back] for story in stories for taken_back in _returns(story)]


def _returns(story: Story) -> Iterator[Record]:
    dice = story.dice("returns")
    if not story.baskets or dice.random() >= _RETURNING:
        return
    at = between(dice, min(story.baskets) + timedelta(days=1), END)
    if at < END:
        yield {
            "return_id": story.contact_id,
            "member_id": member_id(story),
            "amount": round(dice.uniform(2, 20), 2),
            "currency": "USD",
            "returned_at": at,
            "updated_at": at,
        }
