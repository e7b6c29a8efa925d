"""After any history, the platform holds exactly segment ∩ consented − suppressed − held out."""

from __future__ import annotations

import contextlib
import os
import random

import pytest
from fault_receiver import Fault, Receiver
from world import World

from lifehouse.activation import suppressions
from lifehouse.activation.steps import Step

PEOPLE = 24
ROUNDS = 6
OWN = "own@platform.example"


def in_a_process_that_may_be_killed(world: World, step: str | None, *, only_failed: bool) -> None:
    """Sync in a fork, which is killed at ``step``; it ends without this process noticing how."""
    child = os.fork()
    if child == 0:
        os.environ["LIFEHOUSE_CRASH_AT"] = step or ""
        with contextlib.suppress(BaseException):
            world.sync(only_failed=only_failed)
        os._exit(0)
    os.waitpid(child, 0)


class History:
    """A random life of a company, a platform and an engine, reproducible by its seed."""

    def __init__(self, world: World, receiver: Receiver, seed: int) -> None:
        self.world, self.receiver = world, receiver
        self.random = random.Random(seed)
        self.customers = [f"c{number:04d}" for number in range(1, PEOPLE + 1)]
        self.blocked: set[str] = set()
        self.suppressed: set[str] = set()
        receiver.refuse = lambda action, key, fields: "blocked" if key in self.blocked else None
        receiver.refuse_batch = lambda request: any(
            fields["fields"].get("stage") == "poison"
            for action, fields in request.rows
            if action != "removes"
        )
        receiver.held["push"] = {OWN: {}}

    def some(self) -> list[str]:
        return self.random.sample(self.customers, self.random.randint(0, 6))

    def change_the_company(self) -> None:
        world = self.world
        world.leave(self.some())
        world.join(self.some())
        for customer in self.some():
            world.consent(customer, self.random.choice(["granted", "withdrawn"]))
        for customer in self.some()[:2]:
            self._suppress_or_lift(customer)
        stage = self.random.choice(["new", "active", "loyal", "poison"])
        world.sql(
            "update marts.customers set status_stage = %s where customer_id = any(%s)", stage, self.some()[:3]
        )
        world.publish()

    def _suppress_or_lift(self, customer: str) -> None:
        ctx, address = self.world.ctx, f"{customer.upper()}@example.com"
        if customer in self.suppressed:
            suppressions.lift(ctx, "email", [address], author="ann")
        else:
            suppressions.add(ctx, "email", [address], reason="asked us to", author="ann")
        self.suppressed ^= {customer}

    def disturb_the_platform(self) -> None:
        self.blocked = {f"{customer}@example.com" for customer in self.some()[:3]}
        faults = [
            Fault(),
            Fault(429),
            Fault(500),
            Fault(500, applied=True),
            Fault(reset=True),
            Fault(reset=True, applied=True),
        ]
        self.receiver.faults.extend(self.random.choices(faults, k=self.random.randint(0, 5)))

    def sync(self) -> None:
        """Sync, perhaps killed at a step."""
        step = self.random.choice([None, *Step])
        in_a_process_that_may_be_killed(self.world, step, only_failed=self.random.random() < 0.2)

    def heal(self) -> None:
        self.blocked = set()
        self.receiver.faults.clear()
        self.world.sql("update marts.customers set status_stage = 'active' where status_stage = 'poison'")
        self.world.sync()
        self.world.sync(only_failed=True)
        self.world.sync()

    def expected(self) -> dict[str, str]:
        rows = self.world.ctx.warehouse.rows(
            """
            select email, status_stage from marts.segment_members
            inner join marts.customers using (customer_id)
            inner join marts.consents using (customer_id)
            where segment = 'champions' and status = 'granted' and customer_id not in (
                select customer_id from activation.holdouts where arm = 'holdout'
            )
            """
        )
        suppressed = {f"{customer}@example.com" for customer in self.suppressed}
        return {row["email"]: row["status_stage"] for row in rows if row["email"] not in suppressed}

    def held(self) -> dict[str, str]:
        return {key: fields["stage"] for key, fields in self.receiver.held["push"].items() if key != OWN}


@pytest.mark.parametrize("seed", range(8))
def test_after_any_history_the_platform_holds_exactly_who_it_should(
    world: World, receiver: Receiver, seed: int
) -> None:
    world.people(PEOPLE)
    world.declare(
        holdout={"share": 0.2, "salt": str(seed)},
        sending={"batch_size": 5, "in_flight": 2, "attempts": 3, "backoff": "1ms"},
        guards={"max_refused": 1.0, "max_growth": None, "max_shrink": None},
    )
    history = History(world, receiver, seed)
    for _ in range(ROUNDS):
        history.change_the_company()
        history.disturb_the_platform()
        history.sync()
        unsettled = world.ctx.warehouse.value(
            "select count(*) from activation.batches where status in ('ready', 'sent')"
        )
        assert bool(unsettled) == bool(world.open_rows())
        assert not world.ctx.warehouse.rows(
            "select record_key from activation.outbox where settled_at is null group by record_key having count(*) > 1"
        )
    history.heal()
    assert history.held() == history.expected()
    assert OWN in receiver.held["push"]
    known = world.ctx.warehouse.rows("select record_key from activation.records where field_hash is not null")
    assert {row["record_key"] for row in known} == set(history.held())
    assert world.open_rows() == 0
    assert world.sync().calls == 0
