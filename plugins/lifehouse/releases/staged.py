"""Which staging models take raw as it is, a row for a row: of them the release gate can ask that nothing is lost on the way."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lifehouse.ingest.declaration import load_source
from lifehouse.project import Project

_READS = re.compile(r"staged\(\s*['\"](\w+)['\"]\s*,\s*['\"](\w+)['\"]")
_CHANGES_ROWS = re.compile(
    r"\b(where|group\s+by|distinct|join|union|unnest|having|limit|except|intersect)\b", re.IGNORECASE
)
_COMMENTS = re.compile(r"--[^\n]*|\{#.*?#\}|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True)
class Staged:
    """A staging model with one row for each current row of ``raw_<source>.<table>``; ``unit`` is what a delivery replaces."""

    source: str
    table: str
    model: str
    unit: tuple[str, ...]


def row_by_row(project: Project) -> list[Staged]:
    """The company's models that neither filter, group nor join; of others no number of rows follows from raw's."""
    found = []
    for file in project.source_files:
        source = load_source(file)
        for path in sorted((project.staging_folder / source.source).rglob(f"stg_{source.source}__*.sql")):
            text = _COMMENTS.sub("", path.read_text(encoding="utf-8"))
            reads = _READS.search(text)
            if (
                reads
                and reads[1] == source.source
                and reads[2] in source.tables
                and not _CHANGES_ROWS.search(text)
            ):
                found.append(Staged(reads[1], reads[2], path.stem, tuple(source.tables[reads[2]].unit)))
    return found
