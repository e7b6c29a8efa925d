"""A required source that is late holds its release back, unless a person decided otherwise; the run is built all the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.releases import town
from tests.releases.conftest import MARTS, House
from typer.testing import CliRunner

from lifehouse import stations
from lifehouse.alerts import compose
from lifehouse.alerts.declaration import Event
from lifehouse.alerts.subject import Subject
from lifehouse.cli.app import build
from lifehouse.context import Context
from lifehouse.errors import GateClosed, LifehouseError, ReleaseHeld
from lifehouse.ingest import decisions
from lifehouse.releases.held import candidate
from lifehouse.releases.late import Late, judge
from lifehouse.releases.publish import publish
from lifehouse.releases.run import begin

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NIGHT = datetime(2026, 3, 3, 4, tzinfo=UTC)  # two hours after the shop's tick
LATE = {"source": "tiny", "why": "missed", "holds": True, "sentence": "source tiny did not come, due 02:00"}


def _came(house: House, at: datetime, status: str = "accepted", by: str = "raw gate") -> int:
    load = house.accept(age=datetime.now(UTC) - at, status=status)
    house.execute(f"update control.loads set decided_by = '{by}' where load_id = {load}")
    return load


def _judge(house: House, as_of: datetime = NIGHT) -> list[Late]:
    with house.ctx.warehouse.connect() as connection:
        return judge(house.ctx, connection, as_of)


def _holds(house: House, as_of: datetime = NIGHT) -> bool:
    return any(late.holds for late in _judge(house, as_of))


def _declare(house: House, old: str, new: str) -> None:
    for file in (house.ctx.project.source_files[0], house.ctx.project.root / "lifehouse.yml"):
        file.write_text(file.read_text().replace(old, new))
    vars(house.ctx.project).pop("company", None)


def test_a_required_source_that_missed_its_tick_holds_the_release_back(house: House) -> None:
    _came(house, NIGHT - DAY)
    assert _holds(house)
    _came(house, NIGHT - HOUR)
    assert _judge(house) == []


def test_a_source_that_nobody_requires_is_flagged_alone(house: House) -> None:
    _declare(house, "required_sources: [shop]", "required_sources: []")
    _came(house, NIGHT - DAY)
    (late,) = _judge(house)
    assert (late.why, late.holds) == ("missed", False)


def test_yesterdays_late_delivery_does_not_stand_for_todays(house: House) -> None:
    """It came at noon, so it is younger than a day; the files of this night are missing all the same."""
    _came(house, NIGHT - 16 * HOUR)
    assert _holds(house)


def test_what_came_a_little_before_its_tick_is_of_that_tick(house: House) -> None:
    _came(house, NIGHT - 4 * HOUR)
    assert _judge(house) == []


def test_a_delivery_that_the_gate_refused_holds_the_release_back(house: House) -> None:
    _came(house, NIGHT - DAY)
    load = _came(house, NIGHT - HOUR, "rejected")
    (late,) = _judge(house)
    assert (late.why, late.load_id, late.holds) == ("rejected", load, True)


def test_a_second_delivery_that_the_gate_refused_is_flagged_beside_the_first(house: House) -> None:
    _came(house, NIGHT - 2 * HOUR)
    _came(house, NIGHT - HOUR, "rejected")
    (late,) = _judge(house)
    assert (late.why, late.holds) == ("rejected", False)


def test_a_delivery_that_a_person_rejected_is_flagged_and_does_not_hold_until_the_next_tick(
    house: House,
) -> None:
    _came(house, NIGHT - DAY)
    load = _came(house, NIGHT - HOUR)
    decisions.settle(house.ctx, load, "rejected", by="ann")
    (late,) = _judge(house)
    assert (late.why, late.decided_by, late.holds) == ("rejected", "ann", False)
    _came(house, NIGHT - HOUR / 2, "rejected")  # sent again, and bad: still her decision
    assert not _holds(house)
    assert _holds(house, NIGHT + DAY)


def test_a_run_that_undoes_a_load_is_not_held_back_though_this_nights_delivery_is_missing(
    house: House,
) -> None:
    load, _ = _came(house, NIGHT - 4 * DAY), _came(house, NIGHT - 3 * DAY)
    house.publish(1)
    assert _holds(house)
    decisions.settle(house.ctx, load, "rejected", by="ann")
    (late,) = _judge(house)
    assert (late.why, late.holds) == ("missed", False)
    house.publish(2)  # without it: from now on there is nothing to undo
    assert _holds(house)


def test_an_hourly_clock_waits_for_a_nightly_source_once_a_night_only(house: House) -> None:
    _came(house, NIGHT - 2 * HOUR + timedelta(minutes=1))
    assert not any(_holds(house, NIGHT + hour * HOUR) for hour in range(22))
    assert _holds(house, NIGHT + 23 * HOUR)


def test_an_hourly_source_is_waited_for_after_its_promise_is_broken(house: House) -> None:
    _declare(house, '"0 2 * * *"', '"0 * * * *"\ndeadline: 30m')
    _came(house, NIGHT - HOUR + timedelta(minutes=2))
    assert not _holds(house, NIGHT)
    assert not _holds(house, NIGHT + timedelta(minutes=29))
    assert _holds(house, NIGHT + timedelta(minutes=31))


def test_a_weekdays_source_is_not_missed_on_sunday(house: House) -> None:
    _declare(house, '"0 2 * * *"', '"0 2 * * 1-5"')
    friday = datetime(2026, 3, 6, 2, 1, tzinfo=UTC)
    _came(house, friday)
    assert not _holds(house, friday + 2 * DAY)
    assert _holds(house, friday + 3 * DAY + HOUR)


def test_a_later_delivery_covers_an_earlier_instant_and_a_stopped_clock_promises_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    _came(house, NIGHT - DAY)
    with monkeypatch.context() as patched:
        patched.setenv("LIFEHOUSE_CLOCK", "off")
        (late,) = _judge(house)
        assert not late.holds
    _came(house, NIGHT + DAY)
    assert _judge(house) == []


def _wait_for_tiny(copy: town.Town) -> None:
    """What ``begin`` notes of a late required source."""
    copy.ctx.warehouse.execute(
        "update control.runs set late_details = %s where run_id = %s",
        (json.dumps([{**LATE, "due": (town.SECOND - HOUR).isoformat()}]), copy.run_id),
    )


def test_the_gate_leaves_the_run_as_the_candidate_and_a_person_publishes_it_with_a_reason(
    copy: town.Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = copy.ctx
    monkeypatch.setattr(Context, "current", classmethod(lambda _: ctx))
    monkeypatch.setenv("COLUMNS", "250")
    commands = CliRunner()
    _wait_for_tiny(copy)
    for _ in range(2):  # a task that was killed judges again
        with pytest.raises(ReleaseHeld) as held:
            stations.release_gate(ctx, copy.run_id)
    assert held.value.sources == ["tiny"]
    (sentence,) = held.value.failures
    assert "source tiny did not come, due 02:00; run the source" in sentence
    assert copy.failed("critical") == {("control.runs", "required sources in time")}
    alert = compose.trouble(ctx, Subject("marts"), "release_gate", held.value, "", run_id=copy.run_id)
    assert alert.title == f"held back: the release of run {copy.run_id} waits for source tiny"
    assert (alert.event, alert.owner, alert.reasons) == (Event.GATE_CLOSED, "data-team", [sentence])
    assert "source_tiny, then marts" in alert.what_to_do[0]
    assert alert.served
    assert alert.served.startswith("Served is release 1")

    stations.fail(ctx, copy.run_id, "a task failed")  # what the DAG does after a closed gate
    assert candidate(ctx) == copy.run_id
    with pytest.raises(LifehouseError, match="is held back: source tiny did not come"):
        stations.publish(ctx, copy.run_id)
    assert ctx.warehouse.value("select release_id from control.published") == 1
    told = commands.invoke(build(), ["releases"]).output
    assert f"Run {copy.run_id}, as of 2024-02-02 00:00 UTC, is held back since" in told
    assert "source tiny did not come, due 02:00" in told
    assert "lifehouse publish --reason" in told
    assert "is held back since" in commands.invoke(build(), ["status"]).output

    refused = commands.invoke(build(), ["publish"])
    assert isinstance(refused.exception, LifehouseError)
    done = commands.invoke(build(), ["publish", "--reason", "the shop is closed [today]"])
    assert done.exit_code == 0, done.output
    row = ctx.warehouse.rows("select * from marts.releases where is_published")[0]
    assert (row["run_id"], row["publish_reason"]) == (copy.run_id, "the shop is closed [today]")
    assert row["published_by"]
    told = commands.invoke(build(), ["releases"]).output
    assert "is held back since" not in told
    assert "although it was held back: the shop is closed [today]" in told


def test_a_run_with_anything_else_against_it_is_closed_not_held(copy: town.Town) -> None:
    _wait_for_tiny(copy)
    copy.do("update {slot}.orders set gross_amount = gross_amount + 1 where order_key = '2024-01-05-3'")
    with pytest.raises(GateClosed) as closed:
        copy.judge()
    assert not isinstance(closed.value, ReleaseHeld)
    assert len(closed.value.failures) == 2
    assert (
        copy.ctx.warehouse.value("select status from control.runs where run_id = %s", (copy.run_id,))
        == "gate_closed"
    )


def test_one_persons_reason_is_good_for_one_tick(house: House) -> None:
    _came(house, NIGHT - 3 * DAY)
    run = house.build(1)
    house.execute("update control.runs set held_at = clock_timestamp(), held_why = 'the shop did not come'")
    with house.ctx.warehouse.connect() as connection:
        (late,) = judge(house.ctx, connection, NIGHT)
        connection.execute("update control.runs set late_details = %s", (json.dumps([late.content()]),))
    publish(house.ctx, run.run_id, MARTS, by="ann", reason="inventory day")
    assert not _holds(house, NIGHT + 20 * HOUR)
    assert _holds(house, NIGHT + DAY)


def test_what_holds_is_written_on_the_run(house: House) -> None:
    _came(house, NIGHT - DAY)
    run = begin(house.ctx, NIGHT)
    (noted,) = house.value("select late_details from control.runs where run_id = %s", run.run_id)
    assert (noted["source"], noted["holds"]) == ("shop", True)
    assert noted["due"] == (NIGHT - 2 * HOUR).isoformat()
