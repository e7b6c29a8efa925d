"""The report says what the books say, on the terminal and on the page, and runs without a network."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from lifehouse import doctor
from lifehouse.context import Context
from lifehouse.errors import ConfigError, LifehouseError
from lifehouse.report import facts, html, night, status, summary, words
from support.shop import Shop


def printed(write: object, *arguments: object, **options: object) -> str:
    console = Console(file=io.StringIO(), width=140)
    write(*arguments, console, **options)  # type: ignore[operator]
    return console.file.getvalue()  # type: ignore[attr-defined]


def own(page: str) -> str:
    """The page without the charting library."""
    start = page.index("* plotly.js v")
    return page[:start] + page[page.index("</script>", start) :]


def test_the_drafted_project_publishes_what_the_files_hold(shop: Shop) -> None:
    assert [(one.status, one.problems) for one in shop.nights] == [("published", []), ("published", [])]
    lines, invoices, revenue = shop.books()
    found = facts.gather(shop.ctx)
    (sales,) = found.sales
    assert (sales["lines"], sales["orders"] + sales["refund_orders"]) == (lines, invoices)
    assert float(sales["net_revenue"]) == pytest.approx(revenue)
    assert found.missing == {}


def test_moves_add_up_to_what_changed_between_the_releases(shop: Shop) -> None:
    found = facts.gather(shop.ctx)
    assert found.previous is not None
    for lifecycle in found.lifecycles:
        before = shop.ctx.warehouse.value(
            """
            select count(*) from marts.stage_history
            where lifecycle = %(name)s and entered_at <= %(at)s and (exited_at is null or exited_at > %(at)s)
            """,
            {"name": lifecycle.name, "at": found.previous["as_of"]},
        )
        gained = sum(
            lifecycle.gained(stage["stage"]) - lifecycle.lost(stage["stage"]) for stage in lifecycle.stages
        )
        assert lifecycle.customers == before + gained


def test_the_summary_names_stages_segments_gates_and_loads(shop: Shop) -> None:
    text = printed(summary.print_summary, shop.ctx, times=True)
    for word in (
        "A shop & sons",
        "Release 2",
        "Lifecycle Status",
        "Moves of the night",
        "Segments",
        "Gates",
        "raw gate shop",
    ):
        assert word in text
    lines = sum(int(row["received"]) for row in facts.gather(shop.ctx).loads)
    assert f"{lines:,} records received = {lines:,} loaded + 0 unchanged + 0 quarantined" in text


def test_the_page_stands_alone_and_is_small(shop: Shop, tmp_path: Path) -> None:
    page = html.write(shop.ctx, tmp_path / "report.html")
    text = page.read_text()
    assert page.stat().st_size < 6_000_000
    assert not re.findall(r"""(?:src|href|url\()=?["']?(?:https?:)?//""", own(text))
    assert text.count("charts.push([") == len(re.findall(r'class="chart"', text)) >= 5
    assert "A shop &amp; sons" in text
    assert not re.search(r"\{\{|\}\}|\bNone\b(?! )", text.split("<script>")[0])


def test_no_customer_stands_on_the_page(shop: Shop, tmp_path: Path) -> None:
    text = html.write(shop.ctx, tmp_path / "report.html").read_text()
    known = [row["customer_id"] for row in shop.ctx.warehouse.rows("select customer_id from marts.customers")]
    assert known
    assert not [customer for customer in known if customer in own(text)]


def test_a_mart_that_is_not_there_is_named_and_does_not_stop_the_report(shop: Shop) -> None:
    with shop.ctx.warehouse.connect() as connection:
        connection.execute("alter view marts.campaign_results rename to set_aside")
    try:
        text = printed(summary.print_summary, shop.ctx)
        page = html.render(facts.gather(shop.ctx))
    finally:
        shop.ctx.warehouse.execute("alter view marts.set_aside rename to campaign_results")
    assert "Not shown: campaigns" in text
    assert "marts.campaign_results" in page


def test_status_says_what_is_published_and_that_nothing_failed(shop: Shop) -> None:
    text = printed(status.print_status, shop.ctx)
    assert "release 2 is published, as of 2011-03-13 00:00 GMT" in text
    assert "accepted" in text
    assert "Nothing that failed is left undone." in text


def test_status_says_what_failed_until_it_is_done(shop: Shop) -> None:
    add = "insert into control.stations (station, subject, status, message) values ('ingest', 'shop', %s, %s)"
    shop.ctx.warehouse.execute(add, ("failed", "shop.orders: 3 rows"))
    assert "shop.orders: 3 rows" in printed(status.print_status, shop.ctx)
    shop.ctx.warehouse.execute(add, ("done", None))
    assert "shop.orders: 3 rows" not in printed(status.print_status, shop.ctx)


def test_before_the_first_release_everything_says_so(ctx: Context) -> None:
    assert "Nothing is published yet" in printed(summary.print_summary, ctx)
    assert "nothing is published yet" in printed(status.print_status, ctx)
    with pytest.raises(LifehouseError, match="nothing is published yet"):
        html.write(ctx)


def test_the_doctor_finds_nothing_wrong_with_the_drafted_project(shop: Shop) -> None:
    wrong = [finding for finding in doctor.examine(shop.ctx) if finding.verdict is doctor.Verdict.WRONG]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2017-12-29", datetime(2017, 12, 29, 5, tzinfo=UTC)),
        ("2017-12-29T06:30", datetime(2017, 12, 29, 11, 30, tzinfo=UTC)),
        ("2017-12-29T06:30:00Z", datetime(2017, 12, 29, 6, 30, tzinfo=UTC)),
    ],
)
def test_a_day_means_its_beginning_in_the_companys_zone(text: str, instant: datetime) -> None:
    assert night.instant(text, "America/New_York") == instant


def test_an_as_of_that_is_no_time_is_told() -> None:
    with pytest.raises(ConfigError, match="yesterday"):
        night.instant("yesterday", "UTC")


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (words.short, 4_593_238.64, "4.59 M"),
        (words.short, 2_612, "2.6 k"),
        (words.short, 670, "670"),
        (words.money, 8911407.904, "8,911,408"),
        (words.money, -3, "−3"),
        (words.share, 0.1234, "12.3 %"),
        (words.seconds, 185, "3 min 05 s"),
        (words.seconds, 0.42, "0.4 s"),
        (words.segment, "value_at_risk", "Value · at risk"),
        (words.segment, "crm_care", "CRM · care"),
        (words.count, None, "–"),
        (words.signed, -12, "−12"),
    ],
)
def test_numbers_are_written_as_people_read_them(write: object, value: object, text: str) -> None:
    assert write(value) == text  # type: ignore[operator]
