"""One town for a test file: hypothesis plays hundreds of lives in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.identity.town import Town

from lifehouse.context import Context
from lifehouse.home import Home
from lifehouse.project import Project
from lifehouse.warehouse.connection import Warehouse
from support.databases import Databases


@pytest.fixture(scope="module")
def town(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    root: Path = tmp_path_factory.mktemp("town")
    (root / "lifehouse.yml").write_text("company: Town\nreporting_currency: EUR\nidentity: {cap: 4}\n")
    url = databases.create()
    ctx = Context(Home(root / "home"), Project(root))
    vars(ctx)["warehouse"] = Warehouse(url)  # the cached property, preset
    yield Town.found(ctx)
    databases.drop(url)
