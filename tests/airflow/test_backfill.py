"""Airflow's own backfill of the marts DAG: answered beside what is served, never published, no sync woken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.scratch.conftest import found, person

from lifehouse.orchestration.settings import Settings
from lifehouse.orchestration.standalone import Standalone
from support.databases import Databases
from support.tiny import sale


@pytest.mark.slow
def test_a_run_of_a_backfill_goes_to_scratch(
    databases: Databases,
    airflow_database: Callable[[], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TINY_FOLDER", os.environ.get("TINY_FOLDER", ""))  # found() sets it
    story = found(databases, tmp_path)
    story.company.people("a", [person("p1", "2024-01-02", "ann@x.de")])
    story.company.lines(
        "a",
        [
            sale("o1", "p1", "2024-01-05", 10),
            sale("o2", "p1", "2024-01-06", 5),
            sale("o3", "p1", "2024-01-07", 7),
        ],
    )
    story.night("2024-01-09")
    database = airflow_database()
    settings = Settings(
        story.ctx,
        {
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": database,
            "LIFEHOUSE_WAREHOUSE_URL": story.ctx.warehouse.url,
            "TINY_FOLDER": os.environ["TINY_FOLDER"],
        },
    )
    settings.write()
    Standalone(settings).migrate()
    served = "select slot, release_id, as_of from control.published"
    before = story.company.rows(served)
    script = str(Path(__file__).with_name("run_backfill.py"))
    days = (
        "2024-01-06T00:00:00+00:00",
        "2024-01-07T23:00:00+00:00",
    )  # ticks at 4 o'clock in Berlin: 6th and 7th
    done = subprocess.run(
        [sys.executable, script, "marts", *days],
        env=settings.environment(),
        cwd=settings.folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert "\nRESULT " in done.stdout, (done.stdout + done.stderr)[-5000:]
    runs = json.loads(done.stdout.split("\nRESULT ", 1)[1].splitlines()[0])
    assert [run["type"] for run in runs] == ["backfill", "backfill"]
    for run in runs:
        assert run["tasks"].pop("begin") == "success", done.stdout[-5000:]
        assert set(run["tasks"].values()) == {"skipped"}
    asked = "select as_of::text, sum(net_revenue) from scratch_airflow.sales_totals group by 1 order by 1"
    assert story.company.rows(asked) == [("2024-01-06 03:00:00+00", 10), ("2024-01-07 03:00:00+00", 15)]
    assert story.company.rows(served) == before
    assert story.value("select count(*) from control.runs") == 1
    databases.drop(story.ctx.warehouse.url)
