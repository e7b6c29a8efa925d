"""UCI Online Retail as a shop's nightly feed: one file a day, none on Saturdays and from Christmas to New Year."""

from __future__ import annotations

import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lifehouse.context import Context
from lifehouse.project import INSTALLATION
from support.data import data_folder

PROJECT = INSTALLATION / "examples" / "online_retail"
#: Nights that must pass without an alarm: short Sundays, the rush of early December, the pause and the slow January.
CLEAN_NIGHTS = 30


def unpack(target: Path) -> list[Path]:
    """The 305 daily files below ``target``, in the order of their days."""
    with tarfile.open(data_folder("online_retail") / "online_retail_by_day.tar.gz") as packed:
        packed.extractall(target, filter="data")
    return sorted(target.rglob("*.csv"))


def as_of(file: Path) -> datetime:
    """The night after the file's day."""
    return datetime.fromisoformat(file.stem).replace(tzinfo=UTC) + timedelta(days=1)


def drop(file: Path, folder: Path) -> None:
    (folder / file.name).write_bytes(file.read_bytes())


def alarms(ctx: Context) -> list[str]:
    """What any gate said did not hold, and what was set aside."""
    said = ctx.warehouse.rows(
        "select gate, severity, subject, column_name, meaning, observed from control.quality_results "
        "where not success and severity in ('critical', 'warning') order by result_id"
    )
    aside = ctx.warehouse.rows(
        "select load_id, table_name, column_name, reason, rows from control.quarantined"
    )
    return [", ".join(f"{value}" for value in row.values() if value is not None) for row in (*said, *aside)]
