"""One disastrous night under Airflow, run once for all tests of this folder."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lifehouse.context import Context
from lifehouse.home import Home
from lifehouse.orchestration.client import AirflowClient
from lifehouse.orchestration.house import House
from lifehouse.orchestration.runs import DagRun
from lifehouse.orchestration.settings import Settings
from lifehouse.project import Project
from lifehouse.warehouse.connection import Warehouse
from support import disaster
from support.databases import Databases
from support.tiny import Company
from support.traces import SECRETS

AS_OF = {"as_of": "2024-01-06T00:00:00+00:00"}


@dataclass
class Night:
    """What was run, and what is to be read now. ``said`` is what commands printed and what the API answered."""

    company: Company
    settings: Settings
    airflow_database: str
    secrets: list[str]
    commands: set[str] = field(default_factory=set)
    said: dict[str, str] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.company.ctx.home.path


@pytest.fixture(scope="module")
def night(databases: Databases, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    root = disaster.project(tmp_path_factory.mktemp("project") / "tiny")
    home = tmp_path_factory.mktemp("home")
    warehouse, airflow = databases.create(), databases.create(template=migrated)
    context = Context(Home(home), Project(root))
    vars(context)["warehouse"] = Warehouse(warehouse)
    company = Company(context, tmp_path_factory.mktemp("company"))
    password = databases.server._password
    secrets = [*SECRETS.values(), password]
    metadata = re.sub("^postgresql:", "postgresql+psycopg:", airflow)
    (home / "tmp").mkdir()
    with disaster.Echo() as echo, disaster.Watch(secrets) as watch, pytest.MonkeyPatch.context() as patch:
        environment = {
            **disaster.environment(echo, company),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": metadata,
            "LIFEHOUSE_WAREHOUSE_URL": warehouse,
            "LIFEHOUSE_PROJECT": str(root),
            "LIFEHOUSE_HOME": str(home),
            "LIFEHOUSE_CLOCK": "off",
            "TMPDIR": str(home / "tmp"),
        }
        for name, value in environment.items():
            patch.setenv(name, value)
        made = Night(company, Settings(context, environment), airflow, secrets)
        house = House(context)
        try:
            _, client = house.start_airflow(environment)
            _all_that_can_go_wrong(made, client, root, echo)
        finally:
            house.stop(warehouse=False)
        assert f"Bearer {SECRETS['platform']}" in echo.tokens
        made.commands = watch.seen
        made.said["the process list"] = "\n".join(watch.found)
    yield made
    databases.drop(warehouse)
    databases.drop(airflow)


def _all_that_can_go_wrong(night: Night, client: AirflowClient, root: Path, echo: disaster.Echo) -> None:
    def run(name: str, conf: dict[str, str] | None = None) -> DagRun:
        (done,) = client.wait([client.trigger(name, conf)], patience=240)
        title = f"{name} {len(night.states)}"
        night.states[title] = done.state
        if done.state == "failed":
            night.said[f"reason of {title}"] = client.reason(done)
        return done

    def tried(name: str) -> None:
        """One attempt; the next one is half a minute away."""
        started, deadline = client.trigger(name), time.monotonic() + 120
        while not any(task.state == "up_for_retry" for task in client.tasks(started)):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        night.states[name] = "up_for_retry"

    company = night.company
    disaster.people(company)
    disaster.bad_lines(company)
    disaster.headerless(company)
    tried("source_api")
    tried("source_far")
    run("source_tiny")  # closes the raw gate: a file without a header
    (company.folder / "people" / "headerless.csv").unlink()
    run("source_tiny")
    with disaster.broken_models(root):
        run("marts", AS_OF)
    with disaster.closed_gate(root):
        run("marts", AS_OF)
    marts = run("marts", AS_OF)
    for woken in client.wait(client.await_woken(marts, ["sync_echoing", "sync_files"]), patience=120):
        night.states[woken.dag_id] = woken.state
        if woken.state == "failed":
            night.said[f"reason of {woken.dag_id}"] = client.reason(woken)


@pytest.fixture
def command(
    night: Night, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """Runs the command line in this process; returns all that it printed."""
    from lifehouse.cli import main

    environment = {**night.settings.extra, "COLUMNS": "400"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def call(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["lifehouse", *arguments])
        with suppress(SystemExit):
            main()
        out, err = capfd.readouterr()
        return out + err

    return call
