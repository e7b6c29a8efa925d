"""kill -9 in the middle of a night: the next run completes, and says what it would have said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from support.tiny import ANN, BEN, CAM, Company, sale

NIGHT = """
import sys
from datetime import datetime
from lifehouse import run
from lifehouse.context import Context
run.night(Context.current(), datetime.fromisoformat(sys.argv[1]))
"""
ANSWERS = (
    "select orders, net_revenue, status_stage, crm_stage from marts.customers order by 1, 2, 3, 4",
    "select lifecycle, stage, entered_at, exited_at from marts.stage_history order by 1, 2, 3, 4",
    "select order_key, net_amount from marts.orders order by 1",
    "select segment, count(*) from marts.segment_members group by 1 order by 1",
)


#: Seconds after a station's beginning: core is at its models then, the release gate at its rules. A quick night is soon over.
_IN_THE_MIDST = {"core": 1.5, "release": 0.4, "publish": 0.0}


def _kill_in(company: Company, station: str, day: str) -> None:
    """Start a night in another process and kill it as soon as the station runs."""
    environment = {
        **os.environ,
        "LIFEHOUSE_HOME": str(company.ctx.home.path),
        "LIFEHOUSE_PROJECT": str(company.ctx.project.root),
        "LIFEHOUSE_WAREHOUSE_URL": company.ctx.warehouse.url,
    }
    running = "select count(*) from control.stations where station = %s and status = 'running'"
    process = subprocess.Popen([sys.executable, "-c", NIGHT, f"{day}T00:00:00+00:00"], env=environment)
    try:
        while not company.ctx.warehouse.value(running, (station,)):
            assert process.poll() is None, f"the night ended before {station}"
            time.sleep(0.02)
        time.sleep(_IN_THE_MIDST[station])
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    company.ctx.warehouse.execute("update control.stations set status = 'failed' where status = 'running'")


def _answers(company: Company) -> list[list[tuple[object, ...]]]:
    return [company.rows(query) for query in ANSWERS]


@pytest.mark.slow
def test_a_night_killed_in_each_building_station_is_completed_by_the_next(
    tiny: Callable[..., Company],
) -> None:
    nights = {
        "2024-01-06": [sale("o1", "p1", "2024-01-05", 10), sale("o2", "p2", "2024-01-05", 7)],
        "2024-01-07": [sale("o3", "p3", "2024-01-02", 8), sale("r1", "p1", "2024-01-06", -4, "refund")],
        "2024-01-08": [sale("o4", "p2", "2024-01-07", 5), sale("o5", "", "2024-01-07", 6)],
    }
    undisturbed = tiny("undisturbed")
    undisturbed.people("all", [ANN, BEN, CAM])
    for day, rows in nights.items():
        undisturbed.lines(day, rows)
    undisturbed.night("2024-01-08")

    company = tiny("killed")
    company.people("all", [ANN, BEN, CAM])
    for (day, rows), station in zip(nights.items(), ("core", "release", "publish"), strict=True):
        company.lines(day, rows)
        before = _answers(company) if day > "2024-01-06" else None
        _kill_in(company, station, day)
        if before is not None and station != "publish":
            assert _answers(company) == before
        assert company.night(day).status in {"published", "unchanged"}
    assert _answers(company) == _answers(undisturbed)
