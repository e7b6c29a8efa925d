"""A shop of one or two tables in a real source database, and whatever else a source can be."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lifehouse.context import Context
from lifehouse.ingest import decisions, gate, run

HEAD = "owner: data-team\ndescription: a test's source\nschedule: '0 2 * * *'\n"
COMPANY = "company: Test\nreporting_currency: USD\n"
SHOP = """
kind: sql
connection: {url: "${TEST_SHOP_URL}", schema: public}
quarantine_share: 0.05
tables:
  orders:
    key: [order_id]
    cursor: updated_at
    overlap: 1h
    columns:
      order_id: {type: bigint, required: true}
      email: {type: text}
      currency: {type: text, required: true, in: [USD]}
      amount: {type: "numeric(12,2)", min: 0}
      updated_at: {type: timestamptz, required: true}
  products:
    key: [product_id]
    columns:
      product_id: {type: integer, required: true}
      name: {type: text}
"""
TABLES = """
create table orders (
    order_id bigint, email text, currency text default 'USD', amount numeric(12,2) default 10,
    updated_at timestamptz default '2020-01-01'
);
create table products (product_id integer, name text);
insert into products select g, 'product ' || g from generate_series(1, 5) as g;
insert into orders (order_id, email, updated_at)
select g, 'person' || g || '@example.org', timestamptz '2020-01-01' + g * interval '1 hour'
from generate_series(1, 100) as g;
"""


@dataclass
class House:
    """A company with one source, ``shop`` unless said otherwise."""

    ctx: Context
    source: str

    def ingest(self) -> run.IngestResult:
        return run.ingest(self.ctx, self.source)

    def night(self) -> run.IngestResult:
        """Ingest, and accept without asking the gate: quick, where the gate is not what is tried."""
        result = self.ingest()
        if result.load_id is not None:
            decisions.settle(self.ctx, result.load_id, "accepted", by="a test")
        return result

    def judged_night(self) -> run.IngestResult:
        """Ingest and judge."""
        result = self.ingest()
        if result.load_id is not None:
            gate.judge(self.ctx, result.load_id)
        return result

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self.ctx.warehouse.rows(query)]

    def value(self, query: str) -> Any:
        return self.ctx.warehouse.value(query)

    def declare(self, old: str, new: str) -> None:
        """Change the source's declaration."""
        path = self.ctx.project.source_files[0]
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


@pytest.fixture
def make_house(make_context: Callable[..., Context], tmp_path: Path) -> Callable[..., House]:
    """Makes a company with one source declared by ``body``."""

    def make(body: str, source: str = "shop") -> House:
        root = tmp_path / "company"
        (root / "dags" / "sources").mkdir(parents=True)
        (root / "lifehouse.yml").write_text(COMPANY)
        declaration = f"source: {source}\n{HEAD}{textwrap.dedent(body)}"
        (root / "dags" / "sources" / f"{source}.yml").write_text(declaration)
        return House(make_context(project_root=root), source)

    return make


@dataclass
class SourceDatabase:
    """The source's own database, changed as its owner would."""

    url: str

    def run(self, statement: str) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(statement)  # type: ignore[call-overload]


@pytest.fixture
def shop_database(databases: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[SourceDatabase]:
    """A shop with 100 orders, one an hour from 2020-01-01 01:00 UTC on, and 5 products."""
    url = databases.create(template=None)
    monkeypatch.setenv("TEST_SHOP_URL", url)
    made = SourceDatabase(url)
    made.run(TABLES)
    yield made
    databases.drop(url)


@pytest.fixture
def shop(make_house: Callable[..., House], shop_database: SourceDatabase) -> House:
    """The house that reads this shop."""
    return make_house(SHOP)
