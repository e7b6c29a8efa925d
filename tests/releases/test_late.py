"""Late sources: flagged on the release with since when and why, judged at the instant that a run speaks about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.releases.conftest import House

from lifehouse.releases.late import Late, judge, last_tick
from lifehouse.releases.overdue import overdue
from lifehouse.releases.run import begin

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def _declare(house: House, schedule: str) -> None:
    """The shop on another clock."""
    file = house.ctx.project.source_files[0]
    file.write_text(file.read_text().replace('"0 2 * * *"', f'"{schedule}"'))


def _judge(house: House, as_of: datetime | None = None) -> list[Late]:
    with house.ctx.warehouse.connect() as connection:
        return judge(house.ctx, connection, as_of)


def _accept_at(house: House, at: datetime, status: str = "accepted") -> int:
    return house.accept(age=datetime.now(UTC) - at, status=status)


def _past_two(days: int = 0) -> datetime:
    """Half past two in the night, UTC: half an hour after the shop is due."""
    today = datetime.now(UTC).replace(hour=2, minute=30, second=0, microsecond=0)
    return today - days * DAY - (DAY if today > datetime.now(UTC) else timedelta(0))


def test_a_source_that_did_not_come_is_told_with_its_tick_and_its_last_delivery(house: House) -> None:
    night = _past_two()
    _accept_at(house, night - DAY - timedelta(minutes=20))
    (late,) = _judge(house, night)
    assert (late.why, late.since) == ("missed", night - timedelta(minutes=30))
    assert late.sentence == (
        f"source shop did not come, due {night:%Y-%m-%d} 02:00 UTC; "
        f"its last accepted delivery came {night - DAY:%Y-%m-%d} 02:10 UTC"
    )


def test_a_run_about_the_past_asks_whether_the_source_was_late_then(house: House) -> None:
    then = _past_two(days=9)
    _accept_at(house, then - timedelta(minutes=20))
    assert _judge(house, then) == []
    assert [late.why for late in _judge(house)] == ["missed"]


def test_an_hourly_source_may_come_a_few_minutes_into_its_hour(house: House) -> None:
    _declare(house, "0 * * * *")
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - HOUR
    _accept_at(house, hour - HOUR + timedelta(seconds=5))
    assert _judge(house, hour + timedelta(seconds=20)) == []  # its task of this hour runs beside ours
    (late,) = _judge(house, hour + timedelta(minutes=11))
    assert late.since == hour


def test_what_a_person_or_the_gate_refused_is_told_with_its_load(house: House) -> None:
    house.accept()
    load = house.accept(status="rejected")
    (late,) = _judge(house)
    assert (late.why, late.load_id) == ("rejected", load)
    assert f"load {load}" in late.sentence
    assert "rejected by test" in late.sentence


def test_files_that_are_awaited_are_late_though_the_folder_was_looked_at(house: House) -> None:
    night = _past_two()
    _accept_at(house, night - 2 * DAY)
    house.ctx.warehouse.execute(
        "insert into control.stations (station, subject, status, started_at) values ('ingest', 'shop', 'done', %s)",
        (night,),
    )
    assert [late.source for late in _judge(house, night)] == ["shop"]


def test_why_and_since_when_stand_on_the_release(house: House) -> None:
    house.accept()
    load = house.accept(status="rejected")
    house.publish(1)
    (details,) = house.value("select late_details from marts.releases where is_published")
    assert (details["source"], details["why"], details["load_id"]) == ("shop", "rejected", load)
    assert "rejected" in details["sentence"]


@pytest.mark.parametrize(
    ("schedule", "zone", "moment", "tick"),
    [
        ("0 4 * * *", "Europe/Berlin", "2026-07-01T02:00:00+00:00", "2026-07-01T02:00:00+00:00"),
        ("0 4 * * *", "Europe/Berlin", "2026-07-01T01:59:59+00:00", "2026-06-30T02:00:00+00:00"),
        ("0 4 * * *", "Europe/Berlin", "2026-01-01T03:30:00+00:00", "2026-01-01T03:00:00+00:00"),
        ("0 * * * *", "UTC", "2026-01-01T03:59:00+00:00", "2026-01-01T03:00:00+00:00"),
    ],
)
def test_the_tick_is_counted_in_its_own_zone(schedule: str, zone: str, moment: str, tick: str) -> None:
    assert last_tick(schedule, zone, datetime.fromisoformat(moment)) == datetime.fromisoformat(tick)


@pytest.fixture
def promised(house: House) -> Any:
    """The house with an hourly clock and a deadline of 45 minutes."""
    marker = house.ctx.project.root / "lifehouse.yml"
    marker.write_text(marker.read_text() + 'schedule: "0 * * * *"\ndeadline: 45m\n')
    vars(house.ctx.project).pop("company", None)
    return house


def test_a_release_is_overdue_when_a_tick_was_not_answered_in_time(promised: House) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    assert overdue(promised.ctx, hour + 46 * HOUR / 60) is None  # nobody has begun anything here
    promised.accept()
    promised.publish(1)
    next_hour = hour + HOUR
    assert overdue(promised.ctx, next_hour + timedelta(minutes=44)) is None
    found = overdue(promised.ctx, next_hour + timedelta(minutes=46))
    assert found is not None
    assert (found.tick, found.due) == (next_hour, next_hour + timedelta(minutes=45))
    assert "45 minutes after the tick" in found.sentence
    promised.ctx.warehouse.execute(
        "update control.runs set status = 'unchanged', started_at = %s", (next_hour,)
    )
    assert overdue(promised.ctx, next_hour + timedelta(minutes=46)) is None


def test_nothing_is_overdue_while_the_clock_is_off(promised: House, monkeypatch: pytest.MonkeyPatch) -> None:
    promised.accept()
    begin(promised.ctx, datetime.now(UTC))
    later = datetime.now(UTC) + DAY
    assert overdue(promised.ctx, later) is not None
    monkeypatch.setenv("LIFEHOUSE_CLOCK", "off")
    assert overdue(promised.ctx, later) is None
