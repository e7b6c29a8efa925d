"""Real servers for every test: one embedded Postgres a session, a fresh database and home for each test that asks."""

from __future__ import annotations

import gc
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from lifehouse.build import parsed
from lifehouse.context import Context
from lifehouse.home import Home
from lifehouse.project import INSTALLATION, Project
from lifehouse.warehouse.connection import Warehouse
from lifehouse.warehouse.server import EmbeddedServer
from support.databases import Databases

pytest_plugins = ["support.remote"]
gc.set_threshold(50_000)  # as the command line does


@pytest.fixture(scope="session", autouse=True)
def _parsed_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Homes come and go; what dbt parsed of the same files is kept for all of them, and for what tests start."""
    folder = tmp_path_factory.getbasetemp()
    os.environ[parsed.SHARED] = str(
        (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "parsed"
    )


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


@pytest.fixture(scope="session")
def migrated(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database that Airflow has migrated: a template of others, since migrating takes seconds."""
    from lifehouse.orchestration.settings import Settings
    from lifehouse.orchestration.standalone import Standalone

    url = databases.create("airflow_template", template=None)
    address = re.sub("^postgresql:", "postgresql+psycopg:", url)
    names = ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC")
    context = Context(Home(tmp_path_factory.mktemp("airflow")), Project(INSTALLATION))
    settings = Settings(context, dict.fromkeys(names, address))
    settings.write()
    Standalone(settings).migrate()
    return "airflow_template"


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


#: Files that share a company whose nights take long: it is played once for all of them, on one worker.
TOGETHER = (
    ("tests/e2e/test_bad_nights.py", "tests/e2e/test_nights.py", "tests/e2e/test_quiet_nights.py"),
    ("tests/face/test_cli.py", "tests/face/test_report.py"),
    ("tests/marts/test_marts.py", "tests/marts/test_nights.py", "tests/marts/test_recorded.py"),
    ("tests/releases/test_cost.py", "tests/releases/test_gate.py"),
    ("tests/roles/test_masking.py", "tests/roles/test_roles.py"),
)


class ByCompany(LoadFileScheduling):
    """A file stays together, and with those that share its company."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return next((files[0] for files in TOGETHER if file in files), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByCompany:
    return ByCompany(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with a slow test go first: at the end no worker waits for another's long file."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
