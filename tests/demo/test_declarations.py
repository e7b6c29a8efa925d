"""The declared sources are the sources: every column, its type and its rules."""

from __future__ import annotations

from typing import Any

import pytest

from demo.conftest import Shop
from lifehouse.demo import crm, engage
from lifehouse.demo.nights import NIGHTS
from lifehouse.ingest.declaration import Source, load_source
from lifehouse.project import INSTALLATION

SHOP = load_source(INSTALLATION / "dags" / "sources" / "shop.yml")
CRM = load_source(INSTALLATION / "dags" / "sources" / "crm.yml")
ENGAGE = load_source(INSTALLATION / "dags" / "sources" / "engage.yml")


def test_the_shops_columns_and_types_are_declared_completely(played: list[Shop]) -> None:
    held: dict[str, dict[str, str]] = {}
    query = """
        select attrelid::regclass::text, attname, format_type(atttypid, atttypmod)
        from pg_attribute join pg_class on pg_class.oid = attrelid
        where relnamespace = 'public'::regnamespace and relkind = 'r' and attnum > 0 and not attisdropped
    """
    for table, column, kind in played[0].rows(query):
        held.setdefault(table, {})[column] = kind.replace("timestamp with time zone", "timestamptz")
    declared = {
        name: {column: rule.type for column, rule in table.columns.items()}
        for name, table in SHOP.tables.items()
    }
    assert declared == held


@pytest.mark.parametrize("table", list(SHOP.tables))
def test_the_shop_keeps_its_own_rules(played: list[Shop], table: str) -> None:
    rules: list[tuple[str, list[Any]]] = []
    for name, column in SHOP.tables[table].columns.items():
        if column.required:
            rules.append((f"{name} is null", []))
        if column.allowed:
            rules.append((f"{name} <> all(%s)", [column.allowed]))
        if column.min is not None:
            rules.append((f"{name} < %s", [column.min]))
    for rule, values in rules:
        assert played[2].rows(f"select count(*) from {table} where {rule}", values) == [(0,)], rule


@pytest.mark.parametrize(("declared", "simulator"), [(CRM, crm), (ENGAGE, engage)], ids=["crm", "engage"])
def test_the_simulators_fields_are_declared_completely_and_keep_their_rules(
    declared: Source, simulator: Any
) -> None:
    held = simulator.build(range(1, 300)).at(NIGHTS[2])
    assert set(held) == set(declared.tables)
    for name, table in declared.tables.items():
        assert table.key == (simulator.KEYS[name],)
        assert held[name], name
        for record in held[name]:
            assert set(record) == set(table.columns)
            for field, column in table.columns.items():
                value = record[field]
                assert value is not None or not column.required
                assert value is None or not column.allowed or value in column.allowed
                assert value is None or column.min is None or column.min <= value <= (column.max or value)
