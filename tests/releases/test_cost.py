"""What a night cost is on record, station by station: rows, seconds, memory, and the gates' share."""

from __future__ import annotations

import pytest
from tests.releases import town

from lifehouse import stations
from lifehouse.errors import GateClosed
from lifehouse.memory import PeakMemory
from support.counting import counted

MEGABYTE = 2**20


def _stations(copy: town.Town, run_id: int) -> dict[str, dict[str, object]]:
    rows = copy.ctx.warehouse.rows(
        "select * from marts.runs where run_id = %s order by started_at", (run_id,)
    )
    return {str(row["station"]): row for row in rows}


def test_every_station_of_a_night_tells_rows_seconds_and_memory(copy: town.Town) -> None:
    night = _stations(copy, 1)
    assert list(night) == [
        *("ingest", "raw gate", "begin", "core", "release", "release gate", "publish", "prune", "sync"),
    ]
    assert {row["release_id"] for row in night.values()} == {1}
    assert {row["run_status"] for row in night.values()} == {"published"}
    assert abs(sum(float(str(row["share"])) for row in night.values()) - 1) < 0.01
    assert all(float(str(row["seconds"])) > 0 for row in night.values())
    records = 150 + 31 * 26
    moved = {name: (row["rows_in"], row["rows_out"]) for name, row in night.items()}
    assert moved["ingest"] == (records, records)
    assert moved["raw gate"] == (records, 0)
    assert moved["core"] == (records, 150)
    assert moved["release"][0] == 150
    judged = copy.ctx.warehouse.value("select sum(checked) from marts.quality_results where run_id = 1")
    assert int(str(moved["release gate"][0])) > 1000
    assert judged
    members = copy.ctx.warehouse.value("select count(*) from marts.segment_members")
    assert moved["publish"] == (members, members)


def test_a_closed_gate_tells_what_it_judged_and_how_much_did_not_hold(copy: town.Town) -> None:
    copy.do("update {slot}.sales_totals set net_revenue = net_revenue + 1")
    with pytest.raises(GateClosed):
        stations.release_gate(copy.ctx, copy.run_id)
    row = _stations(copy, 2)["release gate"]
    assert (row["status"], row["rows_out"], row["run_status"]) == ("failed", 1, "gate_closed")
    assert int(str(row["rows_in"])) > 1000
    assert "revenue" not in str(row["subject"])
    assert "sales_totals" in str(row["message"])


def test_the_gate_counts_many_rules_in_one_statement(copy: town.Town) -> None:
    assert copy.ctx.warehouse.has_roles  # asked once an object
    with counted() as asked:
        stations.release_gate(copy.ctx, copy.run_id)
    rules = copy.ctx.warehouse.value(
        "select count(*) from control.quality_results where run_id = %s", (copy.run_id,)
    )
    assert rules > 140
    assert len(asked.statements) < rules / 2
    assert asked.connections < 12


def test_a_station_that_is_tried_again_is_one_row(copy: town.Town) -> None:
    stations.release_gate(copy.ctx, copy.run_id)
    stations.release_gate(copy.ctx, copy.run_id)
    row = _stations(copy, 2)["release gate"]
    assert (row["attempts"], row["status"], row["rows_out"]) == (2, "done", 0)


def test_what_no_run_has_followed_yet_stands_without_one(copy: town.Town) -> None:
    copy.do("insert into control.stations (station, subject, status) values ('ingest', 'shop', 'failed')")
    rows = copy.ctx.warehouse.rows("select run_id, status from marts.runs where subject = 'shop'")
    assert rows == [{"run_id": None, "status": "failed"}]


def test_a_peak_is_that_of_its_own_station(copy: town.Town) -> None:
    before = PeakMemory()
    held = bytearray(200 * MEGABYTE)
    high = before.bytes()
    assert len(held) == 200 * MEGABYTE
    del held
    after = PeakMemory().bytes()
    if high is None or after is None:
        pytest.skip("this system tells no peak")
    assert high - after > 150 * MEGABYTE
