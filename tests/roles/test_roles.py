"""Each role may do its own work and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from lifehouse import doctor, stations
from lifehouse.alerts import ledger
from lifehouse.alerts.alert import Alert
from lifehouse.alerts.declaration import Channel, Event
from lifehouse.doctor import roles as examined
from lifehouse.errors import WarehouseError
from lifehouse.warehouse import rights, roles
from lifehouse.warehouse.catalog import Catalog
from support.founding import Login
from support.tiny import Company, sale

FORBIDDEN = {
    rights.INGEST: (
        "select from marts.customers",
        "select from staging.stg_tiny__profiles",
        "select from contract.profiles",
        "select from core.customer_profiles",
        "select from blue.customers",
        "select from history.segment_history",
        "select from activation.outbox",
        "update control.runs set message = ''",
        "update control.published set syncs_paused = false",
        "delete from control.loads",
        "delete from control.load_tables",
        "create table marts.mine (a int)",
        "create table control.mine (a int)",
    ),
    rights.TRANSFORM: (
        "insert into raw_tiny.people (person_id, _load_id, _loaded_at, _hash) values ('p', 1, now(), 1)",
        "delete from raw_tiny.people",
        "delete from quarantine.tiny_people",
        "update control.loads set status = 'accepted'",
        "delete from control.quality_results",
        "update control.quality_results set success = true",
        "delete from control.runs",
        "delete from history.segment_history",
        "select from activation.outbox",
        "insert into activation.outbox (sync) values ('x')",
    ),
    rights.ACTIVATE: (
        "select from raw_tiny.people",
        "select from quarantine.tiny_people",
        "select from staging.stg_tiny__profiles",
        "select from core.customer_profiles",
        "select from blue.customers",
        "delete from blue.customers",
        "update control.published set slot = 'green'",
        "update control.loads set status = 'accepted'",
        "update control.releases set withdrawn_by = 'me'",
        "select from control.mask_key",
        "create table marts.mine (a int)",
    ),
    rights.BI: (
        "select from raw_tiny.people",
        "select from quarantine.tiny_people",
        "select from staging.stg_tiny__profiles",
        "select from contract.profiles",
        "select from core.customer_profiles",
        "select from seeds.rfm_segments",
        "select from blue.customers",
        "select from control.loads",
        "select from control.published",
        "select from history.segment_history",
        "select from activation.outbox",
        "select from pg_authid",
        "select control.session_names()",
        "insert into marts.customers (customer_id) values ('c')",
        "delete from marts.customers",
        "create table marts.mine (a int)",
        "create view marts.mine as select 1",
        "create table public.mine (a int)",
        "create schema mine",
        "create role mine",
        "set role lifehouse_transform",
        "alter view marts.customers owner to lifehouse_bi",
        "copy (select 1) to program 'true'",
    ),
}


@pytest.mark.parametrize(
    ("role", "statement"), [(role, each) for role, statements in FORBIDDEN.items() for each in statements]
)
def test_a_role_may_not(company: Company, login: Login, role: str, statement: str) -> None:
    with login(company, role) as reader:
        reader.execute(f"set role {role}".encode())  # without: the person, who is a member
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(statement.encode())
        reader.execute("reset role")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(statement.encode())


def test_every_control_table_is_named_where_rights_are_given(company: Company) -> None:
    """One that nobody named would be read by each station and written by none, until a night fails."""
    kept = "select relname::text from pg_class where relnamespace = 'control'::regnamespace and relkind in ('r', 'p')"
    there = {name for (name,) in company.rows(kept)}
    named = {name for right in rights.RIGHTS if right.schema == "control" for name in right.tables}
    named |= {name for schema, name in {*rights.OWNED_TABLES, *rights.HIDDEN} if schema == "control"}
    named |= rights.READ_ALONE
    assert there - named == set(), "name them in lifehouse.warehouse.rights"


@pytest.mark.parametrize("role", rights.STATION_ROLES)
def test_a_station_may_note_and_send_alerts(company: Company, role: str) -> None:
    acting = company.ctx.acting_as(role)
    assert acting.warehouse.role == role
    channel = Channel(kind="webhook", connection=f"pager_{role}")
    alert = Alert(Event.FAILED, "marts", "failed", "Tiny")
    assert ledger.note(acting.warehouse, alert, role, [channel])
    waiting = ledger.claim(acting.warehouse, [channel.key])
    assert waiting is not None
    ledger.failed(acting.warehouse, waiting, "no answer")
    ledger.sent(acting.warehouse, waiting)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        acting.warehouse.execute("delete from control.alerts")


def test_bi_reads_every_mart_of_the_release_and_of_trust(company: Company, login: Login) -> None:
    views = [
        name
        for (name,) in company.rows(
            "select relname from pg_class where relnamespace = 'marts'::regnamespace and relkind = 'v'"
        )
    ]
    assert {"customers", "orders", "stage_history", "runs", "quality_results", "releases"} <= set(views)
    with login(company, rights.BI) as reader:
        for view in views:
            reader.execute(f"select count(*) from marts.{view}".encode())
        assert reader.execute("select count(*) from marts.customers").fetchone() == (3,)


def test_a_night_leaves_everything_with_the_role_that_made_it(company: Company) -> None:
    owners = dict(
        company.rows(
            "select nspname::text, array_agg(distinct pg_get_userbyid(relowner)::text) from pg_class "
            "inner join pg_namespace on pg_namespace.oid = relnamespace where relkind in ('r', 'v') group by nspname"
        )
    )
    assert owners["raw_tiny"] == owners["quarantine"] == [rights.INGEST]
    for schema in ("staging", "contract", "core", "seeds", "blue"):
        assert owners[schema] == [rights.TRANSFORM]
    assert rights.TRANSFORM not in owners["activation"]
    with company.ctx.warehouse.connect() as connection:
        assert roles.audit(Catalog.read(connection)) == []
    (finding,) = examined.access(company.ctx)
    assert finding.verdict is doctor.Verdict.FINE


@pytest.fixture
def spoilt(company: Company) -> Iterator[Company]:
    with company.ctx.warehouse.connect(autocommit=True) as connection:
        for statement in (
            "grant select on core.customer_profiles to lifehouse_bi",
            "grant usage on schema raw_tiny to public",
            "revoke insert on control.loads from lifehouse_ingest",
            "alter default privileges for role lifehouse_transform in schema marts revoke select on tables from lifehouse_bi",
            "alter table core.customer_refs owner to current_user",
            "create schema others create table others.theirs (a int)",
            "grant select on others.theirs to lifehouse_bi",
        ):
            connection.execute(statement.encode())
        yield company
        connection.execute("drop schema others cascade")
        roles.repair(connection)


def test_the_doctor_names_what_is_missing_and_what_is_too_much_and_mends_it(spoilt: Company) -> None:
    found = list(examined.access(spoilt.ctx))
    wrong = next(finding for finding in found if finding.verdict is doctor.Verdict.WRONG)
    for sentence in (
        'the table "core"."customer_refs" does not belong to lifehouse_transform',
        "lifehouse_ingest may not insert on the table control.loads",
        "lifehouse_bi may select on the table core.customer_profiles",
        "everybody may usage on the schema raw_tiny",
        'lifehouse_bi may not select on tables that lifehouse_transform will make in schema "marts"',
    ):
        assert sentence in wrong.found
    foreign = next(finding for finding in found if finding.verdict is doctor.Verdict.MIND)
    assert "lifehouse_bi may select on the table others.theirs" in foreign.found
    assert len(examined.mend(spoilt.ctx)) == 5
    assert [finding.verdict for finding in examined.access(spoilt.ctx)] == [
        doctor.Verdict.FINE,
        doctor.Verdict.MIND,
    ]
    assert examined.mend(spoilt.ctx) == []


def test_a_station_that_lacks_a_right_says_which_and_what_to_do(spoilt: Company) -> None:
    spoilt.lines("2024-01-06", [sale("o9", "p2", "2024-01-06", 4)])
    with pytest.raises(
        WarehouseError, match="permission denied for table loads, as the role lifehouse_ingest"
    ):
        stations.ingest(spoilt.ctx, "tiny")
