"""kill -9 at any instant: the next ingest completes, nothing is lost, nothing is doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from lifehouse.ingest.record import TableCounts

#: Ingests in a process of its own, which kills itself at the named place.
PROGRAM = """
import os, signal, sys
from pathlib import Path
from lifehouse.context import Context
from lifehouse.home import Home
from lifehouse.ingest import landing, record, run
from lifehouse.project import Project
from lifehouse.warehouse.connection import Warehouse

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def second(function, calls=[]):
    def called(*arguments):
        calls.append(1)
        return die() if len(calls) > 1 else function(*arguments)
    return called

places = {
    "nowhere": lambda: None,
    "between landing and record": lambda: setattr(run, "record", die),
    "inside record": lambda: setattr(record, "_table", second(record._table)),
    "after record": lambda: setattr(landing, "clear", second(landing.clear)),
}
places[os.environ["TEST_PLACE"]]()
ctx = Context(Home(Path(os.environ["TEST_HOME"])), Project(Path(os.environ["TEST_PROJECT"])))
vars(ctx)["warehouse"] = Warehouse(os.environ["TEST_WAREHOUSE"])
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
