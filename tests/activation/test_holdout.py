"""Who is deliberately not touched."""

from __future__ import annotations

import hashlib

from fault_receiver import Receiver
from world import World


def held_out(world: World) -> set[str]:
    rows = world.ctx.warehouse.rows("select customer_id from activation.holdouts where arm = 'holdout'")
    return {row["customer_id"] for row in rows}


def test_a_share_drawn_by_a_salted_hash_is_never_sent(world: World, receiver: Receiver) -> None:
    people = world.people(400)
    world.declare(holdout={"share": 0.25, "salt": "spring"})
    result = world.sync()

    def bucket(customer: str) -> float:
        return int(hashlib.sha256(f"spring:{customer}".encode()).hexdigest()[:8], 16) / 2**32

    expected = {key[:5] for key in people if bucket(key[:5]) < 0.25}
    assert held_out(world) == expected
    assert 70 < len(expected) < 130
    assert receiver.keys("push") == {key for key in people if key[:5] not in expected}
    assert result.held_out == len(expected)


def test_a_draw_is_kept_when_the_share_changes_and_people_come_back(world: World) -> None:
    world.people(200)
    world.declare(holdout={"share": 0.2})
    world.sync()
    before = held_out(world)
    world.leave(sorted(before)[:5])
    world.declare(holdout={"share": 0.9})
    world.sync()
    world.join(sorted(before)[:5])
    world.sync()
    assert held_out(world) == before


def test_exposure_is_logged_for_both_arms_when_it_happens(world: World, receiver: Receiver) -> None:
    world.people(100)
    world.declare(holdout={"share": 0.3})
    world.sync()
    exposed = "select customer_id, arm from activation.exposures"
    assert {
        row["customer_id"] for row in world.ctx.warehouse.rows(exposed) if row["arm"] == "holdout"
    } == held_out(world)
    assert len(world.ctx.warehouse.rows(exposed)) == 100


def test_one_whom_the_platform_refused_was_not_exposed(world: World, receiver: Receiver) -> None:
    world.people(100)
    world.declare(holdout={"share": 0.3})
    receiver.refuse = lambda action, key, fields: "blocked"
    world.sync()
    assert world.ctx.warehouse.value("select count(*) from activation.exposures where arm = 'treatment'") == 0


def test_those_without_consent_are_in_neither_arm(world: World) -> None:
    world.people(50)
    world.sql("update marts.consents set status = 'withdrawn' where customer_id <= 'c0020'")
    world.declare(holdout={"share": 0.5})
    world.sync()
    assert world.ctx.warehouse.value("select count(*) from activation.holdouts") == 30


def test_who_was_reached_before_cannot_become_a_holdout(world: World, receiver: Receiver) -> None:
    people = world.people(50)
    world.sync()
    world.declare(holdout={"share": 0.9})
    assert world.sync().calls == 0
    assert receiver.keys("push") == set(people)
