"""A shop's daily CSV files, and the project that `lifehouse init` drafts from them, with two releases published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lifehouse import run
from lifehouse.context import Context
from lifehouse.home import Home
from lifehouse.project import Project
from lifehouse.scaffold import files, project
from lifehouse.warehouse.connection import Warehouse
from support.shop import DAYS, Shop, drop_days


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """A folder with twelve daily files."""
    folder = tmp_path / "feed"
    drop_days(folder, range(DAYS))
    return folder


@pytest.fixture(scope="session")
def shop(databases: Callable[..., object], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Two nights of the drafted project, run once for all tests here."""
    folder = tmp_path_factory.mktemp("face")
    feed = folder / "feed"
    drop_days(feed, range(10))
    made = project.plan(files.look(feed), "shop", "A shop & sons", "GBP", "Europe/London")
    project.write(made, folder / "company")
    home = Home(folder / "home")
    home.path.mkdir(mode=0o711)
    url = databases.create()  # type: ignore[attr-defined]
    ctx = Context(home, Project(folder / "company"))
    vars(ctx)["warehouse"] = Warehouse(url)
    nights = [run.night(ctx, datetime(2011, 3, 11, tzinfo=UTC))]
    drop_days(feed, range(10, DAYS))
    nights.append(run.night(ctx, datetime(2011, 3, 13, tzinfo=UTC)))
    yield Shop(ctx, feed, nights)
    databases.drop(url)  # type: ignore[attr-defined]
