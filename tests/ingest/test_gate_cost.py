"""What the raw gate costs beside the scan of what came: counted in connections, statements and suites, not in seconds."""

from __future__ import annotations

from typing import Any

import pytest

from lifehouse.ingest import gate
from lifehouse.quality import runner
from support.counting import Asked, counted


def _judged(shop: Any) -> Asked:
    load_id = shop.ingest().load_id
    with counted() as asked:
        gate.judge(shop.ctx, load_id)
    return asked


def test_a_load_is_judged_in_one_suite_and_a_handful_of_statements_a_table(
    shop: Any, shop_database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    suites: list[int] = []
    judge = runner._judge
    monkeypatch.setattr(runner, "_judge", lambda data, n, suite: suites.append(n) or judge(data, n, suite))
    both = _judged(shop)
    shop_database.run("update orders set amount = 11, updated_at = now() where order_id = 7")
    one = _judged(shop)
    assert suites == [0, 0], "one suite a load, of all its tables"
    assert shop.value("select count(*) from control.quality_results where load_id = 1") > 20
    assert len(both.statements) <= 40, "of two tables: not one for each expectation"
    assert both.connections == one.connections <= 8, "not a connection a table"
    assert one.connections > 1
