"""A corner shop's records, invented from a seed, put straight into raw; its marts are built once for all tests here."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from lifehouse import stations
from lifehouse.build import dbt
from lifehouse.context import Context
from lifehouse.home import Home
from lifehouse.ingest.declaration import load_source
from lifehouse.project import Project
from lifehouse.warehouse.connection import Warehouse

COMPANY = Path(__file__).parent / "company"
AS_OF = datetime(2011, 11, 1, tzinfo=UTC)
START = datetime(2011, 1, 1, tzinfo=UTC)
PRODUCTS = {f"mug-{n}": Decimal(n * 37 + 11) / 100 for n in range(1, 13)}
Record = dict[str, Any]


@dataclass
class Company:
    """The shop's own books, table by table, as a person would count them."""

    people: list[Record] = field(default_factory=list)
    consents: list[Record] = field(default_factory=list)
    orders: list[Record] = field(default_factory=list)
    lines: list[Record] = field(default_factory=list)
    campaigns: list[Record] = field(default_factory=list)
    targets: list[Record] = field(default_factory=list)
    offers: list[Record] = field(default_factory=list)
    redemptions: list[Record] = field(default_factory=list)
    stages: list[Record] = field(default_factory=list)

    def lines_of(self, order: Record) -> list[Record]:
        return [line for line in self.lines if line["order_id"] == order["order_id"]]


@dataclass
class Built:
    """The marts of the corner shop in slot ``slot``, beside its books."""

    ctx: Context
    company: Company
    slot: str

    def rows(self, query: str) -> list[Record]:
        with self.ctx.warehouse.connect() as connection, connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute("select set_config('search_path', %s, true)", [f"{self.slot}, core"])
            return cursor.execute(query).fetchall()  # type: ignore[arg-type]

    def dbt(self, command: str, *arguments: str) -> Any:
        return dbt.invoke(self.ctx, command, self.slot, list(arguments))


def invent(seed: int = 7) -> Company:
    """Forty people, about three hundred orders with guests, refunds, cancellations and a second currency, two campaigns."""
    dice, company = random.Random(seed), Company()
    for n in range(40):
        born = START + timedelta(days=n)
        company.people.append(
            {
                "person_id": f"p{n}",
                "full_name": f"Person {n}",
                "email": f"p{1 if n == 38 else n}@example.org",  # p38 is p1 again
                "acquisition_channel": ["Google", "friend", "carrier pigeon", None][n % 4],
                "created_at": born,
                "updated_at": born,
            }
        )
        for status in ["granted", "withdrawn"][: n % 3]:
            company.consents.append(
                {
                    "consent_id": f"c{n}{status}",
                    "person_id": f"p{n}",
                    "channel": "email",
                    "purpose": "marketing",
                    "status": status,
                    "changed_at": born + timedelta(days=1 if status == "granted" else 2),
                }
            )
    for n in range(300):
        _order(dice, company, n)
    _stages(random.Random(seed), company)
    _campaign(company, "spring", 1, datetime(2011, 4, 1, tzinfo=UTC), datetime(2011, 5, 1, tzinfo=UTC))
    _campaign(company, "autumn", 2, datetime(2011, 10, 17, tzinfo=UTC), datetime(2011, 11, 14, tzinfo=UTC))
    _campaign(company, "early", 3, datetime(2011, 1, 5, tzinfo=UTC), datetime(2011, 2, 5, tzinfo=UTC))
    _campaign(company, "advent", 5, datetime(2011, 12, 1, tzinfo=UTC), datetime(2011, 12, 24, tzinfo=UTC))
    return company


def _order(dice: random.Random, company: Company, n: int) -> None:
    order = {
        "order_id": f"o{n}",
        "person_id": None if n % 9 == 0 else f"p{min(dice.randrange(35), dice.randrange(39))}",
        "order_type": "sale",
        "ordered_at": START + timedelta(minutes=dice.randrange(340 * 24 * 60)),
        "status": "cancelled" if n % 31 == 5 else "completed",
        "currency": "USD" if n % 23 == 3 else "EUR",
        "refund_of": None,
    }
    company.orders.append(order)
    for place in range(1 + dice.randrange(4)):
        product = dice.choice(list(PRODUCTS))
        price = Decimal(0) if dice.random() < 0.05 else PRODUCTS[product]
        _line(company, order, place, product, dice.randrange(1, 9), price)
    if n % 6 == 1:
        back = order | {
            "order_id": f"C{n}",
            "order_type": "refund",
            "ordered_at": order["ordered_at"] + timedelta(days=dice.randrange(1, 20)),
            "status": "completed",
            "refund_of": order["order_id"] if n % 12 == 1 else None,
        }
        company.orders.append(back)
        first = company.lines_of(order)[0]
        product = "never-bought" if n % 18 == 1 else first["product"]
        _line(
            company,
            back,
            0,
            product,
            -int(first["quantity"]) - (n % 4 == 1),
            PRODUCTS.get(product, Decimal("5.55")),
        )


def _stages(dice: random.Random, company: Company) -> None:
    """A pipeline in which people skip stages and move back, some twice at one instant; and one that nobody named."""
    for n in (*range(0, 30, 2), 1, 38):  # p38 is p1 again
        at = START + timedelta(days=n)
        for place in range(dice.randrange(1, 7)):
            company.stages.append(
                {
                    "change_id": f"s{n}-{place}",
                    "person_id": f"p{n}",
                    "pipeline": " " if n % 10 == 8 else "sales",
                    "stage": dice.choice(["lead", " talking ", "customer", "gone", "on hold", "", None]),
                    "changed_at": at,
                }
            )
            at += timedelta(days=dice.choice([0, 5, 5, 40]))


