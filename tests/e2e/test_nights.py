"""Nights of a tiny company through every station, without Airflow."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.e2e.conftest import Lived
from typer.testing import CliRunner

from lifehouse.cli.app import build
from lifehouse.errors import LifehouseError
from support.tiny import ANN, BEN, CAM, Company, sale

MARTS = "select customer_id, status_stage, orders, net_revenue from marts.customers order by customer_id"


def test_a_first_night_publishes_and_the_same_night_again_changes_nothing(lived: Lived) -> None:
    company = lived.company
    assert lived.night.status == "published"
    before = company.rows(MARTS)
    assert len(before) == 3
    assert company.rows("select sum(net_amount), count(*) filter (where is_guest) from marts.orders") == [
        (20, 1)
    ]
    again = company.night("2024-01-06")
    assert again.status == "unchanged"
    assert company.rows(MARTS) == before


def test_a_late_order_moves_only_its_customer(lived: Lived) -> None:
    company = lived.company
    company.lines("2024-01-06", [sale("o9", "p2", "2024-01-03", 4)])
    company.night("2024-01-07")
    changed = company.ctx.warehouse.rows("select customer_id from control.run_customers where scope = 'core'")
    ben = company.ctx.warehouse.value("select customer_id from core.customer_refs where customer_key = 'p2'")
    assert [row["customer_id"] for row in changed] == [ben]
    assert company.rows(
        f"select orders, net_revenue, first_order_at::date::text from marts.customers where customer_id = '{ben}'"
    ) == [(2, 11, "2024-01-03")]


def test_a_file_delivered_again_replaces_its_own_rows(lived: Lived) -> None:
    company = lived.company
    company.lines("2024-01-05", [sale("o1", "p1", "2024-01-05", 12)])
    company.night("2024-01-07")
    assert company.rows("select order_key, net_amount from marts.orders") == [("o1", 12)]


def test_a_shared_email_merges_two_customers_and_takes_their_history_along(lived: Lived) -> None:
    company = lived.company
    company.people(
        "corrected", [("p2", "Ben Birch", "ANN@example.com ", "", "", "2024-01-02", "2024-01-07", "")]
    )
    company.night("2024-01-08")
    assert company.rows("select count(*), sum(net_revenue) from marts.customers") == [(2, 17)]
    assert company.rows("select count(*), max(cause) from marts.customer_merges") == [(1, "email")]
    company.people(
        "corrected", [("p2", "Ben Birch", "ben@example.org", "", "", "2024-01-02", "2024-01-09", "")]
    )
    company.night("2024-01-10")
    assert sorted(company.rows("select net_revenue from marts.customers")) == [(0,), (7,), (10,)]


def _life(company: Company) -> dict[str, list[tuple[object, ...]]]:
    """What the marts say, with each customer named by the records that make it up."""
    name = """
        with named as (
            select customer_id, string_agg(source || ':' || customer_key, '+' order by source, customer_key) as name
            from core.customer_refs group by customer_id
        )
    """
    queries = {
        "customers": "select name, status_stage, crm_stage, orders, net_revenue, last_order_at from marts.customers",
        "stage_history": "select name, lifecycle, stage, entered_at, exited_at, cause_type from marts.stage_history",
        "orders": "select name, order_key, order_type, gross_amount, refund_amount, net_amount from marts.orders left",
        "members": "select name, segment from marts.segment_members",
        "consents": "select name, channel, purpose, status, changed_at from marts.consents",
    }
    return {
        key: sorted(company.rows(f"{name} {query} join named using (customer_id) "), key=repr)
        for key, query in queries.items()
    }


@pytest.mark.slow
def test_a_full_rebuild_equals_the_nights_one_by_one_and_in_another_order(
    lived: Lived, tiny: Callable[..., Company]
) -> None:
    nightly, first = lived.company, (lived.company.folder / "lines" / "2024-01-05.csv").read_bytes()
    files = {
        "2024-01-06": [sale("o4", "p3", "2024-01-02", 8), sale("r1", "p1", "2024-01-06", -4, "refund")],
        "2024-01-07": [sale("o5", "p2", "2024-01-07", 5), sale("o6", "p1", "2024-01-07", 6)],
    }
    twin = ("p4", "Ann A.", " Ann@example.COM", "", "", "2024-01-06", "2024-01-06", "")
    nightly.lines("2024-01-06", files["2024-01-06"])
    nightly.people("b", [twin])
    nightly.night("2024-01-09")
    nightly.lines("2024-01-07", files["2024-01-07"])
    nightly.night("2024-01-10")
    lives = _life(nightly)
    nightly.night("2024-01-10", full_refresh=True)
    assert _life(nightly) == lives
    shuffled = tiny("shuffled")
    shuffled.people("b", [CAM, twin])
    shuffled.lines("2024-01-07", files["2024-01-07"])
    shuffled.night("2024-01-09")
    shuffled.people("a", [ANN, BEN])
    shuffled.lines("2024-01-06", files["2024-01-06"])
    (shuffled.folder / "lines" / "2024-01-05.csv").write_bytes(first)
    shuffled.night("2024-01-10")
    assert _life(shuffled) == lives


def test_a_persons_word_on_two_records_begins_a_run_of_its_own(
    lived: Lived, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = lived.company
    monkeypatch.setenv("LIFEHOUSE_PROJECT", str(company.ctx.project.root))
    monkeypatch.setenv("LIFEHOUSE_HOME", str(company.ctx.home.path))
    monkeypatch.setenv("LIFEHOUSE_WAREHOUSE_URL", company.ctx.warehouse.url)

    def said(*words: str) -> str:
        return CliRunner().invoke(build(), ["identity", *words], catch_exceptions=False).output

    assert "are one person" in said("same", "tiny:p2", "tiny:p1", "--reason", "she called")
    assert "next run" in said("decisions")
    assert company.night("2024-01-06").status == "published"
    assert "in effect" in said("decisions")
    assert company.rows("select count(*), sum(net_revenue) from marts.customers") == [(2, 17)]
    assert company.rows("select cause from marts.customer_merges") == [("a decision",)]
    given = "select source, customer_key from marts.customer_fields where field = 'email'"
    assert company.rows(given) == [("tiny", "p2")]  # the newer of the two records
    assert company.rows("select phone from marts.customers order by phone") == [
        ("+49301234567",),
        ("+49307654321",),
    ]
    assert "3 records are 2 customers, 1 of them of several records" in said()
    with pytest.raises(LifehouseError, match="there is no record tiny:p9"):
        said("apart", "tiny:p1", "tiny:p9", "--reason", "x")
