"""kill -9 at any instant: the next ingest completes, nothing is lost, nothing is doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from lifehouse.ingest import decisions, retention
from lifehouse.ingest.record import TableCounts

#: Ingests in a process of its own, which kills itself at the named place.
PROGRAM = """
import os, signal, sys
from pathlib import Path
from lifehouse.context import Context
from lifehouse.home import Home
from lifehouse.ingest import landing, record, retention, run
from lifehouse.project import Project
from lifehouse.warehouse.connection import Warehouse

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def second(function, calls=[]):
    def called(*arguments):
        calls.append(1)
        return die() if len(calls) > 1 else function(*arguments)
    return called

class Dying(str):
    def encode(self, *_):
        die()

places = {
    "nowhere": lambda: None,
    "between landing and record": lambda: setattr(run, "record", die),
    "inside record": lambda: setattr(record, "_table", second(record._table)),
    "after record": lambda: setattr(landing, "clear", second(landing.clear)),
    "between batches of a prune": lambda: setattr(retention, "_batch", second(retention._batch)),
    "inside a batch of a prune": lambda: setattr(retention, "_MARK", (Dying(),)),
}
places[os.environ["TEST_PLACE"]]()
ctx = Context(Home(Path(os.environ["TEST_HOME"])), Project(Path(os.environ["TEST_PROJECT"])))
vars(ctx)["warehouse"] = Warehouse(os.environ["TEST_WAREHOUSE"])
if "prune" in os.environ["TEST_PLACE"]:
    retention._BATCH = 1  # a transaction a load
    retention.prune(ctx)
print(run.ingest(ctx, "shop").load_id)
"""


def _start(shop: Any, place: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "TEST_PLACE": place,
        "TEST_HOME": str(shop.ctx.home.path),
        "TEST_PROJECT": str(shop.ctx.project.root),
        "TEST_WAREHOUSE": shop.ctx.warehouse.url,
    }
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True
    )


def _is_complete(shop: Any, orders: int) -> None:
    """Each accepted order is stored once, and every row of raw belongs to a load."""
    accepted = "inner join control.loads on _load_id = load_id and status = 'accepted'"
    assert shop.rows(
        f"select count(*), count(distinct order_id) as keys from raw_shop.orders {accepted}"
    ) == [(orders, orders)]
    assert (
        shop.value(
            "select count(*) from raw_shop.orders where _load_id not in (select load_id from control.loads)"
        )
        == 0
    )
    assert shop.value("select to_regnamespace('landing_shop')") is None


@pytest.mark.parametrize("place", ["between landing and record", "inside record", "after record"])
def test_a_killed_ingest_is_made_good_by_the_next(shop: Any, shop_database: Any, place: str) -> None:
    shop.night()
    shop_database.run(
        "insert into orders (order_id, updated_at) values (101, '2020-02-01'), (102, '2020-02-02')"
    )
    killed = _start(shop, place)
    killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL
    left_open = shop.value("select count(*) from control.loads where status = 'open'")
    assert left_open == (1 if place == "after record" else 0)

    shop_database.run("insert into orders (order_id, updated_at) values (103, '2020-02-03')")
    assert shop.night().tables["orders"].loaded == (1 if left_open else 3)
    _is_complete(shop, 103)
    assert shop.night().load_id is None


def test_two_ingests_at_once_take_turns(shop: Any) -> None:
    both = [_start(shop, "nowhere") for _ in range(2)]
    found = {process.communicate(timeout=120)[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert found == {"1", "None"}
    assert shop.rows("select received, loaded from control.load_tables where table_name = 'orders'") == [
        (100, 100)
    ]
    _is_complete(shop, 100)


def test_a_killed_first_ingest_leaves_nothing(shop: Any) -> None:
    killed = _start(shop, "between landing and record")
    killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert shop.value("select count(*) from control.loads") == 0
    assert shop.night().tables["orders"] == TableCounts(100, 100, 0, 0)
    _is_complete(shop, 100)


RAW = "select order_id, amount::text, _load_id, _deleted from raw_shop.orders order by 1, 3"
STANDS = """
    select distinct on (order_id) order_id, amount::text, _deleted from raw_shop.orders
    inner join control.loads on load_id = _load_id and status = 'accepted'
    order by order_id, _load_id desc
"""


@pytest.fixture
def aged(shop: Any, shop_database: Any) -> Any:
    """Five nights that retention has passed, one of them rejected, in which forty orders changed again and again."""
    shop.declare("quarantine_share: 0.05", "quarantine_share: 0.05\nretention: 1d")
    shop.night()
    for night in range(1, 5):
        shop_database.run(
            f"update orders set amount = {night}, updated_at = '2020-02-0{night}' where order_id <= {night * 10}"
        )
        shop.night()
    decisions.settle(shop.ctx, 3, "rejected", by="a person")
    for statement in (
        "update control.loads set opened_at = opened_at - interval '9 days'",
        "update control.core_state set fingerprint = 'built', change_seq = (select max(change_seq) from control.loads)",
    ):
        shop.ctx.warehouse.execute(statement)
    return shop


@pytest.mark.parametrize("place", ["between batches of a prune", "inside a batch of a prune"])
def test_a_killed_prune_loses_nothing_and_the_next_one_completes_it(aged: Any, place: str) -> None:
    before, stands = aged.rows(RAW), aged.rows(STANDS)
    killed = _start(aged, place)
    killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL
    done = aged.value("select count(*) from control.load_tables where baselined_at is not null")
    assert done == (1 if "between" in place else 0)
    assert aged.rows(STANDS) == stands
    if not done:
        assert aged.rows(RAW) == before, "a transaction that did not end leaves nothing"

    retention.prune(aged.ctx)
    assert aged.rows(STANDS) == stands
    assert aged.rows("select count(*), count(distinct order_id) as orders from raw_shop.orders") == [
        (100, 100)
    ]
    assert aged.value("select count(*) from control.load_tables where baselined_at is null") == 0
    assert retention.prune(aged.ctx) == []
