"""A company of one source on a real warehouse; the slots' tables are made by hand where dbt is not the point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.releases import town

from lifehouse.context import Context
from lifehouse.home import Home
from lifehouse.project import Project
from lifehouse.releases.publish import publish
from lifehouse.releases.run import Run, begin
from lifehouse.warehouse.connection import Warehouse

MARTS = ("letters", "numbers", "segment_members")
NIGHT = datetime(2026, 1, 1, tzinfo=UTC)

SOURCE = """
source: shop
owner: data-team
description: a shop
kind: files
connection: {url: "${NOT_SET}"}
schedule: "0 2 * * *"
tables:
  orders:
    key: [order_id]
    files: "*.csv"
    columns: {order_id: {type: text, required: true}}
"""

#: One transaction each, as dbt refills tables.
REFILL = (
    """
    create schema if not exists {slot};
    create table if not exists {slot}.letters (release int, letter text);
    create table if not exists {slot}.numbers (release int, number int);
    create table if not exists {slot}.segment_members (segment text, customer_id text);
    """,
    """
    delete from {slot}.letters;
    insert into {slot}.letters select {number}, chr(97 + n) from generate_series(0, 25) as n;
    """,
    """
    delete from {slot}.numbers;
    insert into {slot}.numbers select {number}, n from generate_series(1, 100) as n;
    """,
    "delete from {slot}.segment_members",
)


@dataclass
class House:
    """Short words for what the tests do over and over."""

    ctx: Context

    def accept(self, source: str = "shop", *, age: timedelta = timedelta(0), status: str = "accepted") -> int:
        """A load that was decided upon."""
        return self.ctx.warehouse.value(
            """
            insert into control.loads (source, status, opened_at, decided_at, decided_by, change_seq)
            values (%s, %s, clock_timestamp() - %s, clock_timestamp(), 'test', nextval('control.change_seq'))
            returning load_id
            """,
            (source, status, age),
        )

    def build(
        self, number: int, members: Sequence[tuple[str, str]] = (), *, full_refresh: bool = False
    ) -> Run:
        """A run about night ``number`` whose slot is filled and passed its gate, ready to be published."""
        run = begin(self.ctx, NIGHT + timedelta(days=number), full_refresh)
        if self.value("select fingerprint is null from control.slots where slot = %s", run.slot):
            self.execute(f"drop schema if exists {run.slot} cascade")
        for statement in REFILL:
            self.execute(statement.format(slot=run.slot, number=number))
        for member in members:
            self.execute(f"insert into {run.slot}.segment_members values ('{member[0]}', '{member[1]}')")
        self.execute(
            f"update control.runs set gate_passed_at = clock_timestamp() where run_id = {run.run_id}"
        )
        return run

    def publish(self, number: int, members: Sequence[tuple[str, str]] = ()) -> int:
        return publish(self.ctx, self.build(number, members).run_id, MARTS)

    def change_code(self, text: str) -> None:
        """Another fingerprint from now on."""
        model = self.ctx.project.staging_folder / "shop" / "stg_shop__orders.sql"
        model.parent.mkdir(parents=True, exist_ok=True)
        model.write_text(f"select '{text}' as source_key\n")

    def served(self) -> set[int]:
        """The releases that the rows of all marts say they are of."""
        rows = self.ctx.warehouse.rows(
            "select release from marts.letters union select release from marts.numbers"
        )
        return {row["release"] for row in rows}

    def value(self, query: str, *parameters: object) -> object:
        return self.ctx.warehouse.value(query, parameters or None)

    def execute(self, query: str) -> None:
        with self.ctx.warehouse.connect() as connection:
            connection.execute(query)


def found(root: Path, url: str) -> House:
    """A house of the shop's on an empty warehouse."""
    (root / "company" / "dags" / "sources").mkdir(parents=True)
    (root / "company" / "dags" / "sources" / "shop.yml").write_text(SOURCE)
    (root / "company" / "lifehouse.yml").write_text(
        "company: A shop\nreporting_currency: EUR\nrequired_sources: [shop]\n"
    )
    (root / "home").mkdir()
    ctx = Context(Home(root / "home"), Project(root / "company"))
    vars(ctx)["warehouse"] = Warehouse(url)  # the cached property, preset
    return House(ctx)


@pytest.fixture
def house(databases: Any, tmp_path: Path) -> Iterator[House]:
    url = databases.create()
    yield found(tmp_path, url)
    databases.drop(url)


@pytest.fixture(scope="session")
def town_model(databases: Any, tmp_path_factory: pytest.TempPathFactory) -> town.Model:
    """Built once: a night and a half take longer than all judgements of its copies."""
    return town.build(databases, tmp_path_factory.mktemp("town"))


@pytest.fixture
def copy(town_model: town.Model) -> Iterator[town.Town]:
    """A copy of the town whose second night waits for the gate."""
    with town_model.copy() as made:
        yield made
