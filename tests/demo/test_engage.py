"""The simulated engagement platform fills every table, and tells of each person what is true of them."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import pytest

from lifehouse.demo import crm, engage
from lifehouse.demo.engage_story import Story
from lifehouse.demo.engage_web import member_id
from lifehouse.demo.nights import NIGHTS

Tables = dict[str, list[dict[str, Any]]]
SOME = range(1, 400)


@pytest.fixture(scope="module")
def world() -> crm.World:
    return engage.build(SOME)


@pytest.fixture(scope="module")
def last(world: crm.World) -> Tables:
    return world.at(NIGHTS[-1])


@pytest.fixture(scope="module")
def stories() -> dict[int, Story]:
    return {member_id(story): story for story in engage.stories(SOME).values()}


def test_every_table_has_rows_and_each_later_night_brings_some(world: crm.World, last: Tables) -> None:
    assert min(map(len, last.values())) > 0
    nights = [world.at(night) for night in NIGHTS]
    for before, after in itertools.pairwise(nights):
        assert len(after["interactions"]) > len(before["interactions"])
    for table, versions in world.tables.items():
        keys = [records[0][engage.KEYS[table]] for records in versions]
        assert len(set(keys)) == len(keys), table
        assert not any(record["updated_at"].microsecond for records in versions for record in records), table


def test_what_is_told_of_a_person_does_not_depend_on_who_else_is_there(last: Tables) -> None:
    fewer = engage.build(range(1, 200)).at(NIGHTS[-1])
    for table in ("interactions", "messages", "offers", "opportunities", "loyalty", "subscriptions", "usage"):
        people = {record["member_id"] for record in fewer["members"]}
        told = [record for record in last[table] if record["member_id"] in people]
        assert told == [record for record in fewer[table] if record["member_id"] in people], table


def test_a_cookie_belongs_to_one_person_and_is_named_only_once_they_are_known(
    last: Tables, stories: dict[int, Story]
) -> None:
    owner = {story.cookie: story for story in stories.values()}
    named, early, strangers = set(), 0, set()
    for hit in last["interactions"]:
        if hit["cookie"] is None:
            assert hit["member_id"] is not None
        elif hit["cookie"] not in owner:
            strangers.add(hit["cookie"])
            assert hit["member_id"] is None
        else:
            story = owner[hit["cookie"]]
            early += hit["occurred_at"] < story.known_at
            if hit["member_id"] is not None:
                assert stories[hit["member_id"]] is story
                assert hit["occurred_at"] >= story.known_at
                named.add(hit["cookie"])
    assert early > 50
    assert len(strangers) > 500
    known = {story.cookie for story in stories.values() if story.is_named and story.known_at < NIGHTS[-1]}
    assert len(named) / len(known) > 0.99


def test_a_subscriptions_events_are_those_of_its_story(last: Tables, stories: dict[int, Story]) -> None:
    told: dict[int, Counter[str]] = {}
    for event in last["subscriptions"]:
        told.setdefault(event["member_id"], Counter())[event["event"]] += 1
    states = Counter()
    for member, story in stories.items():
        term = story.subscription
        if term is None or term.started_at >= NIGHTS[-1]:
            assert member not in told
            continue
        events = told[member]
        given = term.notice_at is not None and term.notice_at < NIGHTS[-1]
        ended = term.ends_at is not None and term.ends_at < NIGHTS[-1]
        assert events["started"] == 1
        assert events["notice_given"] == given
        assert events["ended"] == ended
        assert events["renewed"] == sum(at < NIGHTS[-1] for at in term.renewals)
        states["ended" if ended else "notice" if given and not term.withdrawn_at else "running"] += 1
    assert set(states) == {"ended", "notice", "running"}, "each state of a contract is somebody's"


def test_who_recommends_was_known_before_who_was_recommended(last: Tables, stories: dict[int, Story]) -> None:
    assert {bool(referral["converted_at"]) for referral in last["referrals"]} == {True, False}
    for referral in last["referrals"]:
        advocate, friend = stories[referral["member_id"]], stories[referral["referred_id"]]
        assert advocate.is_advocate
        assert advocate.known_at < friend.known_at == referral["referred_at"]
        if referral["converted_at"]:
            assert any(basket.replace(microsecond=0) == referral["converted_at"] for basket in friend.baskets)


def test_a_story_can_be_asked_for_by_person(stories: dict[int, Story]) -> None:
    for told in list(stories.values())[:20]:
        assert engage.story(told.number) == told


def test_nobody_has_fewer_points_than_none(last: Tables) -> None:
    balances: Counter[int] = Counter()
    for entry in sorted(last["loyalty"], key=lambda entry: (entry["entered_at"], entry["entry_id"])):
        balances[entry["member_id"]] += entry["points"] or 0
        assert balances[entry["member_id"]] >= 0
    assert {entry["kind"] for entry in last["loyalty"]} == {
        "earned",
        "redeemed",
        "expired",
        "adjusted",
        "tier",
    }
