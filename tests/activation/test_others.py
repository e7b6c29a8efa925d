"""Permission is judged again whenever anybody else has written since the plan, whatever it was; and only then."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fault_receiver import Receiver
from world import World

from lifehouse.activation import delivery, picks, run, suppressions
from lifehouse.activation.declaration import find_sync
from lifehouse.activation.outbox import Outbox
from lifehouse.activation.steps import Step


def suppress(world: World, kind: str, who: str) -> None:
    suppressions.add(world.ctx, kind, [who], reason="asked us to", author="ann")


def leave_out(world: World, who: str) -> None:
    order = find_sync(world.ctx.project, "push")
    picks.pick(world.ctx, order, who, is_in=False, reason="asked us to", author="ann")


#: Whatever permission reads, changed by whoever may change it.
CHANGES: dict[str, Callable[[World, str], object]] = {
    "consent": lambda world, who: world.consent(who, "withdrawn"),
    "decision": lambda world, who: world.sql(
        "insert into marts.consents values (%s, 'email', 'marketing', 'withdrawn', '2017-03-01')", who
    ),
    "no decision": lambda world, who: world.sql("delete from marts.consents where customer_id = %s", who),
    "customer": lambda world, who: world.sql("delete from marts.customers where customer_id = %s", who),
    "list": lambda world, who: suppress(world, "customer", who),
    "list of addresses": lambda world, who: suppress(world, "email", f"{who}@example.com"),
    "identifier": lambda world, who: world.sql(
        "insert into marts.customer_identifiers values (%s, 'email', 'listed@example.com')", who
    ),
    "merge": lambda world, who: world.sql("insert into marts.customer_merges values ('listed', %s)", who),
    "pick": leave_out,
}


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many batches each claim judged again."""
    asked: list[int] = []
    barred = Outbox._barred

    def told(self, cursor, batches):
        asked.append(len(batches))
        return barred(self, cursor, batches)

    monkeypatch.setattr(Outbox, "_barred", told)
    return asked


def test_each_source_of_permission_that_changes_after_the_plan_is_obeyed(
    world: World, receiver: Receiver, judged: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.people(len(CHANGES))
    suppress(world, "email", "listed@example.com")
    suppress(world, "customer", "listed")
    customers = [f"c{number:04d}" for number in range(1, len(CHANGES) + 1)]
    world.leave(customers)
    for who, (name, change) in zip(customers, CHANGES.items(), strict=True):
        world.join([who])
        with monkeypatch.context() as patched:
            patched.setattr(
                run, "checkpoint", lambda step, do=change, who=who: step == Step.PLANNED and do(world, who)
            )
            done = world.sync()
        assert (done.adds, done.withdrawn, receiver.keys("push")) == (1, 1, set()), name
        world.leave([who])
    assert sum(judged) == len(CHANGES)


def test_what_was_written_before_the_plan_and_committed_after_it_is_obeyed(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.people(2)
    with world.ctx.warehouse.connect() as other:
        other.execute("delete from marts.consents where customer_id = 'c0002'")
        monkeypatch.setattr(run, "checkpoint", lambda step: step == Step.PLANNED and other.commit())
        assert world.sync().withdrawn == 1
    assert receiver.keys("push") == {"c0001@example.com"}


def test_what_changes_while_sending_is_obeyed_by_what_is_claimed_afterwards(
    world: World, receiver: Receiver, judged: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.people(40)
    world.declare(sending={"batch_size": 1, "in_flight": 1})
    told = []

    def checkpoint(step: Step) -> None:
        if step == Step.CLAIMED and not told:
            told.append(step)
            world.consent("c0040", "withdrawn")

    monkeypatch.setattr(delivery, "checkpoint", checkpoint)
    done = world.sync()
    assert (done.confirmed, done.withdrawn) == (39, 1)
    assert "c0040@example.com" not in receiver.keys("push")
    assert sum(judged) >= 40 - 8, "all that was claimed later"


def test_nothing_is_judged_twice_where_nobody_else_wrote(
    world: World, receiver: Receiver, judged: list[int]
) -> None:
    people = world.people(250)
    receiver.refuse = lambda action, key, fields: "no such mailbox" if key == people[7] else None
    world.declare(sending={"batch_size": 10, "in_flight": 2})
    for number in range(5):  # the server's own housekeeping writes as well, now and then
        judged.clear()
        world.sql("update marts.customers set first_name = %s", f"Anna {number}")
        assert world.sync().confirmed == 249
        if not sum(judged):
            break
    assert sum(judged) == 0


def test_a_record_that_somebody_wrote_by_hand_meanwhile_holds_up_no_sync(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = world.people(3)

    def checkpoint(step: Step) -> None:
        if step == Step.PLANNED:
            world.sql(
                "insert into activation.records (account, sync, record_key, customer_id) "
                "values ('receiver', 'push', %s, 'c0002')",
                people[1],
            )

    monkeypatch.setattr(run, "checkpoint", checkpoint)
    assert world.sync().confirmed == 3
    monkeypatch.undo()
    assert world.sync().calls == 0
    held = "select count(*) from activation.records where field_hash is not null"
    assert world.ctx.warehouse.value(held) == 3
