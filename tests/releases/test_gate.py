"""Nothing that breaks an invariant passes the release gate, and what is served stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.releases.conftest import NIGHT, House, found

from lifehouse.errors import GateClosed, LifehouseError
from lifehouse.releases.gate import Verdict, judge
from lifehouse.releases.publish import publish
from lifehouse.releases.run import begin

HERE = Path(__file__).parent
MARTS = (
    *("customers", "customer_value", "lifecycle_stages", "orders", "sales_totals"),
    *("segment_members", "segments", "stage_history"),
)


def build(house: House, damage: str = "select 1", number: int = 2) -> int:
    """A run whose slot is sound but for the damage."""
    run = begin(house.ctx, NIGHT + timedelta(days=number))
    house.execute(f"drop schema if exists {run.slot} cascade")
    house.execute((HERE / "marts.sql").read_text().format(slot=run.slot))
    house.execute(damage.format(slot=run.slot))
    return run.run_id


def examine(house: House, run_id: int) -> Verdict:
    return judge(house.ctx, run_id, MARTS)


@pytest.fixture(scope="module")
def published(databases: Any, tmp_path_factory: pytest.TempPathFactory) -> House:
    """A first release that passed the gate is served; each test fails to publish another over it."""
    house = found(tmp_path_factory.mktemp("gate"), databases.create())
    house.accept()
    house.execute((HERE / "contract.sql").read_text())
    run_id = build(house, number=1)
    assert examine(house, run_id).warnings == []
    publish(house.ctx, run_id, MARTS)
    return house


def test_a_sound_release_passes_and_its_pages_are_written(published: House) -> None:
    run_id = build(published)
    verdict = examine(published, run_id)
    assert verdict.warnings == []
    assert verdict.pages.is_file()
    page = verdict.pages.read_text()
    assert "stage_history" in page
    assert "<script" not in page
    assert "src=" not in page
    results = published.ctx.warehouse.rows("select * from marts.quality_results where run_id = %s", (run_id,))
    assert len(results) > 20
    assert all(row["meaning"] and row["what_to_do"] and row["owner"] and row["success"] for row in results)


STAGES = "insert into {slot}.stage_history values "
MEMBERS = "insert into {slot}.segment_members values "
NOBODY = "customer_id known in customers"
#: Each run is damaged in one or more ways; of each way: the SQL, the subject and the expectation that must see it.
BAD = {
    "overlap": [(STAGES + "('c2', 'status', 'lost', '2026-02-01', null)", "stage_history", "no overlap")],
    "gap": [
        (
            "update {slot}.stage_history set exited_at = '2026-02-27' where exited_at is not null",
            "stage_history",
            "no gap",
        )
    ],
    "two stages at once": [
        (
            STAGES + "('c2', 'status', 'lost', '2026-01-05', null)",
            "stage_history",
            "key (customer_id, lifecycle, entered_at)",
        )
    ],
    "member of nobody": [(MEMBERS + "('fans', 'c9')", "segment_members", NOBODY)],
    "a cent too much": [
        (
            "update {slot}.sales_totals set net_revenue = net_revenue + 0.01",
            "sales_totals",
            "revenue reconciled",
        )
    ],
    "stages of all kinds": [
        (
            "update {slot}.stage_history set exited_at = '2027-01-01' where exited_at is null",
            "stage_history",
            "no gap",
        ),
        (STAGES + "('c2', 'other', 'new', '2026-01-05', '2026-01-04')", "stage_history", "forward in time"),
        (
            "update {slot}.stage_history set stage = 'newish' where customer_id = 'c2'",
            "stage_history",
            "stages declared",
        ),
        (STAGES + "('c9', 'status', 'new', '2026-01-05', null)", "stage_history", NOBODY),
    ],
    "counts of all kinds": [
        (MEMBERS + "('friends', 'c1')", "segment_members", "segment known in segments"),
        (MEMBERS + "('fans', 'c1')", "segment_members", "key (segment, customer_id)"),
        ("update {slot}.segments set members = 3", "segments", "sizes right"),
        ("update {slot}.sales_totals set lines = 3", "sales_totals", "lines reconciled"),
        ("update {slot}.sales_totals set orders = 3", "sales_totals", "orders reconciled"),
        (
            "insert into {slot}.orders select * from {slot}.orders limit 1",
            "orders",
            "key (source, order_key)",
        ),
        (
            "insert into {slot}.orders select 'web', n::text from generate_series(1, 200) as n",
            "orders",
            "size near the published release's",
        ),
        ("delete from {slot}.customers where customer_id = 'c2'", "customers", "nobody lost"),
        ("insert into {slot}.customers values ('c8')", "customers", "customer_id known in customer_refs"),
        ("insert into {slot}.customers values ('c8')", "customers", "key (customer_id)"),
    ],
    "what is gone": [
        ("drop table {slot}.customer_value", "customer_value", "exists"),
        ("alter table {slot}.stage_history drop column exited_at", "stage_history", "no gap"),
        ("delete from {slot}.customers", "customers", "not empty"),
        ("delete from {slot}.sales_totals", "sales_totals", "revenue reconciled"),
    ],
}


@pytest.mark.parametrize("kind", BAD)
def test_a_violation_closes_the_gate_and_the_published_release_stays(published: House, kind: str) -> None:
    run_id = build(published, "; ".join(damage for damage, _, _ in BAD[kind]))
    with pytest.raises(GateClosed) as closed:
        examine(published, run_id)
    assert {subject for _, subject, _ in BAD[kind]} <= {text.split(":")[0] for text in closed.value.failures}
    assert {(subject, expectation) for _, subject, expectation in BAD[kind]} <= failed(published, run_id)
    assert published.value("select status from control.runs where run_id = %s", run_id) == "gate_closed"
    with pytest.raises(LifehouseError, match="gate_closed"):
        publish(published.ctx, run_id, MARTS)
    assert published.value("select release_id from control.published") == 1
    assert published.value("select count(*) from marts.customers") == 2
    assert published.value("select state from control.slots where slot = 'green'") == "building"


def test_one_violation_fails_one_expectation(published: House) -> None:
    run_id = build(published, "update {slot}.sales_totals set net_revenue = net_revenue + 0.01")
    with pytest.raises(GateClosed):
        examine(published, run_id)
    assert failed(published, run_id) == {("sales_totals", "revenue reconciled")}


def test_records_lost_after_they_came_close_the_gate(published: House) -> None:
    load = published.accept()
    published.execute(f"insert into control.load_tables values ({load}, 'orders', 3, 3, 0, 0)")
    published.execute(f"insert into raw_shop.orders select {load} from generate_series(1, 2)")
    with pytest.raises(GateClosed, match="raw and quarantine hold as many records"):
        examine(published, build(published))
    published.execute(f"insert into raw_shop.orders values ({load})")
    assert examine(published, build(published)).warnings == []


def test_a_source_that_is_new_may_swell_a_mart_but_is_told(published: House) -> None:
    load = published.accept("web")
    published.execute(f"insert into control.load_tables values ({load}, 'visits', 1, 1, 0, 0)")
    published.execute("create schema if not exists raw_web")
    published.execute(f"create table if not exists raw_web.visits as select {load} as _load_id")
    swollen = "insert into {slot}.orders select 'web', n::text from generate_series(1, 200) as n"
    warnings = examine(published, build(published, swollen)).warnings
    assert {warning.subject for warning in warnings} == {"orders"}


def failed(house: House, run_id: int) -> set[tuple[str, str]]:
    query = "select subject, expectation from marts.quality_results where run_id = %s and not success"
    return {(row["subject"], row["expectation"]) for row in house.ctx.warehouse.rows(query, (run_id,))}


def test_nothing_is_left_open_after_the_judgement(published: House) -> None:
    examine(published, build(published))
    sessions = published.ctx.warehouse.rows(
        "select application_name, state, query from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid() and state is not null"
    )
    assert sessions == []
