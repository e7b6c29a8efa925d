"""The marts of life, built by dbt for a tiny company: who is where, who moved, who will."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lifehouse.build import dbt
from lifehouse.cli.app import build as application
from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.home import Home
from lifehouse.lifecycles import event_words
from lifehouse.lifecycles.declaration import load
from lifehouse.lifecycles.explain import stories
from lifehouse.lifecycles.preview import lines, preview
from lifehouse.lifecycles.rules import EVENT_TYPES
from lifehouse.project import INSTALLATION, Project
from lifehouse.warehouse.connection import Warehouse
from support.tiny import TINY, Company


def _person(number: int, name: str) -> tuple[object, ...]:
    day = f"2024-01-0{number}"
    return (f"p{number}", name, f"{name.lower()}@example.com", "", "", day, day, "")


def _sale(order: str, person: str, day: str) -> tuple[object, ...]:
    return (order, person, f"{day}T12:00:00Z", "tea", 1, 10, "EUR", "sale")


@pytest.fixture(scope="module")
def company(databases: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """Ash bought once in January, Birch bought in January and May, Cedar never bought; published as of 1 June."""
    url, folder = databases.create(), tmp_path_factory.mktemp("tiny")
    ctx = Context(Home(tmp_path_factory.mktemp("tiny-home")), Project(TINY))
    vars(ctx)["warehouse"] = Warehouse(url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINY_FOLDER", str(folder))
        made = Company(ctx, folder)
        made.people("all", [_person(1, "Ash"), _person(2, "Birch"), _person(3, "Cedar")])
        made.lines("2024-01-05", [_sale("o1", "p1", "2024-01-05"), _sale("o2", "p2", "2024-01-05")])
        made.lines("2024-05-20", [_sale("o3", "p2", "2024-05-20")])
        assert made.night("2024-06-01").status == "published"
        yield made
    databases.drop(url)


def test_a_customer_has_a_past_and_a_scheduled_future(company: Company) -> None:
    query = """
        select stage, entered_at::date::text, cause_type, cause_event_type, window_days
        from marts.stage_history
        where lifecycle = 'status' and customer_id = (select customer_id from marts.orders where order_key = 'o1')
        order by entered_at
    """
    assert company.rows(query) == [
        ("potential", "2024-01-01", "start", "first_seen", None),
        ("new", "2024-01-05", "event", "order", None),
        ("active", "2024-03-05", "window", "order", 60),
        ("lost", "2024-07-03", "window", "order", 180),
    ]


def test_a_preview_tells_who_would_stand_elsewhere_and_writes_nothing(
    company: Company, tmp_path: Path
) -> None:
    file = tmp_path / "status.yml"
    shipped = (INSTALLATION / "dbt_project" / "lifecycles" / "status.yml").read_text(encoding="utf-8")
    stays = "select * from marts.stage_history order by 1, 2, entered_at"
    before = company.rows(stays)
    file.write_text(shipped, encoding="utf-8")
    assert preview(company.ctx, load(file)).moved == {}
    file.write_text(shipped.replace("lost: 180d", "lost: 100d"), encoding="utf-8")
    found = preview(company.ctx, load(file))
    assert found.moved == {("active", "lost"): 1}  # Ash; Birch came back in May
    lost = next(stage for stage in found.stages if stage.stage == "lost")
    assert (lost.customers, lost.customers_then, lost.entered, lost.entered_then) == (0, 1, 0, 0)
    assert lines(found)[-1] == "1 customer would stand elsewhere today: 1 from active to lost."
    (tmp_path / "tries.yml").write_text(
        shipped.replace("lifecycle: status", "lifecycle: tries"), encoding="utf-8"
    )
    assert preview(company.ctx, load(tmp_path / "tries.yml")).is_new
    assert company.rows(stays) == before


def test_stage_metrics_count_each_customer_once_and_name_empty_stages(company: Company) -> None:
    query = "select stage, customers, share::float from marts.stage_metrics where lifecycle = 'status' order by stage_order"
    assert company.rows(query) == [
        ("potential", 1, pytest.approx(1 / 3, abs=1e-4)),
        ("new", 0, 0.0),
        ("active", 2, pytest.approx(2 / 3, abs=1e-4)),
        ("loyal", 0, 0.0),
        ("lost", 0, 0.0),
    ]


def test_transitions_hold_what_happened_and_the_forecast_what_is_scheduled(company: Company) -> None:
    happened = "select from_stage, to_stage, month::text, customers from marts.stage_transitions where lifecycle = 'status'"
    assert sorted(company.rows(happened)) == [
        ("new", "active", "2024-03-01", 2),
        ("potential", "new", "2024-01-01", 2),
    ]
    scheduled = "select from_stage, to_stage, move_date::text, customers from marts.stage_forecast where lifecycle = 'status'"
    assert company.rows(scheduled) == [("active", "lost", "2024-07-03", 1)]


def test_every_declared_stage_is_a_row_with_labels_kpi_and_plays(company: Company) -> None:
    query = "select lifecycle, stage, label_zh, kpi_formula, plays from marts.lifecycle_stages order by 1, stage_order"
    rows = company.rows(query)
    of_status = [row for row in rows if row[0] == "status"]
    assert [row[1] for row in of_status] == ["potential", "new", "active", "loyal", "lost"]
    assert of_status[0][2] == "潜在客户"
    rules = dict(company.rows("select stage, rule from marts.lifecycle_stages where lifecycle = 'status'"))  # type: ignore[arg-type]
    assert rules["lost"] == "had orders, but none for 180 days"
    assert (len({row[0] for row in rows}), len(rows)) == (7, 34)
    assert all(len(str(row[4]).splitlines()) >= 2 for row in rows)


def _explained(company: Company, monkeypatch: pytest.MonkeyPatch, *options: str) -> list[str]:
    """What ``explain`` says of Ash in the lifecycle status."""
    monkeypatch.setattr(Context, "current", classmethod(lambda cls: company.ctx))
    customer = str(company.ctx.warehouse.value("select customer_id from marts.orders where order_key = 'o1'"))
    told = CliRunner().invoke(application(), ["explain", customer, "--lifecycle", "status", *options])
    assert told.exit_code == 0, told.output
    assert "Ash" not in told.output
    return [line.replace(customer, "ID") for line in told.output.splitlines()]


def test_a_story_tells_what_happened_where_they_stand_why_and_what_comes(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _explained(company, monkeypatch) == [
        "Customer ID as of 2024-06-01 00:00:00 UTC",
        "",
        "What happened: 2 events since 2024-01-01",
        "  an order                 2024-01-05",
        "  the first sight of them  2024-01-01",
        "",
        "Customer status · 客户状态",
        "  Active · 活跃客户 since 2024-03-05 12:00:00, for 88 days. Why: 60 days after an order (2024-01-05).",
        "  It means: Buys again and is within the usual time between purchases (Schmittlein, Morrison & Colombo, Counting",
        "    Your Customers, 1987).",
        "  Rule: everyone else.",
        "  If nothing happens: Lost · 流失客户 on 2024-07-03 12:00:00, in 32 days. Why: 180 days after an order (2024-01-05).",
        "    2024-01-01 00:00:00  Potential · 潜在客户         4.5 days  the first sight of them",
        "    2024-01-05 12:00:00  New · 新客户                60.0 days  an order",
        "  > 2024-03-05 12:00:00  Active · 活跃客户          120.0 days  60 days after an order (2024-01-05)",
        "  ? 2024-07-03 12:00:00  Lost · 流失客户       no end in sight  180 days after an order (2024-01-05)",
        "",
        "> where they stand, ? scheduled if nothing happens. Times are UTC.",
    ]


def test_a_story_may_be_asked_for_any_instant(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = _explained(company, monkeypatch, "--as-of", "2024-01-10")  # the day begins in Berlin
    assert earlier[:2] == [
        "Customer ID as of 2024-01-09 23:00:00 UTC",
        "(as the release of 2024-06-01 00:00:00 UTC knows it)",
    ]
    assert "  New · 新客户 since 2024-01-05 12:00:00, for 4 days. Why: an order." in earlier
    assert any(line.startswith("  Then: Active · 活跃客户 on 2024-03-05") for line in earlier)
    later = _explained(company, monkeypatch, "--as-of", "2025-01-01T00:00Z")
    assert (
        "  Lost · 流失客户 since 2024-07-03 12:00:00, for 182 days. Why: 180 days after an order (2024-01-05)."
        in later
    )
    assert "  Rule: had orders, but none for 180 days." in later
    assert "  No move is scheduled." in later
    before = _explained(company, monkeypatch, "--as-of", "2023-12-31")
    assert "Nothing has happened yet." in before
    assert "  Not known yet; the first stage begins on 2024-01-01 00:00:00." in before


def test_every_type_of_event_has_words() -> None:
    assert set(EVENT_TYPES) == event_words.KNOWN
    assert event_words.many("order", 1_234) == "1,234 orders"
    assert event_words.many("order", 1) == "an order"


def test_a_story_of_nobody_is_an_error_that_says_where_to_look(company: Company) -> None:
    with pytest.raises(LifehouseError, match=r"knows no such customer_id; marts\.customers lists them"):
        stories(company.ctx, "nobody")
    with pytest.raises(LifehouseError, match="no lifecycle 'statsu'; known are clm, crm, journey"):
        stories(company.ctx, "nobody", "statsu")


def test_a_merged_customers_story_is_told_under_the_id_that_they_live_on_with(company: Company) -> None:
    warehouse = company.ctx.warehouse
    lives_on = str(warehouse.value("select customer_id from marts.orders where order_key = 'o1'"))
    chain = (("c_first", "c_second"), ("c_second", lives_on))
    try:
        for retired, into in chain:
            warehouse.execute(
                "insert into core.customer_registry (customer_id, first_run_id, retired_into) values (%s, 1, %s)",
                (retired, into),
            )
        with pytest.raises(LifehouseError, match=f"customer c_first was merged into {lives_on}"):
            stories(company.ctx, "c_first")
    finally:
        warehouse.execute("delete from core.customer_registry where customer_id in ('c_first', 'c_second')")


def test_the_models_keep_their_own_tests(company: Company) -> None:
    slot = company.ctx.warehouse.value("select slot from control.published")
    selected = [
        *("path:models/marts/life", "path:models/marts/care", "path:models/metrics", "churn_reason_taxonomy"),
        "stage_history_has_no_gap_and_no_overlap",
    ]
    outcome = dbt.invoke(company.ctx, "test", slot, ["--select", *selected])
    assert [
        result.node.name for result in outcome.result if str(result.status) not in ("pass", "success")
    ] == []
    assert sum(str(result.node.resource_type) == "unit_test" for result in outcome.result) >= 10


def test_a_late_order_moves_only_its_customer(company: Company) -> None:
    keys = "select order_key, customer_id from marts.orders"
    owner = dict(company.rows(keys))["o1"]  # type: ignore[arg-type]
    query = "select * from marts.stage_history where customer_id {} '{}' order by customer_id, lifecycle, entered_at"
    others, own = (company.rows(query.format(sign, owner)) for sign in ("<>", "="))
    company.lines("2024-02-20", [_sale("o0", "p1", "2024-02-20")])
    assert company.night("2024-06-02").status == "published"
    assert company.rows(query.format("<>", owner)) == others
    after = company.rows(query.format("=", owner))
    assert after != own
    lost = (
        "select entered_at::date::text from marts.stage_history where stage = 'lost' and customer_id = '{}'"
    )
    assert company.rows(lost.format(owner)) == [("2024-08-18",)]
    everything = "select * from marts.stage_history order by customer_id, lifecycle, entered_at"
    nightly = company.rows(everything)
    assert company.night("2024-06-02", full_refresh=True).status == "published"
    assert company.rows(everything) == nightly
