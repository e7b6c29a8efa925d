"""A night in which nothing happened asks nothing of any customer: what it costs does not follow how many there are."""

from __future__ import annotations

from tests.e2e.conftest import Lived

_COUNTERS = """
    select
        tables.relname,
        coalesce(tables.seq_tup_read, 0) + coalesce(tables.idx_tup_fetch, 0) as rows_read,
        tables.n_tup_ins + tables.n_tup_upd + tables.n_tup_del as rows_written,
        tables.analyze_count
    from pg_stat_all_tables as tables
    where tables.relname like 'stage_intervals%' or tables.relname in ('stage_history', 'customer_events', 'customer_orders')
        or tables.relname in ('identifiers', 'customer_refs')
"""


def test_a_night_in_which_nothing_happened_writes_nothing_of_any_customer(lived: Lived) -> None:
    company = lived.company
    company.night("2024-01-07")  # both copies are built now, and know the same

    def counters() -> dict[tuple[object, ...], tuple[object, ...]]:
        query = _COUNTERS.replace("tables.relname,", "tables.schemaname, tables.relname,", 1)
        return {row[:2]: row[3:] for row in company.rows(query)}

    before = counters()
    ran = company.rows("select max(run_id) from control.runs")
    assert company.night("2024-01-08").status == "published"
    assert company.rows("select max(run_id) from control.runs") != ran
    assert company.rows("select count(*) from control.run_customers") == [(0,)]
    after = counters()
    assert {name for _, name in after} >= {"stage_intervals_recorded", "stage_history", "customer_events"}
    assert after == before
