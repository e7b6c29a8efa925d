"""What a person sees of loads and quarantine, and what a person may decide."""

from __future__ import annotations

from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from lifehouse.cli import loads
from lifehouse.context import Context


@pytest.fixture
def say(shop: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command on the shop's house; gives what it printed."""
    monkeypatch.setattr(Context, "current", classmethod(lambda cls: shop.ctx))
    monkeypatch.setenv("COLUMNS", "160")
    app = typer.Typer()
    loads.register(app)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return " ".join(result.output.split())

    return run


def test_loads_and_quarantine_are_told_without_values(shop: Any, shop_database: Any, say: Any) -> None:
    shop_database.run("insert into orders (order_id, email, amount) values (1000, 'jane@example.org', -1.25)")
    shop.judged_night()
    assert "1 shop accepted" in say("loads", "list")
    assert "106 105 0 1" in say("loads", "list", "--source", "shop")
    shown = say("loads", "show", "1")
    assert "accepted by raw gate" in shown
    assert "orders amount negative 1" in shown
    assert "1 shop accepted orders amount negative 1" in say("quarantine", "list")
    masked = say("quarantine", "show", "1")
    assert "shop.orders.amount: negative" in masked
    assert "email aaaa@aaaaaaa.aaa" in masked
    assert "jane" not in masked


def test_a_person_decides_and_decides_again(shop: Any, shop_database: Any, say: Any) -> None:
    shop.judged_night()
    assert say("reject", "1", "--reason", "test data") == "Load 1 of shop is now rejected."
    assert say("reject", "1") == "Load 1 of shop was already rejected."
    assert shop.night().tables["orders"].loaded == 100
    assert say("accept", "1") == "Load 1 of shop is now accepted."
    assert shop.rows("select count(*) from control.loads where change_seq is not null") == [(2,)]
