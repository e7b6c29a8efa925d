"""One sender per platform account, whoever asks."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from fault_receiver import Receiver
from world import World

from lifehouse.activation.run import SyncResult
from lifehouse.activation.sender import sender
from lifehouse.errors import SyncRefused


def test_two_syncs_at_once_send_everything_once(world: World, receiver: Receiver) -> None:
    people = world.people(100)
    receiver.delay = 0.05
    world.declare(sending={"batch_size": 10, "in_flight": 2})
    results: list[SyncResult] = []
    threads = [threading.Thread(target=lambda: results.append(world.sync())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(result.calls for result in results) == [0, 10]
    assert receiver.keys("push") == set(people)
    assert receiver.most_at_once <= 2


def test_a_sync_does_not_wait_for_ever_for_the_account(world: World) -> None:
    with (
        sender(world.ctx.warehouse, "receiver"),
        pytest.raises(SyncRefused, match="another sync has been sending to account 'receiver'"),
        sender(world.ctx.warehouse, "receiver", timedelta(milliseconds=100)),
    ):
        pass


def test_other_accounts_do_not_wait(world: World) -> None:
    with (
        sender(world.ctx.warehouse, "receiver"),
        sender(world.ctx.warehouse, "other", timedelta(milliseconds=100)) as held,
    ):
        assert held.account == "other"


def test_no_transaction_is_open_while_the_platform_is_spoken_to(world: World, receiver: Receiver) -> None:
    world.people(1)
    states: list[str] = []

    def look(action: str, key: str, fields: object) -> None:
        query = "select state from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        states.extend(row["state"] for row in world.ctx.warehouse.rows(query))

    receiver.refuse = look
    world.sync()
    assert set(states) == {"idle"}
    assert len(states) >= 2
