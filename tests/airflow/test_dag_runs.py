"""The real DAGs of a tiny company, run by ``dag.test()`` on a real Airflow, real warehouse, real dbt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lifehouse import stations
from lifehouse.context import Context
from lifehouse.releases.held import candidate
from support.dag_test import AirflowOf
from support.tiny import ANN, BEN, TINY, Company

TEA = ("o1", "p1", "2024-01-05T12:00:00Z", "tea", 1, 10, "EUR", "sale")
FUTURE = {"as_of": "2024-01-06T00:00:00+00:00"}


@pytest.fixture
def tiny(
    make_context: Callable[..., Context], airflow_database: Callable[[], str], tmp_path: Path
) -> Iterator[AirflowOf]:
    folder = tmp_path / "company"
    folder.mkdir()
    ctx = make_context(project_root=TINY)
    with AirflowOf.start(Company(ctx, folder), airflow_database()) as started:
        yield started


@pytest.mark.slow
def test_a_source_and_held_marts_lead_to_a_release_with_ids_only_between_tasks(tiny: AirflowOf) -> None:
    tiny.company.people("all", [ANN, BEN])
    tiny.company.lines("2024-01-05", [TEA])
    source = tiny.test("source_tiny")
    assert source["state"] == "success"
    assert source["tasks"] == {"ingest": "success", "raw_gate": "success"}
    marts = tiny.test("marts", hold=True, **FUTURE)
    assert marts["state"] == "success", marts["log"][-5000:]
    built = {name: marts["tasks"].pop(name) for name in ("begin", "core", "release", "release_gate")}
    assert set(built.values()) == {"success"}
    assert marts["tasks"] == {"publish": "skipped", "prune": "skipped"}
    assert tiny.company.rows("select count(*) from control.published") == [(0,)]
    assert "`lifehouse diff published candidate`, then `lifehouse publish`" in marts["log"]
    stations.publish(tiny.company.ctx, candidate(tiny.company.ctx), by="a person")
    assert tiny.company.rows("select as_of::date::text from control.published") == [("2024-01-06",)]
    assert tiny.company.rows("select count(*), sum(net_revenue) from marts.customers") == [(2, 10)]
    again = tiny.test("marts", **FUTURE)
    assert again["tasks"].pop("begin") == "success"
    runs = tiny.company.rows("select run_id, status, fingerprint, message from control.runs")
    assert set(again["tasks"].values()) == {"skipped"}, runs
    assert tiny.company.rows("select count(*) from control.releases") == [(1,)]
    for run in (source, marts, again):
        values = {value for _, key, value in run["xcoms"] if key == "return_value"}
        assert all(value.isdigit() or value in {"null", "None"} for value in values), run["xcoms"]
        for secret in ("Ann", "ann@example.com", "1234567", "hunter2"):
            assert secret not in run["log"]
