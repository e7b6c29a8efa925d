"""The simulated platform's sales desk: opportunities, follow-ups, and who recommended whom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from lifehouse.demo.crm_contacts import between, shuffled
from lifehouse.demo.engage_story import Story
from lifehouse.demo.engage_web import Record, Versions, member_id
from lifehouse.demo.nights import END

_PURPOSES = ("after delivery", "renewal", "complaint", "first box", "tasting")
_OUTCOMES = ("satisfied", "wants an offer", "will think about it", "not reached")
_REWARD = 10.0


def opportunities(stories: list[Story]) -> Versions:
    """The versions of each opportunity: opened, decided."""
    return [_deal(story) for story in stories if story.deal and story.deal.opened_at < END]


def _deal(story: Story) -> list[Record]:
    deal = story.deal
    assert deal is not None  # noqa: S101  the caller chose those with one
    first = {
        "opportunity_id": story.contact_id,
        "member_id": member_id(story),
        "product_id": 1 + story.contact_id % 3,
        "channel": story.channel,
        "stage": "open",
        "amount": deal.amount,
        "currency": "USD",
        "opened_at": deal.opened_at,
        "expected_close_at": deal.opened_at + timedelta(days=45),
        "closed_at": None,
        "outcome": None,
        "reason": None,
        "updated_at": deal.opened_at,
    }
    if deal.closed_at is None or deal.closed_at >= END:
        return [first]
    decided = {"stage": deal.outcome, "outcome": deal.outcome, "reason": deal.reason}
    return [first, first | decided | {"closed_at": deal.closed_at, "updated_at": deal.closed_at}]


def follow_ups(stories: list[Story]) -> Versions:
    """The versions of each planned visit or call: planned, held or not; some are due after the last night."""
    return [versions for story in stories for versions in _follow_ups(story)]


def _follow_ups(story: Story) -> Iterator[list[Record]]:
    dice = story.dice("follow-ups")
    for place in range(dice.choices((0, 1, 2), (75, 18, 7))[0]):
        planned = between(dice, story.known_at, END)
        due = planned + timedelta(days=dice.randrange(1, 30))
        held = between(dice, due - timedelta(hours=4), due + timedelta(days=2))
        first = {
            "follow_up_id": story.contact_id * 10 + place,
            "member_id": member_id(story),
            "channel": dice.choices(("call", "visit", "video", "email"), (60, 20, 10, 10))[0],
            "purpose": dice.choice(_PURPOSES),
            "planned_at": planned,
            "due_at": due,
            "held_at": None,
            "outcome": None,
            "updated_at": planned,
        }
        versions = [first]
        if dice.random() < 0.75 and held < END:
            versions.append(first | {"held_at": held, "outcome": dice.choice(_OUTCOMES), "updated_at": held})
        yield versions


def referrals(stories: list[Story]) -> Versions:
    """The versions of each recommendation: made, the friend bought, the reward was given.

    Advocates recommend people who came by referral, each at most once, before the company knew them.
    """
    friends = [story for story in stories if story.channel == "referral"]
    friends.sort(key=lambda story: shuffled(story.contact_id))
    advocates = [story for story in stories if story.is_advocate]
    found = []
    for place, friend in enumerate(friends):
        earlier = [one for one in advocates if one.known_at < friend.known_at and one is not friend]
        if earlier:
            found.append(_referral(earlier[place % len(earlier)], friend))
    return found


def _referral(advocate: Story, friend: Story) -> list[Record]:
    at = friend.known_at
    first: Record = {
        "referral_id": friend.contact_id,
        "member_id": member_id(advocate),
        "referred_id": member_id(friend),
        "channel": "link" if friend.contact_id % 3 else "card",
        "referred_at": at,
        "converted_at": None,
        "rewarded_at": None,
        "reward": None,
        "currency": "USD",
        "updated_at": at,
    }
    versions: list[Record] = [first]
    bought = next((basket for basket in friend.baskets if basket > at), None)
    if bought:
        bought = bought.replace(microsecond=0)
        rewarded = bought + timedelta(days=3)
        versions.append(first | {"converted_at": bought, "reward": _REWARD, "updated_at": bought})
        if rewarded < END:
            versions.append(versions[-1] | {"rewarded_at": rewarded, "updated_at": rewarded})
    return versions
