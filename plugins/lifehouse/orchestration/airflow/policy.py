"""What holds for every DAG of the house: owner, tags, retries, pools, one run at a time, a page for whoever is on call."""

from __future__ import annotations

import os
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any

from airflow.sdk import Asset, AssetOrTimeSchedule, CronTriggerTimetable

from lifehouse.orchestration.airflow import deadlines, notify
from lifehouse.orchestration.settings import CLOCK_VARIABLE

#: Updated by ``publish``; wakes the syncs.
RELEASE = Asset(name="release", uri="lifehouse://release")
_OWNER = "lifehouse"
#: Seconds that a run of a backfill waits for another one of it, which may build a whole history.
BACKFILL_PATIENCE = 3600.0


class Tag(StrEnum):
    """The only tags a DAG may carry: its place in the flow."""

    SOURCE = "source"
    MARTS = "marts"
    SYNC = "sync"


def arguments(
    tag: Tag,
    *,
    doc: str | None,
    owner: str = _OWNER,
    schedule: Any = None,
    pool: str | None = None,
    retries: int = 2,
    deadline: timedelta | None = None,
) -> dict[str, Any]:
    """The keyword arguments of a DAG: only errors that time may cure are tried again (see ``failures``)."""
    return {
        "schedule": schedule,
        "catchup": False,
        "max_active_runs": 1,
        "tags": [tag.value],
        "doc_md": doc,
        "deadline": deadlines.deadline(deadline),
        "default_args": {
            "owner": owner,
            "retries": retries,
            "retry_delay": timedelta(seconds=30),
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(minutes=15),
            "on_failure_callback": [notify.ended_badly],
            "on_success_callback": [notify.ended],
            "on_skipped_callback": [notify.ended],
            **({"pool": pool} if pool else {}),
        },
    }


def clock(cron: str, time_zone: str) -> CronTriggerTimetable | None:
    """A clock that never makes up for ticks that passed while nobody ran; None while nights are triggered by hand."""
    if os.environ.get(CLOCK_VARIABLE) == "off":
        return None
    return CronTriggerTimetable(cron, timezone=time_zone, run_immediately=timedelta(0))


def when_released(quiet_until: time | None, time_zone: str, *, anywhere: bool = False) -> Any:
    """Woken by every release; with quiet hours, also at their end, for what had to wait.

    :param anywhere: they end by each recipient's own clock; zones differ by hours and half hours.
    """
    if quiet_until is None or os.environ.get(CLOCK_VARIABLE) == "off":
        return [RELEASE]
    minute, other = quiet_until.minute, (quiet_until.minute + 30) % 60
    when = f"{minute},{other} *" if anywhere else f"{minute} {quiet_until.hour}"
    tick = CronTriggerTimetable(f"{when} * * *", timezone=time_zone)
    return AssetOrTimeSchedule(timetable=tick, assets=[RELEASE])


def as_of(params: dict[str, Any], dag_run: Any) -> datetime:
    """The instant a run speaks about: its param, else the end of its data interval, else when it was due."""
    if params.get("as_of"):
        return datetime.fromisoformat(params["as_of"])
    return dag_run.data_interval_end or dag_run.run_after


def is_backfill(dag_run: Any) -> bool:
    """Whether Airflow's own backfill made the run: its answer goes into a scratch schema, whatever is published."""
    return getattr(dag_run.run_type, "value", dag_run.run_type) == "backfill"
