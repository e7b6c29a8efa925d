"""In a running Airflow: a late run says so while it is late, and a gate's pages are a click away for those who may read them."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from lifehouse.context import Context
from lifehouse.ingest import lock
from lifehouse.orchestration.client import AirflowClient
from lifehouse.orchestration.house import House
from support.receivers import Inbox, http_inbox
from support.tiny import ANN, TINY, Company, sale


@pytest.fixture
def web() -> Iterator[Inbox]:
    with http_inbox() as inbox:
        yield inbox


@pytest.fixture
def company(make_context: Callable[..., Context], tmp_path: Path) -> Company:
    """The tiny company, whose source promises its delivery within three seconds."""
    project, folder = tmp_path / "project", tmp_path / "company"
    shutil.copytree(TINY, project)
    shutil.rmtree(project / "dags" / "syncs")
    with (project / "lifehouse.yml").open("a") as marker:
        marker.write("alerts: [{kind: webhook, connection: pager}]\n")
    with (project / "dags" / "sources" / "tiny.yml").open("a") as source:
        source.write("deadline: 3s\n")
    folder.mkdir()
    return Company(make_context(project_root=project), folder)


@pytest.fixture
def airflow(company: Company, airflow_database: Callable[[], str], web: Inbox) -> Iterator[AirflowClient]:
    database, house = airflow_database(), House(company.ctx)
    environment = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": database,
        "LIFEHOUSE_WAREHOUSE_URL": company.ctx.warehouse.url,
        "LIFEHOUSE_CLOCK": "off",
        "TINY_FOLDER": str(company.folder),
        "AIRFLOW_CONN_PAGER": json.dumps({"conn_type": "http", "host": f"{web.url}/pager"}),
    }
    try:
        yield house.start_airflow(environment)[1]
    finally:
        house.stop(warehouse=False)


def _await(web: Inbox, number: int, patience: float = 60) -> list[dict[str, object]]:
    deadline = time.monotonic() + patience
    while len(web.posts) < number and time.monotonic() < deadline:
        time.sleep(0.2)
    return [post.body for post in web.posts]


@pytest.mark.slow
def test_a_late_run_says_what_it_waits_for_and_its_pages_are_behind_the_login(
    company: Company, airflow: AirflowClient, web: Inbox
) -> None:
    company.people("all", [ANN])
    company.lines("2024-01-05", [sale("o1", "p1", "2024-01-05", 10)])
    with lock.held(company.ctx, "tiny"):  # somebody else loads it: the run has to wait
        run = airflow.trigger("source_tiny")
        (late,) = _await(web, 1)
    assert late["event"] == "late"
    assert late["subject"] == "source tiny"
    running, waiting = late["reasons"]  # type: ignore[misc]
    assert running.startswith("ingest is running since")
    assert waiting == "not begun: raw gate"
    assert f"/dags/source_tiny/runs/{run.run_id[:8]}" in late["links"]["Airflow run"]  # type: ignore[index]

    (run,) = airflow.wait([run], patience=120)
    assert run.state == "success", airflow.reason(run)
    assert [told["event"] for told in _await(web, 2)] == ["late", "recovered"]
    time.sleep(1)
    assert len(web.posts) == 2

    task = f"/dags/source_tiny/dagRuns/{run.run_id}/taskInstances/raw_gate"
    links = airflow._call("GET", f"{task}/links")["extra_links"]
    page = links["Quality pages"]
    assert page == f"{airflow.url}/lifehouse/quality/raw/tiny/load-1/"
    assert httpx.get(page).status_code == 401
    seen = httpx.get(page, headers={"Accept": "text/html"})
    assert seen.status_code == 302
    assert "/auth/" in seen.headers["location"]
    assert seen.headers["location"].endswith("next=" + page.replace(":", "%3A").replace("/", "%2F"))

    def get(path: str) -> httpx.Response:
        return httpx.get(f"{airflow.url}/lifehouse/quality/{path}", headers=airflow._headers)

    assert "tiny.lines" in get("raw/tiny/load-1/").text
    assert get("raw/tiny/load-1").headers["location"] == "/lifehouse/quality/raw/tiny/load-1/"
    assert "load-1" in get("raw/tiny/").text
    home = company.ctx.home.path
    (home / "data_docs" / "raw" / "tiny" / "load-1" / "out.html").symlink_to(home / "airflow" / "airflow.cfg")
    for outside in (
        "raw/tiny/load-2/",
        "raw/tiny/../../../airflow/airflow.cfg",
        "raw/%2e%2e/%2e%2e/airflow/secrets.json",
        "raw/tiny/%2e%2e%2f%2e%2e%2f%2e%2e%2fairflow%2fpasswords.json",
        "raw/tiny/load-1/out.html",
        f"raw/tiny/{'%2f' * 2}{home}/airflow/airflow.cfg",
        "raw/tiny/%00",
        "release/%2e%2e/raw/tiny/load-1/",
    ):
        assert get(outside).status_code in (403, 404), outside
