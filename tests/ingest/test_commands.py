"""What a person sees of loads and quarantine, and what a person may decide."""

from __future__ import annotations

from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from lifehouse.cli import loads, quarantine
from lifehouse.context import Context
from lifehouse.errors import LifehouseError


@pytest.fixture
def say(shop: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command on the shop's house; gives what it printed."""
    monkeypatch.setattr(Context, "current", classmethod(lambda cls: shop.ctx))
    monkeypatch.setenv("COLUMNS", "160")
    app = typer.Typer()
    loads.register(app)
    quarantine.register(app)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return " ".join(result.output.split())

    return run


def test_loads_and_quarantine_are_told_without_values(shop: Any, shop_database: Any, say: Any) -> None:
    shop_database.run("insert into orders (order_id, email, amount) values (1000, 'jane@example.org', -1.25)")
    shop.judged_night()
    assert "1 shop accepted" in say("loads")
    assert "106 105 0 1" in say("loads", "--source", "shop")
    shown = say("loads", "show", "1")
    assert "accepted by raw gate" in shown
    assert "orders amount negative 1" in shown
    assert "1 shop accepted orders amount negative 1 1 0 0" in say("quarantine")
    masked = say("quarantine", "show", "1")
    assert "shop.orders.amount: negative" in masked
    assert "email aaaa@aaaaaaa.aaa" in masked
    assert "jane" not in masked


def test_a_person_decides_and_decides_again(shop: Any, shop_database: Any, say: Any) -> None:
    shop.judged_night()
    assert say("loads", "reject", "1", "--reason", "test data") == "Load 1 of shop is now rejected."
    assert say("loads", "reject", "1", "--reason", "once more") == "Load 1 of shop was already rejected."
    assert shop.night().tables["orders"].loaded == 100
    assert say("loads", "accept", "1", "--reason", "it was right") == "Load 1 of shop is now accepted."
    assert shop.rows("select count(*) from control.loads where change_seq is not null") == [(2,)]
    assert shop.rows("select decided_by <> 'raw gate', reason from control.loads where load_id = 1") == [
        (True, "it was right")
    ]


def test_a_decision_needs_a_reason(shop: Any, say: Any) -> None:
    shop.judged_night()
    with pytest.raises(AssertionError, match="Missing option '--reason'"):
        say("loads", "reject", "1")
    with pytest.raises(LifehouseError, match="say why"):
        say("loads", "reject", "1", "--reason", " ")
    with pytest.raises(LifehouseError, match="say why"):
        say("quarantine", "discard", "--load", "1", "--reason", "")
    assert shop.rows("select status from control.loads") == [("accepted",)]


def test_records_are_released_and_discarded_by_hand(shop: Any, shop_database: Any, say: Any) -> None:
    shop_database.run(
        "insert into orders (order_id, email, amount) values (1000, 'a@example.org', -1.25), (1001, null, -2)"
    )
    shop.judged_night()
    assert "2 shop.orders.amount: negative" in say("quarantine", "show", "1")
    assert say(
        "quarantine", "release", "--table", "shop.orders", "--id", "2", "--reason", "a till refund"
    ) == ("1 records were released (1 of shop.orders) as load 2; the next run takes them in.")
    assert say("quarantine", "release", "--table", "shop.orders", "--id", "2", "--reason", "again") == (
        "Nothing was released: no such record waits."
    )
    assert "1 records were discarded" in say("quarantine", "discard", "--load", "1", "--reason", "test data")
    assert "orders amount negative 2 0 1 1" in say("quarantine", "list")
    assert "negative" not in say("quarantine", "list", "--waiting")
    assert "released: a till refund" in say("loads")
    assert "released from load 1" in say("loads", "show", "2")
