"""The catalogue of the marts for people, ``docs/marts.md``, made from the models' own YAML so that it cannot differ from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lifehouse import config
from lifehouse.project import INSTALLATION

PAGE = INSTALLATION / "docs" / "marts.md"
_MODELS = INSTALLATION / "dbt_project" / "models" / "marts"
_AREAS = {
    "customers": "Customers",
    "life": "Life: stages",
    "groups": "Groups: segments",
    "campaigns": "Campaigns",
    "sales": "Sales",
    "time": "Time",
}
_HEAD = """# The marts

What BI tools and syncs may read: the views of the schema `marts`. All of them show one release, the published one; one
transaction never sees two. Times are UTC unless a column says otherwise; amounts stand beside their currency.

Made from the models' YAML by `.venv/bin/python -m lifehouse.report.catalogue`.
"""
_TRUST = """
## Trust

Plain views on what the house writes down about itself, beside the release. The columns of the syncs' views are described in the
database (`\\d+ sync_runs`).

| view | one row for each |
|---|---|
| `releases` | release: as of when, when published, whether it is served now, which sources were late, whether it waited for one |
| `runs` | run and station (source, sync): rows in and out, seconds, share, peak memory in bytes; the run's as-of and outcome |
| `quality_results` | expectation judged by a gate: what must hold, whether it did, how many rows did not |
| `sync_runs` | run of a sync: rows planned, confirmed, refused, kept back and why; calls, outages, seconds |
| `sync_rows` | run, action, status and reason: rows that came to that end; why they were refused (masked) or kept back |
| `sync_calls` | run, outcome and HTTP status: batches, requests, milliseconds (median, 95th, 99th percentile, slowest) |
| `reconciliations` | reading back of a platform: rows there, here, on one side alone, repaired |
| `segment_history` | segment, customer and stay: from which release to which |
"""


def page() -> str:
    """The page, from the YAML files of ``dbt_project/models/marts``."""
    return "\n".join([_HEAD, *_areas()]) + _TRUST


def _areas() -> Iterator[str]:
    folders = sorted(
        (path for path in _MODELS.iterdir() if path.is_dir()),
        key=lambda path: (list(_AREAS).index(path.name) if path.name in _AREAS else len(_AREAS), path.name),
    )
    for folder in folders:
        models = [model for file in sorted(folder.glob("*.yml")) for model in _models(file)]
        if not models:
            continue
        yield f"## {_AREAS.get(folder.name, folder.name.capitalize())}\n"
        for model in models:
            yield from _model(model)


def _models(file: Path) -> list[dict[str, Any]]:
    return (config.read(file.read_text(encoding="utf-8")) or {}).get("models") or []


def _model(model: dict[str, Any]) -> Iterator[str]:
    yield f"### {model['name']}\n"
    yield " ".join(str(model.get("description", "")).split()) + "\n"
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for column in model.get("columns") or []:
        meaning = " ".join(str(column.get("description", "")).split()).replace("|", "\\|")
        yield f"| `{column['name']}` | {column.get('data_type', '')} | {meaning} |"
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
