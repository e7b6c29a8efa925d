"""The demo's source database: The Complete Journey as a shop holds it, brought forward night by night."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pandas as pd
import psycopg
import pyarrow as pa
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import class_row
from pyarrow import csv

from lifehouse.demo import package, shop_tables
from lifehouse.demo.nights import instant
from lifehouse.demo.package import Package
from lifehouse.demo.shop_customers import customers
from lifehouse.demo.shop_story import Story, tell
from lifehouse.errors import SourceError

_LOCK = 7_405_101  # advisory lock: one advance at a time
_CHUNK = 8 << 20
_Maker = Callable[[Package, Story], pd.DataFrame]
#: Each table's key, and how its rows are made.
TABLES: dict[str, tuple[tuple[str, ...], _Maker]] = {
    "customers": (("customer_id",), customers),
    "products": (("product_id",), shop_tables.products),
    "orders": (("order_id",), shop_tables.orders),
    "order_lines": (("order_id", "line_no"), shop_tables.order_lines),
    "campaigns": (("campaign_id",), shop_tables.campaigns),
    "campaign_targets": (("campaign_id", "customer_id"), shop_tables.campaign_targets),
    "coupons": (("campaign_id", "coupon_upc"), shop_tables.coupons),
    "coupon_redemptions": (("redemption_id",), shop_tables.coupon_redemptions),
}


@dataclass(frozen=True)
class ShopTotals:
    """What the shop itself holds; revenue in USD. All but ``cancelled_orders`` speak of completed orders."""

    customers: int
    buyers: int
    orders: int
    cancelled_orders: int
    order_lines: int
    revenue: Decimal


def create_database(server_url: str, name: str = "shop") -> str:
    """The URL of the database ``name`` on the server of ``server_url``; it is made if missing."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
            connection.execute(f'create database "{name}"')
    own = conninfo_to_dict(server_url).get("dbname")
    return server_url.removesuffix(f"/{own}") + f"/{name}"


def advance(url: str, as_of: datetime | date | str, households: int | None = None) -> dict[str, int]:
    """Bring the shop at ``url`` to what it held at ``as_of``; returns the rows written per table.

    The first call makes the tables and loads all history of all households, or of a sample of ``households``.
    A later ``as_of`` writes only what was entered or corrected since; an earlier or the same one changes
    nothing. One transaction: a reader sees one night or the next.
    """
    until = instant(as_of)
    with psycopg.connect(url, options="-c timezone=UTC", application_name="lifehouse demo") as connection:
        connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        clock = _clock(connection)
        if clock is None:
            connection.execute((Path(__file__).parent / "shop_tables.sql").read_bytes())
            connection.execute("insert into demo.clock values ('-infinity', %s)", (households,))
        elif clock[0] >= until:
            return dict.fromkeys(TABLES, 0)
        since, households = clock or (None, households)
        data = package.read(households)
        story = tell(data)
        written = {}
        for table, (key, make) in TABLES.items():
            rows = _entered(make(data, story), key, since, until)
            if since is None:
                written[table] = _copy(connection, table, rows)
                _finish(connection, table, key)
            else:
                written[table] = _upsert(connection, table, key, rows)
        connection.execute("update demo.clock set as_of = %s", (until,))
    return written


def shop_totals(url: str, as_of: datetime | date | str | None = None) -> ShopTotals:
    """The shop's own figures, to compare the marts with.

    :raises SourceError: the shop stands at another instant than ``as_of``.
    """
    with psycopg.connect(url, options="-c timezone=UTC") as connection:
        clock = _clock(connection)
        if clock is None or (as_of is not None and clock[0] != instant(as_of)):
            stands = clock[0].isoformat() if clock else "nowhere: it is empty"
            raise SourceError(f"the demo's shop stands at {stands}, not at {as_of}")
        with connection.cursor(row_factory=class_row(ShopTotals)) as cursor:
            totals = cursor.execute(
                """
                with completed as (
                    select order_id, customer_id from orders where status = 'completed'
                )
                select
                    (select count(*) from customers) as customers,
                    (select count(distinct customer_id) from completed) as buyers,
                    (select count(*) from completed) as orders,
                    (select count(*) from orders where status = 'cancelled') as cancelled_orders,
                    count(*) as order_lines,
                    coalesce(sum(amount), 0) as revenue
                from order_lines
                inner join completed using (order_id)
                """
            ).fetchone()
    assert totals is not None  # noqa: S101
    return totals


def _clock(connection: psycopg.Connection[Any]) -> tuple[datetime, int | None] | None:
    """Where the shop stands and its sample of households; None before the first night."""
    exists = connection.execute("select to_regclass('demo.clock') is not null").fetchone()
    if not exists or not exists[0]:
        return None
    return cast(
        "tuple[datetime, int | None]",
        connection.execute("select as_of, households from demo.clock").fetchone(),
    )


def _entered(
    rows: pd.DataFrame, key: tuple[str, ...], since: datetime | None, until: datetime
) -> pd.DataFrame:
    """Of each key the newest version entered before ``until``, if that was at or after ``since``."""
    window = rows.updated_at < until
    if since is not None:
        window &= rows.updated_at >= since
    rows = rows[window]
    return rows.sort_values("updated_at", kind="stable").drop_duplicates(list(key), keep="last")


def _copy(connection: psycopg.Connection[Any], table: str, rows: pd.DataFrame) -> int:
    columns = ", ".join(rows.columns)
    sink = pa.BufferOutputStream()
    csv.write_csv(
        pa.Table.from_pandas(rows, preserve_index=False), sink, csv.WriteOptions(include_header=False)
    )
    statement = f"copy {table} ({columns}) from stdin (format csv)"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for chunk in _chunks(sink.getvalue()):
            copy.write(chunk)
    return len(rows)


def _upsert(connection: psycopg.Connection[Any], table: str, key: tuple[str, ...], rows: pd.DataFrame) -> int:
    if rows.empty:
        return 0
    staged = f"new_{table}"
    values = ", ".join(f"{column} = excluded.{column}" for column in rows.columns if column not in key)
    columns = ", ".join(rows.columns)
    connection.execute(f"create temp table {staged} (like {table}) on commit drop")
    written = _copy(connection, staged, rows)
    connection.execute(
        f"insert into {table} ({columns}) select {columns} from {staged} "  # noqa: S608
        f"on conflict ({', '.join(key)}) do update set {values}"
    )
    return written


def _finish(connection: psycopg.Connection[Any], table: str, key: tuple[str, ...]) -> None:
    for statement in (
        f"alter table {table} add primary key ({', '.join(key)})",
        f"create index on {table} (updated_at)",
        f"analyze {table}",
    ):
        connection.execute(statement)


def _chunks(buffer: pa.Buffer) -> Iterator[memoryview]:
    view = memoryview(buffer)
    for start in range(0, len(view), _CHUNK):
        yield view[start : start + _CHUNK]
