"""One night of a tiny company as it really happens: scheduler, workers, API, assets."""

from __future__ import annotations

import contextlib
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lifehouse.context import Context
from lifehouse.orchestration.client import AirflowClient, ApiError
from lifehouse.orchestration.house import House
from lifehouse.orchestration.runs import DagRun
from lifehouse.orchestration.settings import Settings
from support.tiny import ANN, BEN, TINY, Company

SYNC = """
sync: buyers
owner: crm-team
description: everybody who is active, as files
segment: status_new
platform: csv_drop
mode: mirror
key: customer_id
consent: none
reason_without_consent: a test's own people
fields: {orders: orders}
guards: {max_age: null, min_size: 3}
options: {folder: drops/buyers}
"""
#: Like it, but nobody gets round to answering.
UNHEARD = SYNC.replace("buyers", "unheard").replace("min_size: 3", "min_size: 3, answer_within: 6s")


@pytest.fixture
def company(make_context: Callable[..., Context], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    """The tiny company with two syncs to folders, both of which a guard stops."""
    project = tmp_path / "project"
    (project / "dags" / "syncs").mkdir(parents=True)
    for part in ("lifehouse.yml", "dbt_project", "dags/sources"):
        (project / part).symlink_to(TINY / part)
    (project / "dags" / "syncs" / "buyers.yml").write_text(SYNC)
    (project / "dags" / "syncs" / "unheard.yml").write_text(UNHEARD)
    folder = tmp_path / "company"
    folder.mkdir()
    return Company(make_context(project_root=project), folder)


@pytest.fixture
def airflow(
    company: Company, airflow_database: Callable[[], str]
) -> Iterator[tuple[Settings, AirflowClient]]:
    database = airflow_database()
    house = House(company.ctx)
    environment = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": database,
        "LIFEHOUSE_WAREHOUSE_URL": company.ctx.warehouse.url,
        "AIRFLOW__SCHEDULER__TRIGGER_TIMEOUT_CHECK_INTERVAL": "2",  # how often it looks for questions that are too old
        "LIFEHOUSE_CLOCK": "off",
        "TINY_FOLDER": str(company.folder),
    }
    try:
        yield house.start_airflow(environment)
    finally:
        assert house.stop(warehouse=False) == [
            "Airflow's api-server",
            "Airflow's dag-processor",
            "Airflow's scheduler",
        ]


def _place(run: DagRun) -> str:
    return f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/sync/-1/hitlDetails"


def _await_question(client: AirflowClient, run: DagRun, patience: float = 120) -> dict[str, Any]:
    deadline = time.monotonic() + patience
    while "awaiting_input" not in {task.state for task in client.tasks(run)}:
        assert time.monotonic() < deadline, client.reason(run)
        time.sleep(0.2)
    return client._call("GET", _place(run))


def _answer(client: AirflowClient, run: DagRun, option: str, reason: str, patience: float = 180) -> DagRun:
    """Answer as a person would, not at once, and wait for the end.

    Quicker, Airflow hears that the parked process has ended when the task is queued anew under the same key, takes it for
    lost, and asks once more (docs/troubleshooting.md).
    """
    deadline, answer = (
        time.monotonic() + patience,
        {"chosen_options": [option], "params_input": {"reason": reason}},
    )
    while not run.finished:
        assert time.monotonic() < deadline, [task.state for task in client.tasks(run)]
        time.sleep(1)
        if "awaiting_input" in {task.state for task in client.tasks(run)}:
            time.sleep(3)
            with contextlib.suppress(ApiError):
                client._call("PATCH", _place(run), json=answer)
        run = client.state(run)
    return run


@pytest.mark.slow
def test_a_bad_delivery_fails_the_mended_one_wakes_the_syncs_a_person_lets_one_run_on_and_nobody_the_other(
    company: Company, airflow: tuple[Settings, AirflowClient]
) -> None:
    settings, client = airflow
    company.people("all", [ANN, BEN])
    company.lines("2024-01-05", [("o1", "p1", "yesterday", "tea", 1, "ten", "EUR", "sale")])
    (source,) = client.wait([client.trigger("source_tiny")], patience=120)
    assert source.state == "failed"
    reason = client.reason(source)
    assert reason.startswith("source_tiny.raw_gate: ")
    assert "raw gate closed for" in reason

    company.lines("2024-01-05", [("o1", "p1", "2024-01-05T12:00:00Z", "tea", 1, 10, "EUR", "sale")])
    (source,) = client.wait([client.trigger("source_tiny")], patience=120)
    assert source.state == "success", client.reason(source)
    (marts,) = client.wait([client.trigger("marts", {"as_of": "2024-01-06T00:00:00+00:00"})], patience=240)
    assert marts.state == "success", client.reason(marts)
    assert company.rows("select count(*), sum(net_revenue) from marts.customers") == [(2, 10)]

    runs = {run.dag_id: run for run in client.await_woken(marts, ["sync_buyers", "sync_unheard"])}
    woken, unheard = runs["sync_buyers"], runs["sync_unheard"]
    question = _await_question(client, woken)
    assert question["subject"] == "May the sync buyers go on?"
    assert "status_new must have at least 3 rows to hold, but it has 1" in question["body"]
    assert "It would add 1, change 0 and remove 0 rows" in question["body"]
    assert client._call("GET", "/pools/platform_csv_drop_buyers")["occupied_slots"] == 0
    assert not (company.ctx.home.path / "drops" / "buyers").exists()
    alerts = "select event, content ->> 'reasons' from control.alerts where subject = 'sync buyers'"
    assert [row[0] for row in company.rows(alerts)] == ["gate_closed"]

    sync = _answer(client, woken, "Let it run once", "only one so far")
    assert sync.dag_id == "sync_buyers"
    assert sync.state == "success", client.reason(sync)
    assert list((company.ctx.home.path / "drops" / "buyers").iterdir())
    approvals = "select approved_by, reason, used_by from activation.approvals where used_by is not null"
    assert [row[:2] for row in company.rows(approvals)] == [(client.user, "only one so far")]
    assert [row[0] for row in company.rows(alerts)] == ["gate_closed", "recovered"]

    again = client.trigger("sync_buyers")
    _await_question(client, again)
    left = _answer(client, again, "Leave it stopped", "they are too few")
    assert left.state == "failed"
    assert f"{client.user} left the sync buyers stopped" in client.reason(left)
    assert [task.try_number for task in client.tasks(left)] == [1], "a no was tried again"
    assert len(company.rows(approvals)) == 1

    (unheard,) = client.wait([unheard], patience=60)
    assert unheard.state == "failed"
    assert "nobody answered within 6 seconds: the sync unheard stays stopped" in client.reason(unheard)
    assert [task.try_number for task in client.tasks(unheard)] == [1], "nobody's silence was tried again"
    assert "must have at least 3 rows" in _await_question(client, client.trigger("sync_unheard"))["body"]
    assert not (company.ctx.home.path / "drops" / "unheard").exists()
    stopped = "select status, calls from activation.sync_runs where sync = 'unheard'"
    assert company.rows(stopped) == [("refused", 0)] * 2
    told = "select event from control.alerts where subject = 'sync unheard'"
    assert company.rows(told) == [("gate_closed",)] * 2, "each question is told once"

    for secret in ("airflow.cfg", "secrets.json", "passwords.json"):
        assert stat.S_IMODE((settings.folder / secret).stat().st_mode) == 0o600
    logs = "".join(file.read_text(errors="replace") for file in settings.folder.rglob("*.log"))
    assert "yesterday" not in logs
    for value in ("Ann Ash", "ann@example.com", "1234567", settings.password):
        assert value not in logs
