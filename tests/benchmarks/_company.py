"""A seeded company of any size, whose staging is filled by SQL: what is measured begins right of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lifehouse.build import dbt, stations
from lifehouse.build.place import nightly
from lifehouse.context import Context
from lifehouse.home import Home
from lifehouse.project import Project
from lifehouse.releases.run import Run, begin
from lifehouse.warehouse.connection import Warehouse

MADE = (Path(__file__).parent / "_company.sql").read_text(encoding="utf-8")
NIGHT = datetime(2024, 1, 1, tzinfo=UTC)
_MATTERS = (
    *("profiles", "orders", "order_lines", "interactions", "messages", "tickets", "product_usage"),
    *("subscriptions", "stage_changes", "offer_redemptions", "reviews"),
)
#: Once the generator's rows; what comes later is set down by the nights themselves.
_STAGED = """
{{ config(
    materialized='incremental', incremental_strategy='append', post_hook="{{ lifehouse.fresh_statistics() }}",
    indexes=[{'columns': ['<key>']}],
) }}

select * from bench.<name>
{% if is_incremental() %}where false{% endif %}
"""
_SOURCE = """
source: bench
owner: data-team
description: a generator, whose rows stand in the schema bench
kind: files
connection: {url: "/nowhere"}
schedule: "0 2 * * *"
tables:
  nothing:
    key: [id]
    files: "*.csv"
    columns: {id: {type: text, required: true}}
"""


@dataclass
class Company:
    """Nights are counted; the marts of the idle slot are built and never published."""

    ctx: Context
    nights: int = 0
    built: int = 0  # the newest decision that the slot knows

    @classmethod
    def found(cls, folder: Path, url: str, people: int) -> Company:
        """Lay out the company's folder, and the generator's rows in the warehouse."""
        (folder / "lifehouse.yml").write_text("company: Bench\nreporting_currency: EUR\n")
        sources = folder / "dags" / "sources"
        sources.mkdir(parents=True)
        (sources / "bench.yml").write_text(_SOURCE)
        staging = folder / "dbt_project" / "models" / "staging" / "bench"
        staging.mkdir(parents=True)
        for name in _MATTERS:
            key = "order_key" if name == "order_lines" else "customer_key"
            (staging / f"stg_bench__{name}.sql").write_text(
                _STAGED.replace("<name>", name).replace("<key>", key)
            )
        ctx = Context(Home(folder / "home"), Project(folder))
        vars(ctx)["warehouse"] = Warehouse(url)  # the cached property, preset
        with ctx.warehouse.connect() as connection:
            connection.execute(MADE.replace("{people}", str(people)).encode())
        ctx.warehouse.execute("analyze")
        return cls(ctx)

    def night(self) -> Run:
        """A run about the next night, for which something was delivered."""
        self.nights += 1
        self.ctx.warehouse.execute(_LOAD)
        return begin(self.ctx, NIGHT + timedelta(days=self.nights))

    def quiet_night(self) -> Run:
        """A run about the next night, for which nothing was delivered."""
        self.nights += 1
        return begin(self.ctx, NIGHT + timedelta(days=self.nights))

    def core(self, run: Run) -> dict[str, Any]:
        """What the station tells, and the ``seconds`` of the identity step."""
        told: dict[str, Any] = {"seconds": 0.0}
        step = stations.resolve

        def timed(*args: Any, **options: Any) -> dict[str, int]:
            began = time.perf_counter()
            try:
                return step(*args, **options)
            finally:
                told["seconds"] = time.perf_counter() - began

        vars(stations)["resolve"] = timed
        try:
            return stations.build_core(self.ctx, run) | told
        finally:
            vars(stations)["resolve"] = step

    def changed(self, *, full: bool = False) -> int:
        """Note whom the slot has to replace: who changed since it was built, or all."""
        with self.ctx.warehouse.connect() as connection:
            connection.execute("delete from control.run_customers where scope = 'slot'")
            count = connection.execute(_CHANGED, {"all": full, "since": self.built}).rowcount
            connection.execute("analyze control.run_customers")
        return count

    def lifecycles(self, run: Run, *models: str, full: bool = False) -> list[dbt.ModelResult]:
        """Build some of the release's models, as its station does."""
        exclude = () if self.changed(full=full) else stations.PER_CUSTOMER
        return dbt.build(self.ctx, models, nightly(run.building_slot), full=full, exclude=exclude)

    def one_in(self, number: int, run: Run) -> int:
        """One customer in so many buys something, as of the run; returns how many."""
        with self.ctx.warehouse.connect() as connection:
            parameters = {"number": number, "at": run.as_of, "change_seq": run.change_seq}
            for statement in _BOUGHT:
                count = connection.execute(statement, parameters).rowcount
        return count

    def vacuum(self) -> None:
        """What the server would do at some time in the minutes after a great change, and count as a night's work."""
        with self.ctx.warehouse.connect(autocommit=True) as connection:
            connection.execute("vacuum")

    def warm(self) -> None:
        """Read all tables and indexes once, so that the next night finds them in the memory of the machine, if they fit there."""
        self.ctx.warehouse.execute("create extension if not exists pg_prewarm")
        self.ctx.warehouse.execute(_WARM)

    def value(self, query: str) -> Any:
        return self.ctx.warehouse.value(query)


_WARM = """
    select sum(pg_prewarm(pg_class.oid, 'read'))
    from pg_class inner join pg_namespace as schemas on pg_class.relnamespace = schemas.oid
    where pg_class.relkind in ('r', 'i') and schemas.nspname not in ('bench', 'pg_catalog', 'information_schema', 'pg_toast')
"""
_LOAD = """
    insert into control.loads (source, status, opened_at, decided_at, decided_by, change_seq)
    values ('bench', 'accepted', clock_timestamp(), clock_timestamp(), 'bench', nextval('control.change_seq'))
"""
_CHANGED = """
    insert into control.run_customers (scope, customer_id)
    select 'slot', customer_id from core.customer_registry where %(all)s
    union
    select 'slot', customer_id from core.customer_changes where change_seq > %(since)s
"""
_BOUGHT = (
    """
    insert into staging.stg_bench__orders
        (source, source_key, _loaded_at, customer_key, order_type, ordered_at, status, channel, currency)
    select
        'shop', 'night-' || number || '-' || %(change_seq)s, %(at)s, 'shop' || number, 'sale', %(at)s,
        'completed', 'web', 'EUR'
    from bench.people where number %% %(number)s = 0
    """,
    """
    insert into staging.stg_bench__order_lines
    select
        source, source_key, _loaded_at, source_key, 'p1', 'sale', 1, 10, 10, 0, 'EUR'
    from staging.stg_bench__orders where source_key like 'night-%%' and ordered_at = %(at)s
    """,
    """
    insert into core.changed_keys (change_seq, source, kind, key)
    select %(change_seq)s, source, 'customer', customer_key
    from staging.stg_bench__orders where source_key like 'night-%%' and ordered_at = %(at)s
    """,
)