def _line(company: Company, order: Record, place: int, product: str, quantity: int, price: Decimal) -> None:
    company.lines.append(
        {
            "line_id": f"{order['order_id']}-{place}",
            "order_id": order["order_id"],
            "product": product,
            "line_type": "refund" if quantity < 0 else "sale",
            "quantity": Decimal(quantity),
            "unit_price": price,
            "amount": quantity * price,
            "currency": order["currency"],
        }
    )


def _campaign(company: Company, key: str, every: int, starts_at: datetime, ends_at: datetime) -> None:
    company.campaigns.append(
        {
            "campaign_id": key,
            "name": key.title(),
            "starts_at": starts_at,
            "ends_at": ends_at,
            "cost": Decimal(100),
            "currency": "EUR",
        }
    )
    company.offers.append({"offer_id": f"mug-coupon-{key}", "campaign_id": key})
    for n in range(0, 40, every):
        arm = "holdout" if n % 5 == 4 else "treatment"
        company.targets.append(
            {
                "target_id": f"{key}-p{n}",
                "campaign_id": key,
                "person_id": f"p{n}",
                "arm": arm,
                "targeted_at": starts_at,
            }
        )
    for n in range(0, 40, 7):
        company.redemptions.append(
            {
                "redemption_id": f"{key}-r{n}",
                "offer_id": f"mug-coupon-{key}",
                "campaign_id": None,
                "person_id": f"p{n}",
                "redeemed_at": starts_at + timedelta(days=3),
            }
        )


def store(ctx: Context, tables: dict[str, list[Record]]) -> int:
    """Put records into ``raw_corner`` as one accepted load; returns its load_id."""
    source = load_source(COMPANY / "dags" / "sources" / "corner.yml")
    with ctx.warehouse.connect() as connection:
        connection.execute("create schema if not exists raw_corner")
        (load_id,) = connection.execute(
            """
            insert into control.loads (source, status, decided_at, decided_by, change_seq)
            values ('corner', 'accepted', now(), 'test', 0) returning load_id
            """
        ).fetchone() or (0,)
        for name, table in source.tables.items():
            columns = ", ".join(f'"{column}" {spec.type}' for column, spec in table.columns.items())
            connection.execute(
                f"""
                create table if not exists raw_corner.{name} ({columns}, _extra jsonb, _load_id bigint,
                    _loaded_at timestamptz default now(), _hash bigint, _row bigint generated always as identity,
                    _deleted boolean not null default false)
                """  # type: ignore[arg-type]
            )
            _copy(
                connection,
                name,
                list(table.columns),
                [row | {"_load_id": load_id} for row in tables.get(name, [])],
            )
    return int(load_id)


def _copy(connection: psycopg.Connection[Any], name: str, columns: list[str], rows: list[Record]) -> None:
    names = [*columns, "_load_id"]
    with connection.cursor().copy(f"copy raw_corner.{name} ({', '.join(names)}) from stdin") as copy:  # type: ignore[arg-type]
        for row in rows:
            copy.write_row([row[column] for column in names])


def build(ctx: Context, as_of: datetime = AS_OF, *, full_refresh: bool = False) -> str:
    """The building stations of a night; returns the slot that holds the marts."""
    run = stations.begin(ctx, as_of, full_refresh=full_refresh)
    stations.core(ctx, run.run_id)
    stations.release(ctx, run.run_id)
    ctx.warehouse.execute(  # as publication does: what the slot holds is vouched for, the next night goes on from it
        "update control.slots set fingerprint = %s, change_seq = %s where slot = %s",
        (run.fingerprint, run.change_seq, run.slot),
    )
    return str(run.slot)


@pytest.fixture(scope="session")
def corner(databases: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """The corner shop's marts as of 2011-11-01, all records in one load."""
    url = databases.create()
    ctx = Context(Home(tmp_path_factory.mktemp("corner")), Project(COMPANY))
    vars(ctx)["warehouse"] = Warehouse(url)
    company = invent()
    store(ctx, vars(company))
    yield Built(ctx, company, build(ctx))
    databases.drop(url)


@pytest.fixture
def corner_by_nights(make_context: Any) -> Built:
    """The same company; its records came in two nights, a few first wrong and then corrected, two orders cancelled in between."""
    ctx, company = make_context(COMPANY), invent()
    first = {
        name: records[: len(records) - 12] for name, records in vars(company).items() if len(records) > 12
    }
    later = {name: records[len(first.get(name, [])) :] for name, records in vars(company).items()}
    corrected = [line for line in first["lines"] if line["line_id"] in {"o1-0", "C1-0", "o20-0"}]
    wrong = [line | {"amount": line["amount"] * 2} for line in corrected]
    first["lines"] = [line for line in first["lines"] if line not in corrected] + wrong
    later["lines"] += corrected
    cancelled = [order for order in first["orders"] if order["order_id"] in {"o5", "o67"}]
    assert {order["status"] for order in cancelled} == {"cancelled"}
    standing = [order | {"status": "completed"} for order in cancelled]
    first["orders"] = [order for order in first["orders"] if order not in cancelled] + standing
    later["orders"] += cancelled
    mistaken = [change for change in first["stages"] if change["change_id"] in {"s0-0", "s4-1", "s38-0"}]
    first["stages"] = [change for change in first["stages"] if change not in mistaken]
    first["stages"] += [change | {"stage": "gone", "person_id": "p3"} for change in mistaken]
    later["stages"] += mistaken
    store(ctx, first)
    build(ctx)
    store(ctx, later)
    return Built(ctx, company, build(ctx))
