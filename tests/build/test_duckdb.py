"""DuckDB builds the core and the lifecycles from the same models as Postgres, and finds the same rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lifehouse.build import dbt, duck, duck_file
from lifehouse.build.place import nightly
from lifehouse.cli import app
from lifehouse.context import Context
from lifehouse.errors import BuildError
from lifehouse.home import Home
from lifehouse.lifecycles.declaration import lifecycles
from lifehouse.lifecycles.rules import EVENT_TYPES
from lifehouse.project import Project
from lifehouse.warehouse.connection import Warehouse
from support import crowd
from support.databases import Databases
from support.tiny import TINY

CUSTOMERS = 20_000
PUBLISHED = """
    with run as (
        insert into control.runs (as_of, slot, fingerprint, change_seq, loads)
        values ('2024-06-01', 'blue', 'f', 0, '{}') returning run_id
    ), release as (
        insert into control.releases (run_id, slot, as_of, fingerprint, change_seq)
        select run_id, 'blue', '2024-06-01', 'f', 0 from run returning release_id
    )
    insert into control.published (slot, release_id, as_of, published_at)
    select 'blue', release_id, '2024-06-01', '2024-06-01' from release
"""

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Built:
    """A crowd in a warehouse and in a DuckDB file, both built; ``told`` is what the command said of it."""

    ctx: Context
    file: Path
    told: str

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with duck_file.opened(self.file) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def built(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    home = tmp_path_factory.mktemp("portable")
    url = databases.create()
    ctx = Context(Home(home), Project(TINY))
    vars(ctx)["warehouse"] = Warehouse(url)  # the cached property, preset
    with ctx.warehouse.connect() as connection:
        crowd.gather(connection, CUSTOMERS, lifecycles(ctx.project))
    dbt.build(ctx, duck.MODELS, nightly("blue"), full=True)
    ctx.warehouse.execute(PUBLISHED)
    file = home / "portable.duckdb"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Context, "current", lambda: ctx)
        outcome = CliRunner().invoke(app.build(), ["duckdb", str(file), "--compare"])
    yield Built(ctx, file, f"{outcome.output}{outcome.exception or ''}")
    databases.drop(url)


def test_both_engines_find_the_same_rows_in_every_column(built: Built) -> None:
    assert "Both engines have the same rows." in built.told, built.told
    compared = re.findall(r"^((?:core|marts)\.\w+) +([\d,]+) +0 +0 *$", built.told, re.MULTILINE)
    assert [name for name, _ in compared] == [".".join(table) for table in duck.BUILT]
    assert all(rows != "0" for _, rows in compared)


def test_the_crowd_does_all_there_is_to_do_and_stands_in_every_stage(built: Built) -> None:
    customers = built.ask("select count(distinct customer_id) from core.customer_events")
    assert customers > [(CUSTOMERS * 0.8,)]
    happened = {row[0] for row in built.ask("select distinct event_type from core.customer_events")}
    assert happened == set(EVENT_TYPES)
    stages = built.ask("select lifecycle, stage from marts.lifecycle_stages order by all")
    assert built.ask("select distinct lifecycle, stage from marts.stage_history order by all") == stages
    assert len(stages) >= 33
    causes = {row[0] for row in built.ask("select distinct cause_type from marts.stage_history")}
    assert causes == {"start", "event", "window", "record"}
    at_once = "select 1 from core.customer_events group by customer_id, occurred_at having count(*) > 1"
    assert built.ask(f"select count(*) from ({at_once})") > [(2000,)]


def test_a_microsecond_in_one_row_is_a_difference(built: Built) -> None:
    moved = "update core.anonymous_visitors set last_at = last_at {} interval 1 microsecond where rowid = 7"
    built.ask(moved.format("+"))
    found = duck.compare(built.ctx, built.file, "blue", [("core", "anonymous_visitors")])
    built.ask(moved.format("-"))
    assert [(table.only_postgres, table.only_duckdb) for table in found] == [(1, 1)]


def test_the_models_keep_their_own_unit_tests_on_duckdb(built: Built) -> None:
    gapless = "stage_history_has_no_gap_and_no_overlap"
    tests = ["--select", "tag:core,test_type:unit", gapless]
    outcome = dbt.invoke(built.ctx, "test", duck.place(built.file), tests)
    told = {result.node.name: str(result.status) for result in outcome.result}
    assert {name: status for name, status in told.items() if status != "pass"} == {}
    assert gapless in told
    assert len(told) > 10


def test_a_number_that_duckdb_would_round_is_refused_without_showing_it(built: Built, tmp_path: Path) -> None:
    built.ctx.warehouse.execute("create table core.fees as select 1.0000000000001 as fee, 7.10 as rate")
    fees = ("core", "fees")
    with pytest.raises(BuildError, match=r"^core.fees: 1 values of fee do not fit decimal\(38, 12\)$"):
        duck_file.copy(built.ctx, tmp_path / "x.duckdb", {fees: fees})


def test_a_file_that_duckdb_would_mistake_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        BuildError, match="DuckDB would take 'marts' for a schema; give the file another name"
    ):
        duck_file.opened(tmp_path / "marts.duckdb")
    (tmp_path / "text.duckdb").write_text("no database at all, but long enough to be looked into " * 100)
    with pytest.raises(BuildError, match=r"text\.duckdb cannot be opened as a file of DuckDB's"):
        duck_file.opened(tmp_path / "text.duckdb")


def test_the_file_is_its_owners_alone(built: Built) -> None:
    assert built.file.stat().st_mode & 0o077 == 0
