"""Real servers for every test: one embedded Postgres a session, a fresh database and home for each test that asks."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lifehouse.context import Context
from lifehouse.home import Home
from lifehouse.project import INSTALLATION, Project
from lifehouse.warehouse.connection import Warehouse
from lifehouse.warehouse.server import EmbeddedServer
from support.databases import Databases

pytest_plugins = ["support.remote"]


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """The session's own embedded Postgres; its home is outside pytest's folders, which another session may close."""
    server = EmbeddedServer(Home(Path(tempfile.mkdtemp(prefix="lifehouse-tests-"))))
    server.start()
    yield server
    server.remove()
    shutil.rmtree(server.home.path)


@pytest.fixture(scope="session")
def databases(server: EmbeddedServer) -> Databases:
    """Fresh databases on the session's server, made from a template that has the control schema."""
    made = Databases(server)
    made.create_template()
    return made


@pytest.fixture
def make_context(databases: Databases, tmp_path: Path) -> Iterator[Callable[..., Context]]:
    """Makes contexts, each with a database and a home of its own: ``make_context(project_root=...)``."""
    made: list[str] = []

    def make(project_root: Path = INSTALLATION) -> Context:
        url = databases.create()
        made.append(url)
        context = Context(Home(tmp_path / f"home-{len(made)}"), Project(project_root))
        context.home.path.mkdir(mode=0o711, exist_ok=True)
        vars(context)["warehouse"] = Warehouse(url)  # the cached property, preset
        return context

    yield make
    for url in made:
        databases.drop(url)


@pytest.fixture
def ctx(make_context: Callable[..., Context]) -> Context:
    """The demo project on a fresh database and home."""
    return make_context()


#: Companies whose nights take long and are played once a worker: files that share one go to the same worker.
PLAYED_ONCE = {"town_model", "company", "shop", "played", "corner", "first_night", "demo_dags"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with a slow test go first: at the end no worker waits for another's long file. A file stays together."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
    groups: dict[Path, str] = {}
    for item in items:
        shared = sorted(PLAYED_ONCE & set(getattr(item, "fixturenames", ())))
        if shared:
            groups[item.path] = f"{item.path.parent.name}-{shared[0]}"
    for item in items:
        item.add_marker(
            pytest.mark.xdist_group(groups.get(item.path, f"{item.path.parent.name}-{item.path.stem}"))
        )
