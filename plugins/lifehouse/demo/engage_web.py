"""The simulated platform's members and their interactions: website, app, advertising, social networks, calls, chats.

A member is known by a cookie from the first hit that was made while logged in; what was done before carries the cookie
alone. Two in five hits are made without logging in. Some visitors never say who they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from lifehouse.demo.crm_contacts import between, shuffled
from lifehouse.demo.engage_story import Story
from lifehouse.demo.nights import BEGIN, END, midnight

Record = dict[str, Any]
Versions = list[list[Record]]
STRANGERS = 1_500
MEDIA = {
    "search": "organic",
    "paid": "cpc",
    "social": "social",
    "email": "mail",
    "content": "article",
    "referral": "link",
}
#: What ads are shown for, by channel; see the campaigns of the platform.
ADS = {"paid": 101, "search": 102, "social": 103}
_YEAR = midnight(END.date().replace(year=2017, month=1, day=2))
_PAGES = ("home", "recipes", "offers", "stores", "boxes", "grill")
_SOCIAL = ("like", "comment", "share", "follow")
#: Numbers of households and companies among the members', and from which contact on the CRM's are leads.
FIRST_GROUP, FIRST_LEAD_CONTACT = 540_000, 30_000
_KIND_OF_GROUP = {False: "household", True: "account"}
_TOPICS = ("order", "delivery", "subscription", "card", "product")


def members(stories: list[Story]) -> Versions:
    """One record a person whom the platform knows, from some minutes after the CRM knew them; and one a household or
    company that some of them shop for."""
    groups = {
        group: _KIND_OF_GROUP[story.contact_id >= FIRST_LEAD_CONTACT]
        for story in stories
        if (group := group_id(story))
    }
    return [
        *(
            [
                _member(
                    member_id(story),
                    "person",
                    story.known_at + timedelta(minutes=5),
                    story.contact_id,
                    group_id(story),
                )
            ]
            for story in stories
        ),
        *([_member(group, kind, BEGIN)] for group, kind in sorted(groups.items())),
    ]


def _member(
    number: int, kind: str, at: datetime, contact_id: int | None = None, group: int | None = None
) -> Record:
    name = (
        None
        if kind == "person"
        else f"{'Company' if kind == 'account' else 'Household'} {number % FIRST_GROUP}"
    )
    told = {"member_id": number, "contact_id": contact_id, "kind": kind, "name": name, "group_id": group}
    return told | {"joined_at": at, "updated_at": at}


def group_id(story: Story) -> int | None:
    """The number of the household (of a shop's customer) or company (of a lead) that the person belongs to."""
    return None if story.contact_id % 13 else FIRST_GROUP + story.contact_id // 50


def member_id(story: Story) -> int:
    """The number by which the platform knows the person."""
    return 500_000 + story.contact_id


def interactions(stories: list[Story]) -> Versions:
    """One record a hit, impression, click, engagement, call or chat; never changed afterwards."""
    known = [hit for story in stories for hit in _of(story)]
    return [[hit] for hit in known] + [[hit] for number in range(STRANGERS) for hit in _stranger(number)]


def _of(story: Story) -> Iterator[Record]:
    number = story.contact_id * 100
    for place, hit in enumerate((*_before(story), *_visits(story), *_social(story), *_talks(story))):
        if hit["occurred_at"] < END:
            yield {"interaction_id": number + place, **hit}


def _before(story: Story) -> Iterator[Record]:
    """What was done under the cookie before anybody knew who it was, beginning with the advertisement."""
    if story.first_touch is None:
        return
    dice, at = story.dice("before"), story.first_touch
    if story.channel in ADS:
        yield _hit(
            None,
            story.cookie,
            "impression",
            story.channel,
            at - timedelta(minutes=2),
            campaign=ADS[story.channel],
        )
        yield _hit(None, story.cookie, "ad_click", story.channel, at, campaign=ADS[story.channel])
    for _ in range(1 + dice.randrange(3)):
        at = between(dice, at, story.known_at)
        yield _hit(
            None,
            story.cookie,
            "visit",
            story.channel,
            at,
            seconds=dice.randrange(5, 600),
            detail=dice.choice(_PAGES),
        )


def _visits(story: Story) -> Iterator[Record]:
    """The registration, which says whose the cookie is, and later visits with what was looked at and put into the cart."""
    dice, member = story.dice("visits"), member_id(story)
    named = story.is_named
    if named:
        at = story.known_at + timedelta(minutes=7)
        yield _hit(member, story.cookie, "visit", "website", at, seconds=60, detail="registration")
    for _ in range(dice.choices((0, 1, 2, 4, 8), (35, 25, 20, 14, 6))[0]):
        at = between(dice, max(story.known_at + timedelta(hours=1), _YEAR), END)
        who = member if named and dice.random() < 0.6 else None
        page = dice.choice(_PAGES)
        yield _hit(who, story.cookie, "visit", "website", at, seconds=dice.randrange(5, 900), detail=page)
        if dice.random() < 0.5:
            product = 1 + dice.randrange(4)
            at += timedelta(seconds=40)
            yield _hit(
                who, story.cookie, "view", "website", at, product=product, seconds=dice.randrange(3, 200)
            )
            if dice.random() < 0.3:
                yield _hit(who, story.cookie, "cart", "website", at + timedelta(seconds=60), product=product)


def _social(story: Story) -> Iterator[Record]:
    dice = story.dice("social")
    often = 0.5 if story.is_advocate else 0.08
    while dice.random() < often:
        at = between(dice, max(story.known_at, _YEAR), END)
        yield _hit(
            member_id(story), None, "social", "social", at, place="network", detail=dice.choice(_SOCIAL)
        )


def _talks(story: Story) -> Iterator[Record]:
    dice = story.dice("talks")
    for action, channel, often in (
        ("call", "direct_sales", 0.15),
        ("chat", "website", 0.12),
        ("store_visit", "store", 0.06),
    ):
        if dice.random() < often:
            at = between(dice, max(story.known_at, _YEAR), END)
            topic, seconds = dice.choice(_TOPICS), dice.randrange(30, 1500)
            yield _hit(
                member_id(story), None, action, channel, at, place="desk", seconds=seconds, detail=topic
            )


def _stranger(number: int) -> Iterator[Record]:
    """A visitor who never says who it is."""
    dice = Random(f"engage stranger {number}")  # noqa: S311
    cookie, at = f"a{shuffled(number):08x}", between(dice, _YEAR, END)
    channel = dice.choice(tuple(MEDIA))
    hits = []
    if channel in ADS and dice.random() < 0.7:
        hits.append(
            _hit(None, cookie, "impression", channel, at - timedelta(seconds=30), campaign=ADS[channel])
        )
        hits.append(_hit(None, cookie, "ad_click", channel, at - timedelta(seconds=5), campaign=ADS[channel]))
    for _ in range(1 + dice.randrange(3)):
        hits.append(
            _hit(
                None, cookie, "visit", channel, at, seconds=dice.randrange(2, 300), detail=dice.choice(_PAGES)
            )
        )
        at += timedelta(hours=dice.uniform(0.1, 60))
    for place, hit in enumerate(hits):
        if hit["occurred_at"] < END:
            yield {"interaction_id": 100_000_000 + number * 10 + place, **hit}


def _hit(
    member: int | None,
    cookie: str | None,
    action: str,
    channel: str,
    at: datetime,
    *,
    place: str = "website",
    campaign: int | None = None,
    product: int | None = None,
    seconds: int | None = None,
    detail: str | None = None,
) -> Record:
    at = at.replace(microsecond=0)
    return {
        "member_id": member,
        "cookie": cookie,
        "action": action,
        "channel": channel,
        "place": place,
        "medium": MEDIA.get(channel, "direct"),
        "campaign_id": campaign,
        "product_id": product,
        "seconds": seconds,
        "detail": detail,
        "occurred_at": at,
        "updated_at": at,
    }
