"""Answers about the past, and what was believed in it; shared nights, so the tests of this file stand in an order."""

from __future__ import annotations

import json

import pytest
from tests.scratch.conftest import NIGHTS, Story, footprint, instant, person
from typer.testing import CliRunner

from lifehouse import stations
from lifehouse.build import project
from lifehouse.cli.app import build
from lifehouse.context import Context
from lifehouse.diff import words
from lifehouse.diff.compare import compare
from lifehouse.diff.sides import resolve
from lifehouse.errors import LifehouseError
from lifehouse.ingest.decisions import settle
from lifehouse.releases.held import candidate
from lifehouse.scratch import register
from lifehouse.scratch.workplace import Workplace
from support.tiny import sale

AS_OFS = [instant(day) for day in NIGHTS]
EVERY = project.mart_names()


@pytest.mark.slow
def test_the_nights_one_by_one_are_what_a_backfill_says_of_them(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = footprint(story.ctx)
    step, killed = Workplace.step, []

    def die_at_the_second(self: Workplace, as_of: object) -> None:
        if as_of == AS_OFS[2] and not killed:
            killed.append(as_of)
            raise KeyboardInterrupt
        step(self, as_of)  # type: ignore[arg-type]

    monkeypatch.setattr(Workplace, "step", die_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        stations.backfill(story.ctx, "past", AS_OFS, marts=EVERY)
    assert register.one(story.ctx, "past").as_ofs == AS_OFS[:2]
    done = stations.backfill(story.ctx, "past", AS_OFS, marts=EVERY)
    assert (done.kept, done.made) == (AS_OFS[:2], AS_OFS[2:])
    for day in NIGHTS:
        told, then = story.marts("scratch_past", day), story.said[day]
        assert {mart for mart in then if told[mart] != then[mart]} == set(), day
    assert footprint(story.ctx) == before


def _command(story: Story, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """What a command prints, of the story's company."""
    monkeypatch.setattr(Context, "current", classmethod(lambda _: story.ctx))
    monkeypatch.setenv("COLUMNS", "200")
    done = CliRunner().invoke(build(), list(arguments))
    assert done.exit_code == 0, done.output
    return done.stdout


def test_asked_again_nothing_is_made_again(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stations.backfill(story.ctx, "past", AS_OFS, marts=EVERY).made == []
    listed = _command(story, monkeypatch, "scratch", "list").splitlines()[1]
    assert listed.startswith("scratch_past  backfill  3: 2024-01-06 00:00 .. 2024-01-07 11:00")
    assert "not complete" not in listed
    left = story.value(
        "select array_agg(nspname::text order by 1) from pg_namespace where nspname like 'scratch%'"
    )
    assert left == ["scratch_past"]


def test_an_instant_between_two_nights_knows_only_what_had_happened(story: Story) -> None:
    noon = instant("2024-01-06T11:00")
    stations.backfill(story.ctx, "noon", [noon], marts=["customers", "sales_totals", "stage_history"])
    assert (
        story.value("select count(*) from scratch_noon.customers") == 3
    )  # p3 came at 8, her friends on the 7th
    assert (
        story.value("select sum(net_revenue) from scratch_noon.sales_totals") == 20
    )  # the orders of noon are to come
    assert (
        story.value("select max(entered_at) from scratch_noon.stage_history where cause_type <> 'window'")
        < noon
    )


def test_a_night_told_again_is_the_night_and_nothing_served_is_touched(story: Story) -> None:
    before = footprint(story.ctx)
    known = stations.as_known(story.ctx, story.runs[NIGHTS[1]])
    assert (known.same_code, known.same_ids, known.rebuilt) == (True, True, True)
    assert story.marts("scratch_run_2") == story.said[NIGHTS[1]]
    assert footprint(story.ctx) == before
    left = story.value("select array_agg(nspname::text) from pg_namespace where nspname like 'scratch%'")
    assert "scratch_run_2" in left
    assert not any("run_2__" in schema for schema in left)


def test_told_twice_it_is_kept(story: Story) -> None:
    file = "select oid || '/' || relfilenode from pg_class where oid = 'scratch_run_2.customers'::regclass"
    before = story.value(file)
    assert not stations.as_known(story.ctx, story.runs[NIGHTS[1]]).rebuilt
    assert story.value(file) == before


def test_a_name_that_is_taken_is_not_overwritten(story: Story) -> None:
    with pytest.raises(LifehouseError, match="'run_2' is another one"):
        stations.as_known(story.ctx, story.runs[NIGHTS[0]], "run_2")
    with pytest.raises(LifehouseError, match="cannot name a scratch build"):
        stations.as_known(story.ctx, story.runs[NIGHTS[0]], "a; drop schema marts")


def test_corrections_rejections_and_merges_since_then_change_nothing_of_it(story: Story) -> None:
    load = story.value(
        "select max(load_id) from control.loads where load_id < (select max(load_id) from control.loads)"
    )
    settle(story.ctx, load, "rejected", by="test")
    story.company.lines("05", [sale("o1", "p1", "2024-01-05", 99)])
    story.company.people("d", [person("p1", "2024-01-02", "eve@x.de")])
    early = ("early", "p2", "2024-01-07T12:30:00Z", "tea", 1, 1000, "EUR", "sale")
    story.company.lines("early", [early])
    story.night("2024-01-07T12:00")  # the third run of the day brings what is late, and half an hour too much
    assert story.said["2024-01-07T12:00"]["orders"] != story.said[NIGHTS[2]]["orders"]
    for day in NIGHTS:
        stations.as_known(story.ctx, story.runs[day], f"again_{story.runs[day]}")
        told, then = story.marts(f"scratch_again_{story.runs[day]}"), story.said[day]
        assert {mart for mart in then if told[mart] != then[mart]} == set()


def test_what_came_before_its_time_is_among_all_orders_and_of_nobody_yet(story: Story) -> None:
    """A release holds every accepted order; what speaks about its instant leaves out what comes after it."""
    assert story.value("select sum(net_revenue) >= 1000 from marts.sales_totals")
    assert story.value("select max(net_revenue) < 1000 from marts.daily_sales") is False
    assert story.value("select count(*) from marts.customers where net_revenue >= 1000") == 0
    assert story.value("select count(*) from marts.customer_value where net_revenue >= 1000") == 0
    asked = instant("2024-01-07T12:00")
    stations.backfill(story.ctx, "noon", [asked], marts=["customers", "sales_totals"])
    then = "select sum(net_revenue) from scratch_noon.{} where as_of = '2024-01-07 12:00+00'"
    assert story.value(then.format("sales_totals")) < 1000, (
        "a backfill knows nothing of what comes after its instant"
    )
    assert story.value(then.format("customers")) == story.value(
        "select sum(net_revenue) from marts.customers"
    )


def test_a_late_order_is_known_to_the_past_when_it_is_asked_again(story: Story) -> None:
    asked = [AS_OFS[0]]
    assert stations.backfill(story.ctx, "noon", asked).made == asked
    then = story.value("select sum(net_revenue) from scratch_noon.sales_totals where as_of = '2024-01-06'")
    assert then == 99  # the file of the 5th came again, with o1 alone and at another price


def test_scratch_builds_are_dropped_whole(story: Story) -> None:
    register.drop(story.ctx, "noon")
    assert register.one(story.ctx, "noon") is None
    assert story.value("select to_regnamespace('scratch_noon') is null")
    with pytest.raises(LifehouseError, match="there is no scratch 'noon'; known: past"):
        register.drop(story.ctx, "noon")


def test_an_unknown_mart_and_a_time_without_a_zone_are_refused(story: Story) -> None:
    with pytest.raises(LifehouseError, match="no such mart: custmers"):
        stations.backfill(story.ctx, "x", AS_OFS, marts=["custmers"])
    with pytest.raises(LifehouseError, match="need a time zone"):
        stations.backfill(story.ctx, "x", [AS_OFS[0].replace(tzinfo=None)])


def test_what_is_late_is_told_as_history_that_changed_through_loads(story: Story) -> None:
    diff = compare(story.ctx, resolve(story.ctx, "previous"), resolve(story.ctx, "published"))
    assert words.first_sentence(diff).startswith(
        "The loads differ, the code does not, and history with them:"
    )
    assert diff.history.orders_changed == 1  # o1 is delivered again; with a load gone so are its orders
    assert sum(moved.customers for moved in diff.stages) > 0
    known = compare(story.ctx, resolve(story.ctx, "again_3"), resolve(story.ctx, "previous"))
    assert not any(mart.differs for mart in known.marts)
    at_ten = compare(story.ctx, resolve(story.ctx, "run:2"), resolve(story.ctx, f"past@{NIGHTS[1]}"))
    assert not any(mart.differs for mart in at_ten.marts)


def test_the_rerun_of_an_earlier_hour_is_not_served(story: Story) -> None:
    with pytest.raises(LifehouseError, match="speaks about a later instant than 2024-01-07 10:00 UTC"):
        story.company.night(NIGHTS[1])
    assert story.value("select as_of from control.published") == instant("2024-01-07T12:00")


def test_a_segment_is_left_and_entered_hour_by_hour(story: Story) -> None:
    stays = story.company.rows(
        "select distinct entered_as_of, left_as_of from marts.segment_history where left_as_of > '2024-01-07'"
    )
    assert {left.hour for _, left in stays} <= {10, 11, 12}
    assert len({entered for entered, _ in stays}) > 1


def test_a_held_run_is_looked_at_and_then_published(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = story.company.night("2024-01-07T13:00", hold=True)
    assert (outcome.status, outcome.syncs) == ("held", {})
    assert story.marts("marts") == story.said["2024-01-07T12:00"]
    diff = compare(story.ctx, resolve(story.ctx, "published"), resolve(story.ctx, "candidate"))
    assert words.first_sentence(diff).startswith("Code and loads are the same; history is the same")
    told = json.loads(_command(story, monkeypatch, "diff", "published", "candidate", "--json"))
    assert told == json.loads(json.dumps(words.as_json(diff), default=str))
    assert told["marts"]
    assert stations.publish(story.ctx, candidate(story.ctx)) == 5
    assert (
        story.value("select count(*) from marts.customers where net_revenue >= 1000") == 1
    )  # its time has come
    assert story.value("select as_of from control.published") == instant("2024-01-07T13:00")


def test_a_run_that_raw_no_longer_holds_is_refused(story: Story) -> None:
    with story.ctx.warehouse.connect() as connection:
        connection.execute("update control.loads set baselined_at = now() where load_id in (1, 3)")
    stations.as_known(story.ctx, story.runs[NIGHTS[2]], "again_3")  # it knew both as they stand
    with pytest.raises(LifehouseError, match="1 load of tiny that it knew otherwise became part"):
        stations.as_known(story.ctx, story.runs[NIGHTS[0]], "gone")
