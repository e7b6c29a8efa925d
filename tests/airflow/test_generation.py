"""DAGs come from YAML files: a new file is a new DAG, a broken one is shown and takes no other with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.tiny import TINY

Read = Callable[..., dict[str, Any]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the tiny company."""
    shutil.copytree(TINY, tmp_path / "company")
    return tmp_path / "company"


def _declare(project: Path, name: str, change: Callable[[str], str] = str) -> Path:
    text = (
        (project / "dags" / "sources" / "tiny.yml").read_text().replace("source: tiny", f"source: {name}", 1)
    )
    file = project / "dags" / "sources" / f"{name}.yml"
    file.write_text(change(text))
    return file


def test_another_file_is_another_dag(project: Path, read_dags: Read) -> None:
    _declare(project, "second", lambda text: text.replace('"0 2 * * *"', '"30 1 * * *"'))
    with (project / "dags" / "syncs" / "actives.yml").open("a") as sync:
        sync.write('quiet_hours: {begin: "21:00", end: "08:15", zone_column: time_zone}\n')
    found = read_dags(project)
    assert found["errors"] == {}
    assert set(found["dags"]) == {"marts", "source_tiny", "source_second", "sync_actives"}
    assert found["dags"]["source_second"]["schedule"] == "30 1 * * *"
    assert list(found["dags"]["source_second"]["tasks"]) == ["ingest", "raw_gate"]
    assert found["dags"]["sync_actives"]["timetable"] == "AssetOrTimeSchedule"
    assert found["dags"]["sync_actives"]["schedule"] == "15,45 * * * *"


def test_a_broken_file_is_an_import_error_with_its_line_and_the_other_dags_live_on(
    project: Path, read_dags: Read
) -> None:
    broken = _declare(project, "broken", lambda text: text.replace("owner:", "ownr:", 1))
    line = next(n for n, text in enumerate(broken.read_text().splitlines(), 1) if text.startswith("ownr:"))
    found = read_dags(project)
    (message,) = found["errors"].values()
    assert f"{broken}:{line}:" in message
    assert "owner" in message
    assert set(found["dags"]) == {"marts", "source_tiny", "sync_actives"}


def test_the_clock_can_be_off_while_the_release_still_wakes_the_syncs(read_dags: Read) -> None:
    found = read_dags(LIFEHOUSE_CLOCK="off")["dags"]
    assert {dag["timetable"] for name, dag in found.items() if name.startswith("sync_")} == {
        "AssetTriggeredTimetable"
    }
    assert {dag["timetable"] for name, dag in found.items() if not name.startswith("sync_")} == {
        "NullTimetable"
    }
