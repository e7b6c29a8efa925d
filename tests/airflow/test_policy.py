"""What every DAG of the real folder must be, whoever adds one."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from lifehouse.orchestration.airflow.policy import RELEASE, Tag
from lifehouse.project import INSTALLATION, Project

DagBag = dict[str, Any]


def test_the_folder_is_read_and_gives_a_dag_for_each_declaration(demo_dags: DagBag) -> None:
    project = Project(INSTALLATION)
    assert demo_dags["errors"] == {}
    wanted = {"marts"}
    wanted |= {f"source_{file.stem}" for file in project.source_files}
    wanted |= {f"sync_{file.stem}" for file in project.sync_files}
    assert len(wanted) >= 5
    assert set(demo_dags["dags"]) == wanted


def test_every_dag_says_whose_it_is_and_what_to_do_when_it_fails(demo_dags: DagBag) -> None:
    for name, dag in demo_dags["dags"].items():
        assert len(dag["tags"]) == 1, name
        assert set(dag["tags"]) <= {tag.value for tag in Tag}, name
        assert dag["description"], name
        assert "fails" in dag["doc_md"], f"{name}: doc_md must tell whoever is on call what to do"
        assert all(task["owner"] not in {"", "airflow"} for task in dag["tasks"].values()), name


def test_every_dag_runs_once_at_a_time_and_never_makes_up_for_missed_ticks(demo_dags: DagBag) -> None:
    for name, dag in demo_dags["dags"].items():
        assert dag["max_active_runs"] == 1, name
        assert dag["catchup"] is False, name


def test_every_task_is_tried_again_with_growing_pauses(demo_dags: DagBag) -> None:
    for name, dag in demo_dags["dags"].items():
        for task_id, task in dag["tasks"].items():
            assert task["retries"] >= 1, f"{name}.{task_id}"
            assert task["backoff"], f"{name}.{task_id}"


def test_a_source_and_a_platform_account_have_a_pool_each(demo_dags: DagBag) -> None:
    for name, dag in demo_dags["dags"].items():
        pools = {task["pool"] for task in dag["tasks"].values()}
        if name.startswith("source_"):
            assert pools == {name}
        if name.startswith("sync_"):
            assert all(pool.startswith("platform_") for pool in pools)


def test_the_release_and_nothing_else_wakes_the_syncs(demo_dags: DagBag) -> None:
    marts = demo_dags["dags"]["marts"]
    outlets = {task_id: task["outlets"] for task_id, task in marts["tasks"].items() if task["outlets"]}
    assert outlets == {"publish": [RELEASE.uri]}
    for name, dag in demo_dags["dags"].items():
        assert (dag["timetable"] == "AssetTriggeredTimetable") == name.startswith("sync_"), name


def test_the_marts_run_in_order_on_the_companys_clock(demo_dags: DagBag) -> None:
    marts = demo_dags["dags"]["marts"]
    order = ["begin", "core", "release", "release_gate", "publish", "prune"]
    assert list(marts["tasks"]) == order
    for before, after in pairwise(order):
        assert before in marts["tasks"][after]["upstream"]
    assert marts["timezone"] == Project(INSTALLATION).company.time_zone
    assert set(marts["params"]) == {"as_of", "full_refresh", "hold"}


def test_reading_the_folder_imports_nothing_heavy(demo_dags: DagBag) -> None:
    assert demo_dags["heavy"] == []
