"""What the outbox costs and keeps: rows stand in their batches, and work follows what is claimed, not what waits."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from world import World

from lifehouse.activation.sql import statement
from lifehouse.warehouse import control
from support.databases import Databases

WAITING, TAKEN, ROWS = 3_000, 16, 4


@pytest.fixture
def crowded(world: World) -> psycopg.Connection[Any]:
    """Many batches wait, of which the statistics know nothing."""
    world.sql(
        f"""
        with run as (
            insert into activation.sync_runs (sync, account, platform) values ('push', 'receiver', 'webhook')
            returning sync_run_id
        )
        insert into activation.batches (
            account, sync, sync_run_id, release_id, number, status, claimed_by, lease_until,
            record_keys, customer_ids, actions, fields, field_hashes, field_marks
        )
        select
            'receiver', 'push', sync_run_id, 1, n, 'ready', null, null,
            each.keys, each.keys, array_fill('add'::text, array[{ROWS}]),
            array_fill('{{}}'::text, array[{ROWS}]), each.keys, each.keys
        from run
        cross join generate_series(1, {WAITING}) as n
        cross join lateral (select array_agg(n || '-' || i) as keys from generate_series(1, {ROWS}) as i) as each
        """
    )
    return world.ctx.warehouse.connect(autocommit=True)


def looked_at(connection: psycopg.Connection[Any], statement: sql.SQL, **values: object) -> int:
    """Rows of batches and records that a statement reads."""
    query = psycopg.ClientCursor(connection).mogrify(statement, values)
    [(told,)] = connection.execute(f"explain (analyze, format json) {query}")
    return sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in nodes(told[0]["Plan"])
        if node.get("Relation Name") in ("batches", "records") and "Scan" in node["Node Type"]
    )


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def test_a_claim_and_a_settlement_look_at_what_they_take_alone(crowded: psycopg.Connection[Any]) -> None:
    me = {"account": "receiver", "sync": "push", "me": "1@now"}
    for _ in range(3):
        seen = looked_at(crowded, statement("claim"), **me, is_quiet=False, limit=TAKEN, lease_seconds=900)
        assert seen <= 6 * TAKEN
    claimed = [
        row[0] for row in crowded.execute("select batch_id from activation.batches where status = 'sent'")
    ]
    assert len(claimed) == 3 * TAKEN
    settled = looked_at(crowded, statement("settle"), **me, batches=claimed)
    assert settled <= 2 * len(claimed)
    assert crowded.execute(IN_FLIGHT).fetchone() == (3 * TAKEN * ROWS,), "not in the records yet"
    folded = looked_at(crowded, statement("fold"), **me, is_sure=True)
    assert folded <= 4 * len(claimed)
    assert looked_at(crowded, statement("fold"), **me, is_sure=True) == 0
    assert crowded.execute(IN_FLIGHT).fetchone() == (0,)
    assert crowded.execute("select count(*) from activation.records").fetchone() == (3 * TAKEN * ROWS,)


IN_FLIGHT = "select count(*) from activation.in_flight where account = 'receiver' and sync = 'push'"


def test_a_plan_looks_at_what_is_in_flight_not_at_what_was_settled_in_years(
    crowded: psycopg.Connection[Any],
) -> None:
    crowded.execute(
        """
        update activation.batches set
            status = case when number > %(sent)s then 'settled' else 'sent' end,
            claimed_by = 'x', lease_until = clock_timestamp(), settled_at = case when number > %(sent)s then clock_timestamp() end
        """,
        {"sent": TAKEN},
    )
    assert crowded.execute(IN_FLIGHT).fetchone() == (TAKEN * ROWS,)
    assert looked_at(crowded, sql.SQL(IN_FLIGHT)) <= 2 * TAKEN


OLDER = """
insert into activation.sync_runs (sync, account, platform) values ('push', 'receiver', 'webhook');
insert into activation.batches (account, sync, sync_run_id, release_id, number, status, claimed_by, lease_until, settled_at)
values
    ('receiver', 'push', 1, 7, 0, 'settled', 'me', now(), '2017-01-01'),
    ('receiver', 'push', 1, 7, 1, 'sent', 'me', now(), null),
    ('receiver', 'push', 1, 7, 2, 'ready', null, null, null),
    ('receiver', 'push', 1, 7, 3, 'superseded', null, null, '2017-01-02');
insert into activation.outbox
    (batch_id, account, sync, record_key, customer_id, action, fields, field_hash, status, reason, settled_at)
values
    (1, 'receiver', 'push', 'a', 'c1', 'add', null, 'h1', 'confirmed', null, '2017-01-01'),
    (1, 'receiver', 'push', 'b', 'c2', 'add', null, 'h2', 'refused', 'no such mailbox', '2017-01-01'),
    (1, 'receiver', 'push', 'c', 'c3', 'add', null, 'h3', 'withdrawn', 'no longer allowed', '2017-01-01'),
    (2, 'receiver', 'push', 'd', 'c4', 'change', '{"name": "D"}', 'h4', 'intent', null, null),
    (2, 'receiver', 'push', 'e', 'c5', 'remove', null, null, 'intent', 'no longer allowed while in flight', null),
    (3, 'receiver', 'push', 'f', 'c6', 'add', '{"name": "F"}', 'h6', 'intent', null, null),
    (4, 'receiver', 'push', 'g', 'c7', 'add', null, 'h7', 'superseded', null, '2017-01-02');
insert into activation.records (account, sync, record_key, customer_id, field_hash, acknowledged_at, platform_id)
values ('receiver', 'push', 'd', 'c4', 'h0', now(), '42');
"""


def test_rows_of_an_older_warehouse_move_into_their_batches(
    databases: Databases, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for file in sorted(control.MIGRATIONS.glob("*.sql")):
        if file.name < "137":
            shutil.copy(file, tmp_path)
    url = databases.create(template=None)
    with psycopg.connect(url) as connection:
        monkeypatch.setattr(control, "MIGRATIONS", tmp_path)
        control.migrate(connection)
        connection.execute(OLDER)
        connection.commit()
        monkeypatch.undo()
        control.migrate(connection)
        found = connection.execute(
            """
            select batch_id, place, record_key, action, fields ->> 'name', status, reason, platform_id, settled_at is null
            from activation.outbox order by record_key
            """
        ).fetchall()
        in_flight = connection.execute("select record_key from activation.in_flight order by 1").fetchall()
        me = {"account": "receiver", "sync": "push", "is_sure": True}
        folded = connection.execute(statement("fold"), me).fetchone()
    databases.drop(url)
    assert folded == (0,), "what was settled then is in the records already"
    assert found == [
        (1, 1, "a", "add", None, "confirmed", None, None, False),
        (1, 2, "b", "add", None, "refused", "no such mailbox", None, False),
        (1, 3, "c", "add", None, "withdrawn", "no longer allowed", None, False),
        (2, 1, "d", "change", "D", "sent", None, "42", True),
        (2, 2, "e", "remove", None, "sent", "no longer allowed while in flight", None, True),
        (3, 1, "f", "add", "F", "intent", None, None, True),
        (4, 1, "g", "add", None, "superseded", None, None, False),
    ]
    assert in_flight == [("d",), ("e",)]
