"""A table of another database: real Postgres, real types, checks, rights and locks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from crashing import kill_at
from world import World

from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.platforms import sql_table
from lifehouse.activation.reconcile import reconcile
from lifehouse.activation.steps import Step
from lifehouse.context import Context
from lifehouse.errors import ConfigError, PlatformError
from support.databases import Databases

TABLE = """
create schema crm;
create table crm.champions (
    email text primary key, name varchar(20), stage text, revenue numeric(12, 2) check (revenue < 1000),
    vip boolean, owner text not null default 'nobody', sent_id text unique
);
create table crm.log (email text, name text, sent_id text unique, at timestamptz default clock_timestamp());
insert into crm.champions (email, owner) values ('someone@example.com', 'theirs');
"""
FIELDS = {"name": "first_name", "stage": "status_stage", "revenue": "net_revenue"}
OURS = "select email from crm.champions where owner = 'nobody' order by 1"


@pytest.fixture
def there(databases: Databases) -> Iterator[psycopg.Connection[Any]]:
    """Another database, with a table of its own."""
    url = databases.create(template=None)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLE)
        yield connection
    databases.drop(url)


@pytest.fixture
def company(make_context: Callable[..., Context], there: psycopg.Connection[Any], tmp_path: Path) -> World:
    info = there.info
    url = f"postgres://{info.host}:{info.port}/{info.dbname}"
    connection = PlatformConnection(url, info.user, info.password or None)
    world = World.founded(make_context, tmp_path / "project", connection)
    declare(world)
    return world


def declare(world: World, table: str = "crm.champions", **changes: Any) -> None:
    world.declare(
        platform="sql_table",
        fields=changes.pop("fields", FIELDS),
        options={"table": table, "key": "email", **changes.pop("options", {})},
        sending={"backoff": "1ms", "attempts": 2},
        **changes,
    )


def held(there: psycopg.Connection[Any], query: str = OURS) -> list[Any]:
    return [row[0] for row in there.execute(query)]


def test_a_segment_is_mirrored_and_what_is_not_ours_stays(
    company: World, there: psycopg.Connection[Any]
) -> None:
    keys = company.people(12)
    company.sql("update marts.customers set net_revenue = 1000 where customer_id = 'c0003'")
    company.sql("update marts.customers set first_name = null where customer_id = 'c0004'")
    first = company.sync()
    assert (first.confirmed, first.refused) == (11, 1)
    assert held(there) == [key for key in keys if key != "c0003@example.com"]
    assert "violates check constraint" in company.ctx.warehouse.value(
        "select reason from activation.ledger where status = 'refused'"
    )
    ours = (
        "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    )
    assert held(there, ours) == [0], "a connection outlived the sync"
    row = there.execute("select name, stage, revenue, vip from crm.champions where email = %s", (keys[0],))
    assert row.fetchone() == ("Name 1", "active", 1, None)
    there.execute("update crm.champions set vip = true where email = %s", (keys[0],))
    company.leave(["c0002"])
    company.sql("update marts.customers set first_name = 'Anna' where customer_id = 'c0001'")
    second = company.sync()
    assert (second.changes, second.removes, second.confirmed) == (1, 1, 2)
    assert held(there, "select name from crm.champions where vip") == ["Anna"]
    assert held(there) == [key for key in keys if key[:5] not in ("c0003", "c0002")]
    assert held(there, "select email from crm.champions where owner = 'theirs'") == ["someone@example.com"]
    assert company.sync().calls == 0


@pytest.mark.parametrize("step", [Step.ANSWERED, Step.SETTLING])
def test_append_adds_everybody_once_whatever_happens(
    company: World, there: psycopg.Connection[Any], step: Step
) -> None:
    declare(company, "crm.log", mode="append", fields={"name": "first_name"}, options={"once": "sent_id"})
    keys = company.people(5)
    kill_at(step, company.sync)
    company.sync()
    assert held(there, "select email from crm.log order by 1") == keys
    company.leave(["c0001"])
    company.sql("update marts.customers set first_name = 'Anna'")
    assert company.sync().calls == 0


def test_append_without_a_unique_column_is_refused_before_anything_is_sent(company: World) -> None:
    declare(company, "crm.log", mode="append")
    company.people(1)
    with pytest.raises(ConfigError, match=r"mode append needs options\.once"):
        company.sync()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"table": "crm.nowhere"}, 'relation "crm.nowhere" does not exist'),
        ({"fields": {"nothing": "first_name"}}, 'column "nothing" .*does not exist'),
        ({"table": "crm.log", "fields": {"name": "first_name"}}, r"alter table crm.log add unique \(email\)"),
    ],
)
def test_what_no_row_can_mend_ends_the_sync_at_once(
    company: World, changes: dict[str, Any], words: str
) -> None:
    declare(company, **changes)
    company.people(9)
    with pytest.raises(PlatformError, match=words):
        company.sync()
    assert company.ctx.warehouse.value("select calls from activation.sync_runs") == 1
    assert company.open_rows() == 9


def test_a_table_that_is_locked_is_asked_again_and_nothing_is_lost(
    company: World, there: psycopg.Connection[Any]
) -> None:
    declare(company, options={"timeout_seconds": 0.2})
    company.people(2)
    with there.transaction():
        there.execute("lock table crm.champions")
        with pytest.raises(PlatformError, match="does not answer"):
            company.sync()
    assert company.sync().confirmed == 2


def test_a_role_that_may_not_write_is_told_so(company: World, there: psycopg.Connection[Any]) -> None:
    there.execute("create role reader_of_champions login password 'reads'")
    try:
        there.execute("grant usage on schema crm to reader_of_champions")
        company.connection = PlatformConnection(company.connection.url, "reader_of_champions", "reads")
        company.people(1)
        with pytest.raises(PlatformError, match="permission denied for table champions"):
            company.sync()
        company.connection = PlatformConnection(company.connection.url, "nobody_at_all", "wr0ng")
        with pytest.raises(PlatformError, match="does not let us in") as told:
            company.sync()
        assert "wr0ng" not in str(told.value)
    finally:
        there.execute("drop owned by reader_of_champions")
        there.execute("drop role reader_of_champions")


def test_what_people_change_there_is_found_out(
    company: World, there: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_table, "_PAGE", 3)
    company.people(7)
    company.sync()
    there.execute("delete from crm.champions where email = 'c0002@example.com'")
    found = reconcile(company.ctx, "push", company.connection)
    assert (found.only_here, found.only_there) == (1, 1)


def test_another_machines_database_is_spoken_to_encrypted() -> None:
    far = PlatformConnection("postgresql://db.example.com/crm", "us", "secret", {"application_name": "x"})
    assert sql_table._parameters(far)["sslmode"] == "require"
    with pytest.raises(ConfigError, match="is no Postgres address"):
        sql_table._parameters(PlatformConnection("https://db.example.com/crm"))
    with pytest.raises(ConfigError, match="extra has what libpq does not know"):
        sql_table._parameters(PlatformConnection("postgresql://localhost/crm", extra={"cursor": "x"}))


def test_a_session_is_kept_for_the_batches_of_a_sync_and_replaced_when_it_is_lost(
    company: World, there: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []
    connect = sql_table._Session._opened

    def counted(session: sql_table._Session) -> psycopg.Connection[Any]:
        connection = connect(session)
        opened.append(connection.info.backend_pid)
        if len(opened) == 2:
            there.execute("select pg_terminate_backend(%s)", (opened[0],))
        return connection

    monkeypatch.setattr(sql_table._Session, "_opened", counted)
    company.people(40)
    company.declare(
        platform="sql_table",
        fields=FIELDS,
        options={"table": "crm.champions", "key": "email"},
        sending={"batch_size": 1, "in_flight": 2, "backoff": "1ms", "attempts": 3},
    )
    assert company.sync().confirmed == 40
    assert len(opened) <= 4
    assert len(held(there)) == 40
