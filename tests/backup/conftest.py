"""A tiny company with two published nights, a sync that ran, and one order that was set aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lifehouse.context import Context
from lifehouse.home import Home
from lifehouse.project import Project
from lifehouse.warehouse.connection import Warehouse
from support.databases import Databases
from support.tiny import ANN, BEN, CAM, TINY, Company, sale


@pytest.fixture(scope="module")
def contexts(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Context]]:
    """Makes contexts of the tiny company, each with a warehouse and a home of its own."""
    made: list[str] = []

    def make() -> Context:
        made.append(databases.create())
        context = Context(Home(tmp_path_factory.mktemp("home")), Project(TINY))
        vars(context)["warehouse"] = Warehouse(made[-1])
        return context

    yield make
    for url in made:
        databases.drop(url)


@pytest.fixture(scope="module")
def company(contexts: Callable[[], Context], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    made = Company(contexts(), tmp_path_factory.mktemp("company"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINY_FOLDER", str(made.folder))
        made.people("all", [ANN, BEN, CAM])
        made.lines("2024-01-05", [sale("o1", "p1", "2024-01-05", 10), sale("o2", "p2", "2024-01-05", 7)])
        made.night("2024-01-06")
        made.people(
            "more", [("p4", "Dee Dale", "DEE@example.com", "", "", "2024-01-06", "2024-01-06", "granted")]
        )
        bad = ("o9", "p1", "2024-01-06T12:00:00Z", "tea", "two", 1, "EUR", "sale")
        good = [sale(f"o{number}", "p1", "2024-01-06", number) for number in range(3, 9)]
        made.lines("2024-01-06", [*good, sale("o20", "p4", "2024-01-06", 5), bad])
        night = made.night("2024-01-07")
        assert night.status == "published"
        assert night.syncs["actives"].confirmed == 2
        yield made


@pytest.fixture
def file(company: Company, tmp_path: Path) -> Path:
    from lifehouse.backup.make import backup

    return backup(company.ctx, tmp_path / "kept.backup").file
