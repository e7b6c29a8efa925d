"""Whatever happens to records after they came: what staging reads is what a plain dictionary says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.home import Home
from lifehouse.ingest import decisions, quarantine, record, retention
from lifehouse.ingest.declaration import find_source
from lifehouse.ingest.delivery import Delivery
from lifehouse.ingest.quarantine import Selection
from lifehouse.project import Project
from lifehouse.warehouse.connection import Warehouse
from support.databases import Databases
from support.staging import Macros

SOURCE = """
source: shop
owner: data-team
description: a list of items, read whole each night
kind: sql
connection: {url: nowhere}
schedule: '0 2 * * *'
retention: 1d
tables:
  items:
    key: [item]
    deletions: keys
    empty: allowed
    columns:
      item: {type: integer, required: true}
      amount: {type: integer, min: 0}
"""
RESET = """
truncate control.loads restart identity cascade;
drop schema if exists raw_shop, landing_shop cascade;
drop table if exists quarantine.shop_items;
delete from control.current_run;
insert into control.current_run values (true, 1, now(), 'blue', 0, 0, 0);
update control.core_state set fingerprint = 'a test', change_seq = 0
"""


@pytest.fixture(scope="module")
def shop(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    root = tmp_path_factory.mktemp("company")
    (root / "dags" / "sources").mkdir(parents=True)
    (root / "lifehouse.yml").write_text("company: Test\nreporting_currency: USD\n")
    (root / "dags" / "sources" / "shop.yml").write_text(SOURCE)
    url = databases.create()
    context = Context(Home(Path(tmp_path_factory.mktemp("home"))), Project(root))
    vars(context)["warehouse"] = Warehouse(url)
    yield context
    databases.drop(url)


@dataclass
class Bad:
    """A record that was set aside."""

    load: int
    key: int
    value: int
    decided_into: int | None = None


@dataclass
class Reference:
    """What the loads brought, in plain dictionaries; ``None`` is a deletion. A load is as old as its ``age`` says."""

    rows: dict[int, dict[int, int | None]] = field(default_factory=dict)
    age: dict[int, int] = field(default_factory=dict)
    rejected: set[int] = field(default_factory=set)
    baselined: set[int] = field(default_factory=set)
    bad: list[Bad] = field(default_factory=list)

    def versions(self, key: int) -> list[tuple[int, int, int | None]]:
        """(age, load, value) of all accepted versions, the newest last."""
        return sorted(
            ((self.age[load], load, rows[key]) for load, rows in self.rows.items()
             if key in rows and load not in self.rejected),
            key=lambda version: version[:2],
        )  # fmt: skip

    def living(self) -> dict[int, int]:
        newest = {key: self.versions(key)[-1:] for key in range(1, 5)}
        return {key: found[0][2] for key, found in newest.items() if found and found[0][2] is not None}

    def expect(self, items: dict[int, int]) -> tuple[dict[int, int | None], list[tuple[int, int]]]:
        """What a delivery of these items stores, and what it sets aside."""
        rows: dict[int, int | None] = {key: None for key in self.living() if key not in items}
        aside = []
        for key, value in items.items():
            age, _, current = (self.versions(key) or [(-1, -1, None)])[-1]
            if value < 0:
                is_known = any(
                    (bad.key, bad.value) == (key, value) and bad.load not in self.rejected and bad.load >= age
                    for bad in self.bad
                )
                if not is_known:
                    aside.append((key, value))
                lived = [value for _, _, value in self.versions(key) if value is not None]
                if current is None and lived:  # it is listed again, and what comes is bad: as it was
                    rows[key] = lived[-1]
            elif value != current or any(
                bad.key == key and bad.load > age and bad.decided_into is None for bad in self.bad
            ):
                rows[key] = value
        return rows, aside

    def reject(self, load: int) -> None:
        for other in [load, *(r for r, age in self.age.items() if age == load and r not in self.rejected)]:
            self.rejected.add(other)
            for bad in self.bad:
                if bad.decided_into == other:
                    bad.decided_into = None


def deliver(ctx: Context, items: dict[int, int]) -> int | None:
    """An ingest of these items without dlt: what was landed is recorded, and accepted."""
    source = find_source(ctx.project, "shop")
    with ctx.warehouse.connect() as connection:
        connection.execute("drop schema if exists landing_shop cascade")
        connection.execute("create schema landing_shop")
        connection.execute("create table landing_shop.items (item integer, amount integer)")
        with connection.cursor().copy("copy landing_shop.items from stdin") as copy:
            for row in items.items():
                copy.write_row(row)
    load_id, _ = record.record(ctx, source, {"items": Delivery("items")})
    if load_id is not None:
        decisions.settle(ctx, load_id, "accepted", by="a test")
    return load_id


@dataclass
class Staging:
    """The staging table, kept up to date night by night, and read anew."""

    rows: dict[int, int] = field(default_factory=dict)

    def night(self, ctx: Context) -> dict[int, int]:
        """What a full rebuild reads; ``rows`` are what the touched keys make of those of the night before."""
        with ctx.warehouse.connect() as connection:
            connection.execute(_CURRENT)
            known = connection.execute("select to_regclass('raw_shop.items') is not null").fetchone()
            if known != (True,):
                return {}
            macros = Macros(connection, "shop", "items", ["item"], "item::text")
            full = {row["item"]: row["amount"] for row in macros.living()}
            fresh = {row["item"]: row["amount"] for row in macros.touched()}
            touched = {row[0] for row in connection.execute("select key from pg_temp.touched")}
            self.rows = {key: value for key, value in self.rows.items() if str(key) not in touched} | fresh
            connection.execute(
                "update control.core_state set change_seq = (select change_to from control.current_run)"
            )
            return full


_CURRENT = """
update control.current_run
set core_from = change_to, change_to = (select coalesce(max(change_seq), 0) from control.loads)
"""


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("deliver"), st.dictionaries(st.integers(1, 4), st.integers(-2, 2), max_size=4)),
        st.tuples(st.sampled_from(["reject", "accept", "release"]), st.integers(0, 9)),
        st.tuples(st.just("prune"), st.integers(0, 9)),
    ),
    min_size=3,
    max_size=9,
)


@settings(
    max_examples=30,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
@given(STEPS)
def test_staging_is_what_a_dictionary_says(shop: Context, steps: list[tuple[str, Any]]) -> None:
    with shop.warehouse.connect() as connection:
        connection.execute(RESET)
    told, staging = Reference(), Staging()
    for step in steps:
        _step(shop, told, *step)
        assert staging.night(shop) == told.living(), step
        assert staging.rows == told.living(), step


def _step(ctx: Context, told: Reference, step: str, what: Any) -> None:
    if step == "deliver":
        _deliver(ctx, told, what)
    elif told.rows:
        load = sorted(told.rows)[what % len(told.rows)]
        {"prune": _prune, "release": _release, "reject": _settle, "accept": _settle}[step](
            ctx, told, load, step
        )


def _deliver(ctx: Context, told: Reference, items: dict[int, int]) -> None:
    rows, aside = told.expect(items)
    load = deliver(ctx, items)
    assert (load is not None) == bool(rows or aside)
    if load is not None:
        told.rows[load], told.age[load] = rows, load
        told.bad += [Bad(load, key, value) for key, value in aside]


def _settle(ctx: Context, told: Reference, load: int, step: str) -> None:
    decision: Any = {"reject": "rejected", "accept": "accepted"}[step]
    is_other = (load in told.rejected) == (step == "accept")
    if is_other and (load in told.baselined or (step == "accept" and told.age[load] != load)):
        with pytest.raises(LifehouseError):
            decisions.settle(ctx, load, decision, by="a test")
        return
    assert decisions.settle(ctx, load, decision, by="a test") == is_other
    if is_other and step == "reject":
        told.reject(load)
    elif is_other:
        told.rejected.discard(load)


def _release(ctx: Context, told: Reference, load: int, _: str) -> None:
    waiting = [bad for bad in told.bad if bad.load == load and bad.decided_into is None]
    waiting = waiting if load not in told.rejected else []
    done = quarantine.release(ctx, Selection("shop", load_id=load), by="a test", reason="they are right")
    assert done.records == len(waiting)
    if waiting:
        (into,) = done.loads
        told.rows[into], told.age[into] = {bad.key: bad.value for bad in waiting}, load
        for bad in waiting:
            bad.decided_into = into


def _prune(ctx: Context, told: Reference, load: int, _: str) -> None:
    """Everything up to this load is long ago."""
    long_ago = datetime.now(UTC) - timedelta(days=9)
    ctx.warehouse.execute("update control.loads set opened_at = %s where load_id <= %s", (long_ago, load))
    retention.prune(ctx)
    told.baselined |= {other for other in told.rows if other <= load}
    told.bad = [bad for bad in told.bad if bad.load > load]
