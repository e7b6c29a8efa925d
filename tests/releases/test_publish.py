"""Publication is one row: nobody sees half a release, and what was published can be taken back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta

import psycopg
import pytest
from tests.releases.conftest import MARTS, NIGHT, House

from lifehouse.errors import BuildError, LifehouseError
from lifehouse.releases import views
from lifehouse.releases.publish import detach, publish, rollback
from lifehouse.releases.run import begin


def _view_oids(house: House) -> list[dict[str, object]]:
    return house.ctx.warehouse.rows(
        "select relname, xmin::text from pg_class where relnamespace = 'marts'::regnamespace"
    )


def test_from_the_third_release_on_publication_is_one_row(house: House) -> None:
    house.accept()
    house.publish(1)
    house.publish(2)
    shape = _view_oids(house)
    house.publish(3)
    house.publish(4)
    assert house.served() == {4}
    assert _view_oids(house) == shape


def test_the_idle_branch_is_never_executed(house: House) -> None:
    house.accept()
    house.publish(1)
    house.publish(2)
    plan = "\n".join(
        row["QUERY PLAN"] for row in house.ctx.warehouse.rows("explain (analyze) select * from marts.numbers")
    )
    assert plan.count("never executed") == 1


def test_a_run_that_did_not_pass_its_gate_is_not_published(house: House) -> None:
    house.accept()
    run = begin(house.ctx, NIGHT)
    with pytest.raises(LifehouseError, match="has not passed the release gate"):
        publish(house.ctx, run.run_id, MARTS)
    assert house.value("select count(*) from control.published") == 0


def test_a_copy_that_lacks_a_mart_is_not_published(house: House) -> None:
    house.accept()
    house.publish(1)
    run = house.build(2)
    with pytest.raises(BuildError, match="green lacks the mart orders"):
        publish(house.ctx, run.run_id, [*MARTS, "orders"])
    assert house.served() == {1}
    assert house.value("select state from control.slots where slot = 'green'") == "building"


def test_publishing_twice_is_publishing_once(house: House) -> None:
    house.accept()
    run = house.build(1)
    assert publish(house.ctx, run.run_id, MARTS) == publish(house.ctx, run.run_id, MARTS)
    assert house.value("select count(*) from control.releases") == 1


DIE = """
import os, signal, sys
from pathlib import Path
from lifehouse.context import Context
from lifehouse.home import Home
from lifehouse.project import Project
from lifehouse.releases import publish, views
from lifehouse.warehouse.connection import Warehouse

ctx = Context(Home(Path(sys.argv[1])), Project(Path(sys.argv[2])))
vars(ctx)["warehouse"] = Warehouse(os.environ["URL"])
align = views.align

