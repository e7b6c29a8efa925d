"""Where the pages (data docs) of a gate's judgements lie: ``<home>/data_docs/<gate>/<group>/run-<id>`` or ``load-<id>``.

Each judgement has a folder of its own, so that a link leads to exactly what was judged; the oldest are removed.
"""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path

from lifehouse.home import Home

#: Folders of a gate and group that are kept: a month of nights.
KEPT = 31
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
