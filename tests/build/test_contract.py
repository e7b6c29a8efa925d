"""The input contract: all its tables, each column explained, and one list of what the timeline takes from it."""

from __future__ import annotations

import re

import pytest

from lifehouse.build import contract
from lifehouse.build.project import SHIPPED
from lifehouse.lifecycles.rules import EVENT_TYPES
from lifehouse.project import INSTALLATION

_TIMELINE = (SHIPPED / "macros" / "timeline.sql").read_text()
TABLES = {
    *("profiles", "consents", "products", "orders", "order_lines", "interactions", "messages"),
    *("campaigns", "campaign_targets", "offers", "offer_redemptions", "stage_changes", "opportunities"),
    *("follow_ups", "tickets", "survey_invitations", "survey_answers", "reviews", "service_costs"),
    *("loyalty_entries", "referrals", "subscriptions", "product_usage", "market_indicators"),
}


def test_the_contract_has_its_tables_and_each_has_a_model() -> None:
    assert set(contract.tables()) == TABLES
    models = (SHIPPED / "models" / "staging" / "contract").glob("contract_*.sql")
    assert {path.stem.removeprefix("contract_") for path in models} == TABLES


@pytest.mark.parametrize("table", sorted(TABLES - {"profiles"}))
def test_every_column_is_explained_with_its_zone_and_currency(table: str) -> None:
    names = contract.columns(table)
    assert names[:3] == ["source", "source_key", "_loaded_at"]
    for column in contract.tables()[table]["columns"]:
        told = column["description"]
        assert told.lower() != column["name"].replace("_", " "), f"{table}.{column['name']} says nothing"
        if column["data_type"] == "timestamptz":
            assert "(UTC)" in told, f"{table}.{column['name']}"
        if column["name"] in {"amount", "cost", "reward", "discount", "unit_price", "unit_cost"}:
            assert "`currency`" in told, f"{table}.{column['name']}"
            assert "currency" in names, table
    keys = [test.get("unique_combination") for test in contract.tables()[table]["data_tests"]]
    assert {"arguments": {"columns": ["source", "source_key"]}} in keys


@pytest.mark.parametrize("table", sorted(TABLES))
def test_a_table_of_customers_names_the_time_at_which_its_rows_happened(table: str) -> None:
    """Without it a backfill would know of the row at any instant, and its customer would not be made again."""
    columns = {column["name"]: column["data_type"] for column in contract.tables()[table]["columns"]}
    times = contract.happenings().get(table, [])
    if table in {table for table, _ in contract.person_columns()}:
        assert times, f"{table}: config: meta: happened_at: <column> is missing"
    for column in times:
        assert columns.get(column) in ("timestamptz", "timestamp", "date"), (
            f"{table}: {column} is no time of it"
        )


def test_the_models_know_the_same_columns_of_persons() -> None:
    listed = re.findall(
        r"\('(\w+)', '(\w+)'\)", _TIMELINE.split("macro person_columns()")[1].split("endmacro")[0]
    )
    assert sorted(listed) == sorted(contract.person_columns())


def test_every_time_that_something_happened_at_is_on_the_timeline() -> None:
    taken = set(re.findall(r"'table': '(\w+)', 'at': '(\w+)'", _TIMELINE))
    elsewhere = {("profiles", "created_at"), ("orders", "ordered_at"), ("referrals", "rewarded_at")}
    elsewhere |= {("market_indicators", "measured_at")}  # about nobody
    wanted = {(table, time) for table, times in contract.happenings().items() for time in times}
    assert taken == wanted - elsewhere


def test_rules_may_name_exactly_the_types_that_the_page_lists() -> None:
    rows = re.findall(r"^\| (`.+?) \|", (INSTALLATION / "docs" / "timeline.md").read_text(), re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(listed) == sorted(EVENT_TYPES)
