"""What a backfill may know of the contract: every table that tells of a customer says when that happened."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from lifehouse.build.project import SHIPPED

_CONTRACT = SHIPPED / "models" / "staging" / "contract" / "contract.yml"
_MODELS = {model["name"]: model for model in yaml.safe_load(_CONTRACT.read_text(encoding="utf-8"))["models"]}
_TIMES = ("timestamptz", "timestamp", "date")


def _columns(model: dict[str, Any]) -> dict[str, str]:
    return {column["name"]: column["data_type"] for column in model["columns"]}


@pytest.mark.parametrize("name", _MODELS)
def test_a_table_of_customers_names_the_time_at_which_its_rows_happened(name: str) -> None:
    """Without it a backfill would know of the row at any instant, and its customer would not be made again."""
    columns, meta = _columns(_MODELS[name]), _MODELS[name].get("config", {}).get("meta", {})
    if "customer_key" in columns:
        assert "happened_at" in meta, f"{name}: config: meta: happened_at: <column> is missing"
    for column in filter(None, [meta.get("happened_at"), *meta.get("later", [])]):
        assert columns.get(column) in _TIMES, f"{name}: {column} is no time of it"


def test_the_contract_is_there() -> None:
    assert len(_MODELS) >= 14
