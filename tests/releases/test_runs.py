"""Runs: what they take in, when nothing is to be done, and what becomes of the copies."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from tests.releases.conftest import MARTS, NIGHT, House

from lifehouse.errors import LifehouseError
from lifehouse.releases.publish import publish
from lifehouse.releases.run import begin, building, finish, hold


def test_a_required_source_without_an_accepted_load_holds_the_run_back(house: House) -> None:
    house.accept(status="rejected")
    with pytest.raises(LifehouseError, match="required source without an accepted load: shop"):
        begin(house.ctx, NIGHT)
    assert house.value("select count(*) from control.runs") == 0


def test_an_as_of_without_a_time_zone_is_refused(house: House) -> None:
    with pytest.raises(LifehouseError, match="time zone"):
        begin(house.ctx, datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_source_is_late_when_it_missed_its_rhythm_or_was_rejected(house: House) -> None:
    now = datetime.now(UTC)
    house.accept(age=timedelta(hours=49))
    assert begin(house.ctx, now).late_sources == ["shop"]
    house.accept()
    assert begin(house.ctx, now).late_sources == []
    house.accept(status="rejected")
    assert begin(house.ctx, now).late_sources == ["shop"]


def test_a_run_takes_in_the_accepted_loads_only(house: House) -> None:
    first, _, third = house.accept(), house.accept(status="rejected"), house.accept()
    run = begin(house.ctx, NIGHT)
    assert run.loads == [first, third]
    assert run.change_seq == house.value("select max(change_seq) from control.loads")


def test_a_decision_under_way_is_waited_for(house: House) -> None:
    load = house.accept()
    started: list[int] = []
    with house.ctx.warehouse.connect() as deciding:
        deciding.execute(
            "update control.loads set status = 'rejected', change_seq = 0 where load_id = %s", (load,)
        )
        house.execute("insert into control.loads (source) values ('shop')")  # an open load is no decision
        run = threading.Thread(target=lambda: started.append(_change_seq(house)))
        run.start()
        run.join(0.5)
        assert run.is_alive()
        deciding.execute("update control.loads set status = 'accepted' where load_id = %s", (load,))
    run.join(10)
    assert started == [house.value("select change_seq from control.loads where load_id = %s", load)]


def _change_seq(house: House) -> int:
    return begin(house.ctx, NIGHT).change_seq


def test_the_same_question_again_builds_nothing(house: House) -> None:
    house.accept()
    house.publish(1)
    again = begin(house.ctx, NIGHT + timedelta(days=1))
    assert again.status == "unchanged"
    assert house.value("select state from control.slots where slot = 'green'") == "empty"
    with pytest.raises(LifehouseError, match="builds nothing"):
        _ = again.building_slot


@pytest.mark.parametrize("change", ["as_of", "loads", "code", "full_refresh"])
def test_another_question_builds_again(house: House, change: str) -> None:
    house.accept()
    house.publish(1)
    if change == "loads":
        house.accept()
    if change == "code":
        house.change_code("new")
    as_of = NIGHT + timedelta(days=1 + (change == "as_of"))
    run = begin(house.ctx, as_of, full_refresh=change == "full_refresh")
    assert (run.status, run.slot) == ("running", "green")


def test_a_run_that_never_ended_is_abandoned_and_cannot_go_on(house: House) -> None:
    house.accept()
    first = house.build(1)
    second = begin(house.ctx, NIGHT)
    assert house.value("select status from control.runs where run_id = %s", first.run_id) == "abandoned"
    with pytest.raises(LifehouseError, match="cannot go on: it is abandoned"):
        publish(house.ctx, first.run_id, MARTS)
    with hold(house.ctx, second.run_id) as (_, run):
        assert run == second


def test_two_runs_never_build_at_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifehouse.releases.run._PATIENCE", 0.3)
    house.accept()
    with building(house.ctx), pytest.raises(LifehouseError, match="another run is building"):
        begin(house.ctx, NIGHT)
    assert begin(house.ctx, NIGHT).status == "running"


def test_a_failed_run_does_not_move_the_watermark(house: House) -> None:
    house.accept()
    house.publish(1)
    house.publish(2)
    before = house.value("select change_seq from control.slots where slot = 'blue'")
    house.accept()
    run = house.build(3)
    finish(house.ctx, run.run_id, "failed", "a model could not be built")
    assert house.value("select change_seq from control.slots where slot = 'blue'") == before
    again = begin(house.ctx, NIGHT + timedelta(days=3))
    assert again.slot == "blue"
    assert house.value("select slot_from from control.current_run") == before
    assert house.value("select change_to from control.current_run") == again.change_seq


def test_a_copy_half_built_by_other_code_is_built_anew(house: House) -> None:
    house.accept()
    house.publish(1)
    house.publish(2)
    house.change_code("wrong")
    house.build(3)
    house.change_code("as before")
    house.change_code("wrong")  # the same code as the half-built copy
    begin(house.ctx, NIGHT + timedelta(days=3))
    assert house.value("select fingerprint is null from control.slots where slot = 'blue'")
    assert house.value("select slot_from from control.current_run") == 0


def test_a_full_refresh_reads_from_the_beginning_and_keeps_the_tables(house: House) -> None:
    house.accept()
    house.publish(1)
    house.publish(2)
    begin(house.ctx, NIGHT + timedelta(days=2), full_refresh=True)
    assert house.value("select slot_from from control.current_run") == 0
    assert house.value("select fingerprint is not null from control.slots where slot = 'blue'")
