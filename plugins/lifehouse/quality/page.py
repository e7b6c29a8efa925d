"""The data docs: one page for each judgement, whole in itself (no script, no style and no font from elsewhere)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lifehouse.quality.runner import Result

PAGE = "index.html"
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1c2430;background:#fff;max-width:76rem;margin:2rem auto;padding:0 1.5rem}
h1{font-size:1.5rem;margin:0 0 .25rem}h2{font-size:1.1rem;margin:2rem 0 .5rem;border-bottom:1px solid #d5dae1}
p.meta{color:#5a6675;margin:0 0 1rem}nav{columns:4;font-size:.9rem}nav a{display:block}a{color:#1b5fa8;text-decoration:none}
table{border-collapse:collapse;width:100%}th{text-align:left;color:#5a6675;font-weight:600;font-size:.85rem}
td,th{padding:.3rem .6rem;vertical-align:top;border-bottom:1px solid #eceff3}td.n{text-align:right;white-space:nowrap}
.verdict{display:inline-block;padding:.15rem .6rem;border-radius:.3rem;font-weight:600;color:#fff;background:#2c7a4b}
.closed{background:#b3261e}.told{background:#9a6700}b.critical{color:#b3261e}b.warning{color:#9a6700}b.info{color:#5a6675}
b.ok{color:#2c7a4b}small{color:#5a6675;display:block}
"""


def write(folder: Path, title: str, results: Sequence[Result]) -> Path:
    """Write the page of one judgement; returns its file."""
    draft = folder / f"{PAGE}.new"
    draft.write_text("\n".join(_page(title, results)), encoding="utf-8")
    return draft.replace(folder / PAGE)


def _page(title: str, results: Sequence[Result]) -> Iterator[str]:
    failed = [result for result in results if not result.success]
    fatal = [result for result in failed if result.severity == "critical"]
    subjects: dict[str, list[Result]] = {}
    for result in results:
        subjects.setdefault(result.subject, []).append(result)
    told = [result for result in failed if result.severity == "warning"]
    verdict = ("closed", "closed") if fatal else ("told", "open, with warnings") if told else ("", "open")
    yield (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>Gate: {escape(title)} "
        f'<span class="verdict {verdict[0]}">{verdict[1]}</span></h1>'
    )
    yield (
        f'<p class="meta">Judged {datetime.now(UTC):%Y-%m-%d %H:%M} UTC. {len(results):,} expectations, '
        f"{len(results) - len(failed):,} held. Counts and sums only, no value of any person.</p>"
    )
    if failed:
        yield "<h2>What did not hold</h2>"
        yield from _table(sorted(failed, key=_gravity), with_subject=True)
    yield "<h2>All expectations</h2><nav>"
    for subject, judged in subjects.items():
        bad = sum(not result.success for result in judged)
        count = f"{bad} of {len(judged)} did not hold" if bad else f"{len(judged)}"
        yield f'<a href="#{escape(subject)}">{escape(subject)} ({count})</a>'
    yield "</nav>"
    for subject, judged in subjects.items():
        yield f'<h2 id="{escape(subject)}">{escape(subject)}</h2>'
        yield from _table(judged)
    yield "</body></html>"


def _gravity(result: Result) -> int:
    return ("critical", "warning", "info").index(result.severity)


def _table(results: Sequence[Result], *, with_subject: bool = False) -> Iterator[str]:
    where = "<th>Table</th>" if with_subject else ""
    yield (
        f"<table><thead><tr><th></th>{where}<th>Expectation</th><th>What must hold</th>"
        "<th>Rows</th><th>Do not hold</th><th>Found</th></tr></thead><tbody>"
    )
    for result in results:
        mark = (
            '<b class="ok">holds</b>'
            if result.success
            else f'<b class="{result.severity}">{result.severity}</b>'
        )
        place = f"<td>{escape(result.subject)}</td>" if with_subject else ""
        column = f"<small>{escape(result.column)}</small>" if result.column else ""
        advice = ""
        if not result.success:
            advice = f"<small>What to do: {escape(result.what_to_do or '-')}. Owner: {escape(result.owner or '-')}.</small>"
        found = result.observed if result.observed not in (None, str(result.failed)) else ""
        yield (
            f"<tr><td>{mark}</td>{place}<td>{escape(result.expectation)}{column}</td>"
            f'<td>{escape(result.meaning)}{advice}</td><td class="n">{_number(result.checked)}</td>'
            f'<td class="n">{_number(result.failed)}</td><td>{escape(found or "")}</td></tr>'
        )
    yield "</tbody></table>"


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
