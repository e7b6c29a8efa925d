"""The ledger as readers see it: runs, rows, refusals and calls; nobody's key, nobody's id."""

from __future__ import annotations

import pytest
from fault_receiver import Fault, Receiver
from world import World

VIEWS = ("sync_runs", "sync_rows", "sync_calls", "reconciliations")


def test_readers_see_what_syncs_did_and_nobody_in_it(world: World, receiver: Receiver) -> None:
    people = world.people(20)
    world.declare(sending={"batch_size": 5, "in_flight": 1, "backoff": "1ms"})
    receiver.refuse = lambda action, key, fields: (
        f"{key} is blocked" if key in people[:3] else "too young" if key == people[3] else None
    )
    receiver.faults.extend([Fault(429, {"Retry-After": "0"}), Fault(500)])
    world.sync()
    world.consent("c0020", "withdrawn")
    world.leave(["c0019"])
    world.sync()
    read = world.ctx.warehouse.rows

    first, second = read("select * from marts.sync_runs order by sync_run_id")
    assert (first["sync"], first["status"], first["desired"], first["held_before"]) == ("push", "done", 20, 0)
    assert (first["adds"], first["confirmed"], first["refused"], first["calls"]) == (20, 16, 4, 6)
    assert (second["removes"], second["confirmed"], second["waiting"], second["without_consent"]) == (
        2,
        2,
        4,
        1,
    )
    assert first["seconds"] > 0

    rows = read(
        "select sync_run_id, action, status, reason, rows from marts.sync_rows order by 1, 2, 3, rows desc"
    )
    assert [tuple(row.values()) for row in rows] == [
        (1, "add", "confirmed", None, 16),
        (1, "add", "refused", "‹value› is blocked", 3),
        (1, "add", "refused", "too young", 1),
        (2, "remove", "confirmed", None, 2),
    ]

    calls = read("select * from marts.sync_calls where sync_run_id = 1 order by outcome, status_code")
    told = [(row["outcome"], row["status_code"], row["batches"], row["rows"]) for row in calls]
    assert told == [("again", 429, 1, 5), ("again", 500, 1, 5), ("settled", 200, 4, 20)]
    assert 0 < calls[2]["median_ms"] <= calls[2]["p95_ms"] <= calls[2]["p99_ms"] <= calls[2]["slowest_ms"]

    for view in VIEWS:
        told = " ".join(row["t"] for row in read(f"select t::text from marts.{view} as t"))
        assert not any(key in told or key.split("@")[0] in told for key in people)


@pytest.mark.parametrize("view", VIEWS)
def test_every_column_of_the_ledger_is_described(world: World, view: str) -> None:
    plain = {
        *(
            "sync_run_id",
            "reconciliation_id",
            "sync",
            "platform",
            "account",
            "release_id",
            "as_of",
            "changes",
            "removes",
        ),
        *("started_at", "ended_at", "seconds", "first_at", "last_at", "first_settled_at", "last_settled_at"),
    }
    columns = world.ctx.warehouse.rows(
        """
        select attname, col_description(attrelid, attnum) as meaning from pg_attribute
        where attrelid = ('marts.' || %s)::regclass and attnum > 0
        """,
        (view,),
    )
    assert len(columns) > 8
    assert {row["attname"] for row in columns if row["meaning"] is None} <= plain
