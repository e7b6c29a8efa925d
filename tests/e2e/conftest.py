"""Tiny companies for the end-to-end tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lifehouse.context import Context
from lifehouse.home import Home
from lifehouse.project import Project
from lifehouse.run import Night
from lifehouse.warehouse.connection import Warehouse
from support.databases import Databases
from support.tiny import ANN, BEN, CAM, TINY, Company, sale


@pytest.fixture
def tiny(
    make_context: Callable[..., Context], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Company]:
    """Makes tiny companies; the one made last is the one whose folder is read."""

    def make(name: str = "company") -> Company:
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.setenv("TINY_FOLDER", str(folder))
        return Company(make_context(project_root=TINY), folder)

    return make


@dataclass(frozen=True)
class Lived:
    """A tiny company after its first night, and what became of that night."""

    company: Company
    night: Night
    template: str


@pytest.fixture(scope="session")
def first_night(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """Three people and three sales, one of a guest, published as of 2024-01-06; built once a worker."""
    root = tmp_path_factory.mktemp("lived")
    (root / "home").mkdir(mode=0o711)
    url = databases.create()
    ctx = Context(Home(root / "home"), Project(TINY))
    vars(ctx)["warehouse"] = Warehouse(url)  # the cached property, preset
    company = Company(ctx, root / "first")
    company.people("all", [ANN, BEN, CAM])
    lines = (("o1", "p1", 10), ("o2", "p2", 7), ("o3", "", 3))
    company.lines(
        "2024-01-05", [sale(order, person, "2024-01-05", amount) for order, person, amount in lines]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINY_FOLDER", str(company.folder))
        night = company.night("2024-01-06")
    template = f"{url.rsplit('/', 1)[1]}_lived"
    databases.create(template, url.rsplit("/", 1)[1])
    yield Lived(company, night, template)
    for made in (url, databases.server.url_of(template)):
        databases.drop(made)


@pytest.fixture
def lived(first_night: Lived, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lived:
    """The company on the morning after its first night: a fresh copy under the same address, which dbt has parsed."""
    url = first_night.company.ctx.warehouse.url
    databases.drop(url)
    databases.create(url.rsplit("/", 1)[1], first_night.template)
    folder = tmp_path / "feed"
    shutil.copytree(first_night.company.folder, folder)
    monkeypatch.setenv("TINY_FOLDER", os.fspath(folder))
    ctx = Context(first_night.company.ctx.home, first_night.company.ctx.project)
    vars(ctx)["warehouse"] = Warehouse(
        url
    )  # rights on a database are not copied with it: this one gives them anew
    return Lived(Company(ctx, folder), first_night.night, first_night.template)
