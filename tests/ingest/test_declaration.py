"""A declaration is checked at the door, with the line and the nearest right spelling."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lifehouse.errors import ConfigError
from lifehouse.ingest.declaration import load_source

GOOD = """source: shop
owner: data-team
description: a shop
kind: sql
connection: {url: "${NOT_SET_ANYWHERE}"}
schedule: "0 2 * * *"
tables:
  orders:
    key: order_id
    cursor: updated_at
    overlap: 1h
    columns:
      order_id: {type: bigint, required: true}
      amount: {type: "numeric(12, 2)", min: 0}
      updated_at: {type: timestamptz}
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write_it(text: str) -> Path:
        path = tmp_path / "shop.yml"
        path.write_text(text)
        return path

    return write_it


def test_a_declaration_loads_without_its_secrets(write: Callable[[str], Path]) -> None:
    source = load_source(write(GOOD))
    orders = source.tables["orders"]
    assert (orders.unit, orders.whole, orders.columns["amount"].type) == (
        ("order_id",),
        False,
        "numeric(12,2)",
    )
    assert "NOT_SET_ANYWHERE" in str(source.connection)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "overlap: 1h",
            "overlapp: 1h",
            "shop.yml:11: tables.orders: unknown key 'overlapp'; did you mean 'overlap'?",
        ),
        ("numeric(12, 2)", "money", "shop.yml:14: tables.orders.columns.amount.type: unknown type 'money'"),
        ("key: order_id", "key: id", "shop.yml:8: tables.orders: id: not among the columns"),
        ("    key: order_id\n", "", "needs a `key`"),
        ("overlap: 1h", "overlap: 10", "overlap: a duration such as 1h for a time"),
        ("cursor: updated_at", "cursor: amounts", "amounts: not among the columns"),
        ("kind: sql", "kind: sqlite", "shop.yml:4: kind: Input should be 'sql', 'rest' or 'files'"),
        ("source: shop", "source: web", "must be the file's name"),
        (
            "{type: timestamptz}",
            "{type: timestamptz, not_before: opened_at}",
            "shop.yml:8: tables.orders: updated_at: not_before: opened_at is no other column",
        ),
        (
            "{type: timestamptz}",
            "{type: timestamptz, not_before: amount}",
            "updated_at: not_before: both columns must be times",
        ),
        (
            "      amount:",
            "      _load_id: {type: bigint}\n      amount:",
            "_load_id: such names are given by ingest",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(write: Callable[[str], Path], old: str, new: str, told: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as error:
        load_source(write(GOOD.replace(old, new)))
    assert told in str(error.value)
