"""Where the pages (data docs) of a gate's judgements lie: ``<home>/data_docs/<gate>/<group>/run-<id>`` or ``load-<id>``.

Each judgement has a folder of its own, so that a link leads to exactly what was judged; the oldest are removed.
"""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lifehouse.home import Home

#: Folders of a gate and group that are kept: a month of nights.
KEPT = 31
_STYLE = (
    "<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem}table{border-collapse:collapse}td,th{text-align:left;"
    "padding:.3rem .8rem;border-bottom:1px solid #ddd;vertical-align:top}.critical{background:#fde8e8}"
    ".warning{background:#fff6da}</style>"
)
_NAME = re.compile(r"^(run|load)-(\d+)$")


def name(run_id: int | None, load_id: int | None) -> str:
    """The folder's name."""
    return f"run-{run_id}" if run_id is not None else f"load-{load_id}" if load_id is not None else "other"


def index(home: Home, gate: str, group: str, run_id: int | None = None, load_id: int | None = None) -> Path:
    """The first page of a judgement."""
    return home.path / "data_docs" / gate / group / name(run_id, load_id) / "index.html"


def begin(home: Home, gate: str, group: str, run_id: int | None = None, load_id: int | None = None) -> Path:
    """An empty folder for the pages of a judgement; one that is judged again speaks of the last time only."""
    place = home.folder("data_docs", gate, group) / name(run_id, load_id)
    shutil.rmtree(place, ignore_errors=True)
    return home.folder("data_docs", gate, group, place.name)


def tell(place: Path, title: str, results: Iterable[Any]) -> None:
    """The first page of a judgement: every expectation, what did not hold first; it needs no script and nothing from elsewhere.

    Great Expectations' own index is drawn by scripts of other hosts; it stays beside it, as ``great_expectations.html``.
    """
    theirs = place / "index.html"
    if theirs.exists():
        theirs.replace(place / "great_expectations.html")
    ordered = sorted(results, key=lambda one: (one.success, one.severity != "critical", one.subject))
    rows = "\n".join(_row(one) for one in ordered)
    details = "".join(
        f'<li><a href="{quote(page.relative_to(place).as_posix())}">{html.escape(page.parent.parent.parent.name)}</a></li>'
        for page in sorted(place.glob("validations/**/*.html"))
    )
    failed = sum(not one.success for one in ordered)
    theirs.write_text(
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>{_STYLE}\n'
        f"<h1>{html.escape(title)}</h1>\n<p>{len(ordered):,} expectations, {failed:,} did not hold.</p>\n"
        "<table><tr><th></th><th>about</th><th>what must hold</th><th>found</th><th>what to do</th><th>owner</th></tr>\n"
        f"{rows}</table>\n<h2>Great Expectations' pages</h2><ul>{details}</ul></html>\n",
        encoding="utf-8",
    )


def _row(one: Any) -> str:
    place = f"{one.subject}.{one.column}" if one.column else one.subject
    found = f"{one.failed:,} of {one.checked or 0:,} rows" if one.failed else one.observed or ""
    verdict = "held" if one.success else one.severity
    cells = (place, one.meaning, found, "" if one.success else one.what_to_do or "", one.owner or "")
    told = "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells)
    return f'<tr class="{html.escape(verdict)}"><td>{html.escape(verdict)}</td>{told}</tr>'


def finish(home: Home, gate: str, group: str) -> None:
    """Remove the oldest judgements beyond :data:`KEPT` and list the others, newest first, in the group's ``index.html``."""
    folder = home.folder("data_docs", gate, group)
    known = kept(folder)
    for place in known[KEPT:]:
        shutil.rmtree(place, ignore_errors=True)
    items = "\n".join(
        f'<li><a href="{place.name}/index.html">{place.name.replace("-", " ")}</a></li>'
        for place in known[:KEPT]
    )
    title = html.escape(f"Quality pages: {gate} gate" + ("" if group == "all" else f" of {group}"))
    draft = folder / "index.html.new"
    draft.write_text(
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title>\n'
        f"<h1>{title}</h1>\n<ul>\n{items}\n</ul></html>\n",
        encoding="utf-8",
    )
    draft.replace(folder / "index.html")


def kept(folder: Path) -> list[Path]:
    """The folders of judgements, newest first."""
    found = [(int(match[2]), place) for place in folder.iterdir() if (match := _NAME.match(place.name))]
    return [place for _, place in sorted(found, reverse=True)]
