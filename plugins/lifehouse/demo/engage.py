"""The simulated engagement platform: website and app, advertising, mailings, sales desk, service and customer club.

A seeded simulator of the project's own: everything it tells is invented. It names people by a member number of its own
and tells the CRM's contact number with it. The same households give the same platform, always; each table draws from
streams of its own, so that a further one changes none of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from lifehouse.demo.crm import World, baskets_of
from lifehouse.demo.crm_contacts import contacts
from lifehouse.demo.engage_club import catalogue, loyalty, market, subscriptions, usage
from lifehouse.demo.engage_mail import campaigns, messages, offers, redemptions
from lifehouse.demo.engage_sales import follow_ups, opportunities, referrals
from lifehouse.demo.engage_service import answers, costs, invitations, returns, reviews
from lifehouse.demo.engage_story import Story, tell
from lifehouse.demo.engage_web import interactions, members

#: The tables, each with its key.
KEYS = {
    "members": "member_id",
    "interactions": "interaction_id",
    "campaigns": "campaign_id",
    "messages": "event_id",
    "offers": "offer_id",
    "redemptions": "redemption_id",
    "opportunities": "opportunity_id",
    "follow_ups": "follow_up_id",
    "invitations": "invitation_id",
    "answers": "answer_id",
    "reviews": "review_id",
    "costs": "cost_id",
    "returns": "return_id",
    "loyalty": "entry_id",
    "referrals": "referral_id",
    "subscriptions": "event_id",
    "usage": "usage_id",
    "catalogue": "product_id",
    "market": "figure_id",
}
_TELLERS = {
    "members": members,
    "interactions": interactions,
    "messages": messages,
    "offers": offers,
    "redemptions": redemptions,
    "opportunities": opportunities,
    "follow_ups": follow_ups,
    "invitations": invitations,
    "answers": answers,
    "reviews": reviews,
    "costs": costs,
    "returns": returns,
    "loyalty": loyalty,
    "referrals": referrals,
    "subscriptions": subscriptions,
    "usage": usage,
}


def stories(households: Iterable[int] | None = None) -> dict[int, Story]:
    """What is true, by CRM contact number (second records of a person left out). None: all households."""
    baskets = baskets_of(households)
    return tell(contacts({household: times[0] for household, times in baskets.items()}), baskets)


@cache
def _everybody() -> dict[int, Story]:
    return {story.number: story for story in stories().values()}


def story(number: int) -> Story:
    """What is true about one person of :mod:`lifehouse.demo.people` whom the platform knows.

    :raises KeyError: the platform does not know the person.
    """
    return _everybody()[number]


def build(households: Iterable[int] | None = None) -> World:
    """The platform for the shop's households (None: all), with the CRM's leads. Some two seconds for all of them."""
    everybody = list(stories(households).values())
    tables = {table: teller(everybody) for table, teller in _TELLERS.items()}
    tables |= {"campaigns": campaigns(), "catalogue": catalogue(), "market": market()}
    return World({table: tables[table] for table in KEYS}, KEYS)
