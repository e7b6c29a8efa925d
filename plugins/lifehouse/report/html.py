"""The report as one self-contained HTML page: it opens from a mail or a file share, without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.report import charts, words
from lifehouse.report.facts import Facts, Row, gather

_FOLDER = Path(__file__).parent


def write(ctx: Context, path: Path | None = None) -> Path:
    """Write the published release's page to ``path`` (default: ``reports/`` in the home); returns where it lies.

    :raises LifehouseError: nothing is published yet.
    """
    facts = gather(ctx)
    if facts.release is None:
        raise LifehouseError(
            "nothing is published yet, so there is nothing to report; `lifehouse run` builds the first release"
        )
    path = path or ctx.home.file("reports", f"release-{facts.release['release_id']}.html")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(facts), encoding="utf-8")
    return path


def render(facts: Facts) -> str:
    """The page."""
    zone = facts.company.time_zone
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        count=words.count,
        signed=words.signed,
        money=lambda value, currency="": words.money(value, currency, cents=True),
        short=words.short,
        share=words.share,
        seconds=words.seconds,
        segment=words.segment,
        title=words.title,
        day=lambda value: words.day(value, zone),
        attr_or_zero=lambda night, release: night.get(release, 0.0),
        instant=lambda value: words.instant(value, zone),
    )
    return environment.get_template("page.html.j2").render(
        facts=facts,
        company=facts.company,
        release=facts.release,
        previous=facts.previous,
        cards=_cards(facts),
        charts=charts,
        families=_families(facts.segments),
        comparable=[row for row in facts.campaigns if row["change_per_targeted"] is not None],
        weeks=_by(facts.weeks, "currency"),
        nights=_nights(facts),
        plotly=get_plotlyjs(),
        style=(_FOLDER / "page.css").read_text(encoding="utf-8"),
        quarantined=sum(row["quarantined"] for row in facts.loads),
        zone=zone,
    )


def _cards(facts: Facts) -> list[tuple[str, str, str]]:
    """(label, number, remark) of the figures at the top."""
    cards: list[tuple[str, str, str]] = []
    totals = facts.totals
    if totals:
        sources = f"{totals['sources']} source{'s' if totals['sources'] != 1 else ''}"
        origin = f"from {words.count(totals['records'])} records of {sources}"
        cards.append(("Customers", words.count(totals["customers"]), origin))
        cards.append(
            ("Have bought", words.count(totals["buyers"]), _part(totals["buyers"], totals["customers"]))
        )
        cards.append(
            ("May be contacted", words.count(totals["reachable"]), "consent on one channel at least")
        )
    for row in facts.sales:
        guests = f", {words.count(row['guest_orders'])} by guests" if row["guest_orders"] else ""
        source = f"{row['source']}: " if len(facts.sales) > 1 else ""
        cards.append(
            (
                f"Net revenue, {row['currency'] or 'no currency'}",
                words.short(row["net_revenue"]),
                f"{source}{words.count(row['orders'])} orders{guests}",
            )
        )
    moves = [move for lifecycle in facts.lifecycles[:1] for move in lifecycle.moves]
    if facts.previous:
        moved = sum(move["customers"] for move in moves)
        cards.append(
            (
                "Moved stage",
                words.count(moved),
                f"since {words.day(facts.previous['as_of'], facts.company.time_zone)}",
            )
        )
    checks = sum(row["checks"] for row in facts.gates)
    held = sum(row["passed"] for row in facts.gates)
    failed = sum(row["failed"] for row in facts.gates)
    cards.append(("Expectations held", words.count(held), f"of {words.count(checks)}, {failed} failed"))
    return cards


def _part(part: int, whole: int) -> str:
    return f"{words.share(part / whole)} of all" if whole else ""


def _families(rows: list[Row]) -> dict[str, list[Row]]:
    return _by(rows, "family")


def _by(rows: list[Row], name: str) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[name], []).append(row)
    return groups


def _nights(facts: Facts) -> tuple[list[Row], dict[str, dict[int, float]]]:
    """The last three releases, oldest first, and the seconds of each station in each."""
    releases = list(reversed(facts.releases[:3]))
    spent: dict[str, dict[int, float]] = {}
    for row in facts.stations:
        name = f"{row['station']} {row['subject']}" if row["subject"] else row["station"]
        night = spent.setdefault(name, {})
        night[row["release_id"]] = night.get(row["release_id"], 0.0) + float(row["seconds"] or 0)
    return releases, spent
