"""Whatever goes wrong in a night, no log, table of results, page, message or command says who it was about."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from support.traces import PEOPLE, VALUES, forms, in_files, search

pytestmark = pytest.mark.slow

PERSONAL = search(VALUES)
#: Deliveries, not logs: files that a platform takes.
DELIVERIES = ("drops",)
#: The only files that may hold secrets, those of the house itself, for its owner alone.
KEYS = ("airflow/secrets.json", "airflow/passwords.json")
#: Schemas and tables that hold customers because that is what they are for.
STORES = ("raw_", "quarantine", "staging", "contract", "core", "blue", "green", "seeds", "history", "marts")
STORES_BY_NAME = ("activation.records", "activation.batches", "activation.outbox", "activation.ledger")
TALKING_MARTS = (
    *("marts.runs", "marts.releases", "marts.quality_results"),
    *("marts.sync_runs", "marts.sync_rows", "marts.sync_calls"),
)
TALKING_COLUMNS = (
    "select reason from activation.exceptions",
    "select refused_reason from activation.records",
)
COMMANDS = (
    ("status",),
    ("doctor",),
    ("releases",),
    ("loads", "list"),
    ("loads", "show", "1"),
    ("loads", "show", "2"),
    ("quarantine", "list"),
    ("quarantine", "show", "1"),
    ("quarantine", "show", "2"),
    ("plan", "echoing"),
    ("sync", "echoing", "--only-failed"),
    ("report",),
    ("run", "--as-of", "2024-01-07T00:00:00+00:00"),
)


def traces(url: str, queries: dict[str, Any]) -> list[str]:
    """Rows of the queries that hold a personal value, whatever their type."""
    found = []
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        for name, query in queries.items():
            for (text,) in connection.execute(query):
                if text and PERSONAL.search(text.encode()):
                    found.append(f"{name}: {text[:1500]}")
    return found


def tables(url: str) -> list[str]:
    query = """
        select n.nspname || '.' || c.relname from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'v') and n.nspname !~ '^(pg_|information_schema)' order by 1
    """
    with psycopg.connect(url) as connection:
        return [name for (name,) in connection.execute(query)]


def whole(name: str) -> sql.Composed:
    return sql.SQL("select t::text from {} as t").format(sql.Identifier(*name.split(".", 1)))


def test_the_night_went_as_badly_as_it_should(night: Any) -> None:
    """Without this the others would find nothing where nothing happened."""
    assert list(night.states.values())[:7] == [
        *("up_for_retry", "up_for_retry"),
        *("failed", "success", "failed", "failed", "success"),
    ]
    assert (night.states["sync_echoing"], night.states["sync_files"]) == ("failed", "success")
    ctx = night.company.ctx
    assert ctx.warehouse.value("select count(*) from quarantine.tiny_lines") >= 4
    statuses = {row["status"] for row in ctx.warehouse.rows("select status from control.runs")}
    assert statuses >= {"failed", "gate_closed", "published"}
    messages = ctx.warehouse.value(
        "select string_agg(message, ' ') from control.runs where status = 'failed'"
    )
    assert "stg_tiny__profiles" in messages
    assert "stg_tiny__consents" in messages
    assert len(ctx.warehouse.rows("select * from activation.records where refused_reason is not null")) == 4
    assert list((night.home / "drops" / "files").iterdir())
    stored = ctx.warehouse.value("select string_agg(t::text, ' ') from raw_tiny.people as t")
    for person in PEOPLE.values():
        assert all(value in stored for value in person)


def test_no_file_of_the_house_names_anybody(night: Any) -> None:
    assert len(list(night.home.rglob("*.log"))) > 5
    assert (night.home / "logs" / "dbt" / "dbt.log").stat().st_size > 1000
    assert (night.home / "data_docs").is_dir()
    assert in_files(PERSONAL, night.home, DELIVERIES) == []


def test_the_search_would_find_them(night: Any, tmp_path: Path) -> None:
    assert in_files(PERSONAL, night.home / "drops") != []  # what is delivered is found
    for number, form in enumerate({form for value in VALUES for form in forms(value)}):
        (tmp_path / str(number)).write_bytes(b"\x00x=" + form + b";")
    assert len(in_files(PERSONAL, tmp_path)) == len(list(tmp_path.iterdir())) > 100
    found = traces(night.company.ctx.warehouse.url, {"raw": whole("raw_tiny.people")})
    assert all(any(f",{person}," in row for row in found) for person in PEOPLE)


def test_no_work_folder_outlives_the_night(night: Any) -> None:
    work = night.home / "dlt" / "work"
    assert [path for path in work.rglob("*") if path.is_file()] == []
    with night.company.ctx.warehouse.connect() as connection:
        names = connection.execute(
            "select nspname from pg_namespace where nspname like 'landing%'"
        ).fetchall()
    assert names == []


def test_airflows_own_tables_name_nobody(night: Any) -> None:
    names = tables(night.airflow_database)
    assert {"public.xcom", "public.log", "public.rendered_task_instance_fields"} <= set(names)
    assert traces(night.airflow_database, {name: whole(name) for name in names}) == []


def test_no_table_of_results_names_anybody(night: Any) -> None:
    url = night.company.ctx.warehouse.url
    names = [
        name
        for name in tables(url)
        if (not name.startswith(STORES) and name not in STORES_BY_NAME) or name in TALKING_MARTS
    ]
    assert {"control.runs", "control.stations", "control.quality_results", "control.schema_changes"} <= set(
        names
    )
    queries = {name: whole(name) for name in names} | {query: query for query in TALKING_COLUMNS}
    assert traces(url, queries) == []


def test_no_message_names_anybody(night: Any) -> None:
    assert len(night.said) >= 4
    for title, text in night.said.items():
        assert not PERSONAL.search(text.encode()), f"{title}: {text}"


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_no_command_names_anybody(command: Callable[..., str], arguments: tuple[str, ...]) -> None:
    said = command(*arguments)
    assert said.strip()
    assert not PERSONAL.search(said.encode()), said


def test_a_story_is_told_without_the_person(night: Any, command: Callable[..., str]) -> None:
    customer = night.company.ctx.warehouse.value("select min(customer_id) from marts.customers")
    said = command("explain", customer)
    assert customer in said
    assert not PERSONAL.search(said.encode()), said


def test_a_row_that_the_warehouse_refuses_is_not_quoted(night: Any, command: Callable[..., str]) -> None:
    """A unique index of somebody's own: Postgres' DETAIL quotes the key, and nobody foresaw the error."""
    warehouse = night.company.ctx.warehouse
    accepted = warehouse.value("select min(load_id) from control.loads where status = 'accepted'")
    warehouse.execute(
        f"create unique index one_email on raw_tiny.people (email) where _load_id >= {accepted}"
    )
    name, email, phone, street = PEOPLE["alma"]
    row = f"p9,{name},{email},{phone},c,2024-01-01,2024-01-01,granted,{street}"
    header = "person_id,name,email,phone,card,created_at,updated_at,email_consent,street"
    (night.company.folder / "people" / "again.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    try:
        said = command("run", "--as-of", "2024-01-08T00:00:00+00:00")
    finally:
        warehouse.execute("drop index raw_tiny.one_email")
        (night.company.folder / "people" / "again.csv").unlink()
    assert "one_email" in said
    assert not PERSONAL.search(said.encode()), said
    assert in_files(PERSONAL, night.home, DELIVERIES) == []


def test_no_secret_is_in_a_file_or_a_command_line(night: Any) -> None:
    pattern = search([])
    for secret in night.secrets:
        pattern = search([secret])
        assert in_files(pattern, night.home) == []
    assert night.said["the process list"] == ""
    assert {"python", "python3", "python3.11"} & night.commands
    keys = json.loads((night.home / KEYS[0]).read_text())
    for own in keys.values():
        assert in_files(search([own]), night.home, KEYS) == []
    for file in KEYS:
        assert stat.S_IMODE((night.home / file).stat().st_mode) == 0o600


def test_no_message_or_table_holds_a_secret(night: Any, command: Callable[..., str]) -> None:
    url = night.company.ctx.warehouse.url
    said = [*night.said.values(), *(command(*arguments) for arguments in (("doctor",), ("status",)))]
    for database in (url, night.airflow_database):
        with psycopg.connect(database) as connection:
            for name in tables(database):
                said += [text for (text,) in connection.execute(whole(name)) if text]
    every = "\n".join(said)
    for secret in night.secrets:
        assert secret not in every


def test_the_servers_own_log_quotes_no_row(night: Any, databases: Any) -> None:
    assert not PERSONAL.search(databases.server.log.read_bytes())