def die(*arguments):
    align(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

views.align = die
publish.publish(ctx, int(sys.argv[3]), sys.argv[4].split(","))
"""


def test_killed_before_the_commit_nothing_happened_and_the_next_call_publishes(house: House) -> None:
    house.accept()
    house.publish(1, [("a", "c1")])
    run = house.build(2, [("a", "c2")])
    arguments = [str(house.ctx.home.path), str(house.ctx.project.root), str(run.run_id), ",".join(MARTS)]
    environment = {**os.environ, "URL": house.ctx.warehouse.url}
    done = subprocess.run([sys.executable, "-c", DIE, *arguments], check=False, env=environment, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert house.served() == {1}
    assert house.value("select count(*) from control.releases") == 1
    assert house.value("select count(*) from history.segment_history where left_release is not null") == 0
    assert publish(house.ctx, run.run_id, MARTS) == house.value("select release_id from control.published")
    assert house.served() == {2}


def test_segment_history_keeps_who_came_and_who_went(house: House) -> None:
    house.accept()
    one = house.publish(1, [("a", "c1"), ("a", "c2")])
    two = house.publish(2, [("a", "c2"), ("b", "c1")])
    three = house.publish(3, [("a", "c1"), ("a", "c2"), ("b", "c1")])
    rows = house.ctx.warehouse.rows(
        "select * from marts.segment_history order by segment, customer_id, entered_release"
    )
    assert [(r["segment"], r["customer_id"], r["entered_release"], r["left_release"]) for r in rows] == [
        ("a", "c1", one, two),
        ("a", "c1", three, None),
        ("a", "c2", one, None),
        ("b", "c1", two, None),
    ]
    assert rows[0]["left_as_of"] == NIGHT + timedelta(days=2)


def test_rollback_serves_the_release_before_and_pauses_the_syncs(house: House) -> None:
    house.accept()
    one = house.publish(1, [("a", "c1")])
    two = house.publish(2, [("a", "c2")])
    assert rollback(house.ctx, "a person", MARTS) == one
    assert house.served() == {1}
    assert house.value("select syncs_paused from control.published")
    assert house.value("select withdrawn_by from marts.releases where release_id = %s", two) == "a person"
    members = "select string_agg(customer_id, ',') from history.segment_history where left_release is null"
    assert house.value(members) == "c1"
    with pytest.raises(LifehouseError, match="none before it"):
        rollback(house.ctx, marts=MARTS)
    three = house.publish(3, [("a", "c2")])
    assert three > two
    assert house.served() == {3}
    assert not house.value("select syncs_paused from control.published")
    assert house.value(members) == "c2"


def test_rollback_is_refused_once_a_run_builds_over_the_release_before(house: House) -> None:
    house.accept()
    house.publish(1)
    house.publish(2)
    house.build(3)
    with pytest.raises(LifehouseError, match="a run has begun to build over it"):
        rollback(house.ctx, marts=MARTS)
    assert house.served() == {2}


def test_rollback_reaches_back_over_a_change_of_code(house: House) -> None:
    house.accept()
    one = house.publish(1)
    house.change_code("new")
    run = house.build(2)
    house.execute(
        f"alter table {run.slot}.numbers drop column number; alter table {run.slot}.numbers add note text"
    )
    publish(house.ctx, run.run_id, MARTS)
    assert "note" in house.ctx.warehouse.rows("select * from marts.numbers limit 1")[0]
    assert rollback(house.ctx, marts=MARTS) == one
    assert house.value("select max(number) from marts.numbers") == 100


def test_other_code_builds_beside_the_views_and_keeps_comments_and_grants(house: House) -> None:
    house.accept()
    house.publish(1)
    house.publish(2)
    house.execute("create role bi_reader; grant select on marts.numbers to bi_reader")
    house.change_code("new")
    run = begin(house.ctx, NIGHT + timedelta(days=3))
    house.execute(f"drop schema {run.slot} cascade")  # no view is lost with it
    assert house.served() == {2}
    run = house.build(3)
    house.execute(
        f"alter table {run.slot}.numbers alter number type bigint; comment on table {run.slot}.numbers is 'counted'"
    )
    publish(house.ctx, run.run_id, MARTS)
    assert house.served() == {3}
    assert house.value("select obj_description('marts.numbers'::regclass)") == "counted"
    assert house.value("select has_table_privilege('bi_reader', 'marts.numbers', 'select')")
    house.execute("drop owned by bi_reader; drop role bi_reader")


def test_a_mart_that_is_no_more_loses_its_view(house: House) -> None:
    house.accept()
    house.publish(1)
    house.change_code("without letters")
    publish(house.ctx, house.build(2).run_id, ["numbers"])
    assert house.value("select to_regclass('marts.letters') is null")
    assert house.value("select count(*) from marts.releases") == 2


def test_the_served_copy_cannot_be_detached(house: House) -> None:
    house.accept()
    house.publish(1)
    with pytest.raises(LifehouseError, match="blue is served"):
        detach(house.ctx, "blue")
    assert house.served() == {1}


def test_a_reader_that_never_ends_is_named(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "PATIENCE", 0.3)
    house.accept()
    house.publish(1)
    run = house.build(2)  # the second release turns one branch into two: DDL
    with psycopg.connect(house.ctx.warehouse.url, application_name="a dashboard") as reader:
        reader.execute("select count(*) from marts.numbers")
        with pytest.raises(LifehouseError, match="a dashboard, idle in transaction"):
            publish(house.ctx, run.run_id, MARTS)
    assert house.served() == {1}
    publish(house.ctx, run.run_id, MARTS)
    assert house.served() == {2}
