"""A town of 150 people whose second night is built and waits for the release gate; each test damages a copy of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lifehouse import stations
from lifehouse.context import Context
from lifehouse.errors import GateClosed
from lifehouse.home import Home
from lifehouse.project import Project
from lifehouse.releases.gate import Verdict, judge
from lifehouse.warehouse.connection import Warehouse
from support.databases import Databases
from support.tiny import TINY, Company, sale

SECOND = datetime(2024, 2, 2, tzinfo=UTC)


@dataclass
class Town:
    """A copy of the town: ``slot`` waits for the gate, ``served`` is published."""

    ctx: Context
    run_id: int
    slot: str
    served: str

    def do(self, damage: str) -> None:
        """Statements in which ``{slot}`` and ``{served}`` name the copies."""
        with self.ctx.warehouse.connect() as connection:
            connection.execute(damage.replace("{slot}", self.slot).replace("{served}", self.served).encode())

    def judge(self) -> Verdict:
        return judge(self.ctx, self.run_id)

    def closed(self) -> list[str]:
        """The sentences with which the gate closes."""
        with pytest.raises(GateClosed) as closed:
            self.judge()
        return closed.value.failures

    def failed(self, severity: str = "%") -> set[tuple[str, str]]:
        """Subject and name of every rule that did not hold; of any severity, or of one."""
        query = f"""
            select subject, expectation from marts.quality_results
            where run_id = %s and not success and severity like '{severity.replace("%", "%%")}'
        """
        return {
            (row["subject"], row["expectation"]) for row in self.ctx.warehouse.rows(query, (self.run_id,))
        }

    def results(self) -> list[dict[str, object]]:
        query = "select * from marts.quality_results where run_id = %s order by result_id"
        return self.ctx.warehouse.rows(query, (self.run_id,))


@dataclass
class Model:
    """The town as it was built, in a database that nobody is connected to: the template of every copy."""

    databases: Databases
    home: Path
    database: str
    made: int = 0

    @contextmanager
    def copy(self) -> Iterator[Town]:
        self.made += 1
        url = self.databases.create(template=self.database)
        ctx = Context(Home(self.home / f"home-{self.made}"), Project(TINY))
        ctx.home.path.mkdir()
        vars(ctx)["warehouse"] = Warehouse(url)  # the cached property, preset
        run = ctx.warehouse.rows("select run_id, slot from control.runs order by run_id desc limit 1")[0]
        yield Town(ctx, run["run_id"], run["slot"], "blue" if run["slot"] == "green" else "green")
        self.databases.drop(url)


def people(company: Company) -> None:
    company.people(
        "all",
        [
            (
                *(f"p{n}", f"Person {n}", f"p{n}@example.com" if n % 3 else "", f"030 55{n:05}", ""),
                *("2024-01-01", "2024-01-01", "granted" if n % 2 else "withdrawn"),
            )
            for n in range(150)
        ],
    )


def day(company: Company, date: str, orders: int) -> None:
    """Orders of an ordinary day: afternoons, a guest among them, 5 to 54 euros, a refund."""
    rows = [
        (
            *(f"{date}-{n}", f"p{(n * 7 + int(date[-2:]) * 11) % 150}" if n % 10 else ""),
            *(f"{date}T{12 + n % 6}:30:00Z", "tea", 1, 5 + (n * 13) % 50, "EUR", "sale"),
        )
        for n in range(orders)
    ]
    company.lines(date, [*rows, sale(f"{date}-r", "p7", date, -3, "refund")])


def build(databases: Databases, root: Path) -> Model:
    """The first night is published, the second is built as far as the gate."""
    url = databases.create()
    folder = root / "files"
    (root / "home").mkdir(parents=True)
    folder.mkdir()
    ctx = Context(Home(root / "home"), Project(TINY))
    vars(ctx)["warehouse"] = Warehouse(url)
    company = Company(ctx, folder)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TINY_FOLDER", str(folder))
        people(company)
        for number in range(1, 32):
            day(company, f"2024-01-{number:02}", 25)
        night = company.night("2024-02-01")
        assert night.problems == []
        day(company, "2024-02-01", 60)
        load = stations.ingest(ctx, "tiny")
        assert load is not None
        stations.raw_gate(ctx, load)
        run = stations.begin(ctx, SECOND)
        stations.core(ctx, run.run_id)
        stations.release(ctx, run.run_id)
    return Model(databases, root, url.rsplit("/", 1)[1])
