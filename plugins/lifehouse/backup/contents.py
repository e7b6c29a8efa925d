"""What belongs into a backup: read off the catalog, in the snapshot that is dumped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from lifehouse.build import project
from lifehouse.context import Context
from lifehouse.releases import catalog
from lifehouse.warehouse import control

#: What a run makes anew from raw, and what only the run at hand needs.
_REBUILT = ("staging", "contract")
_EMPTY = (
    *("core.changed_keys", "core.customer_changes", "control.run_customers"),
    *("core.identifiers", "core.cut_identifiers"),
)

_VIEWS = """
    select distinct view_schemas.nspname || '.' || views.relname, read_schemas.nspname || '.' || reads.relname
    from pg_rewrite as rules
    inner join pg_class as views on views.oid = rules.ev_class
    inner join pg_namespace as view_schemas on view_schemas.oid = views.relnamespace
    inner join pg_depend as depends
        on depends.classid = 'pg_rewrite'::regclass and depends.objid = rules.oid
        and depends.refclassid = 'pg_class'::regclass
    inner join pg_class as reads on reads.oid = depends.refobjid and reads.oid <> views.oid
    inner join pg_namespace as read_schemas on read_schemas.oid = reads.relnamespace
    where view_schemas.nspname = any(%s)
"""
_RELATIONS = """
    select relname from pg_class
    where relnamespace = to_regnamespace(%s) and relkind in ('r', 'p', 'v', 'm') order by relname
"""


@dataclass(frozen=True)
class Contents:
    """Schemas, and by ``schema.name`` the relations that stay out and those of which only the shape is kept."""

    schemas: list[str]
    without: list[str]
    without_rows: list[str]
    sources: list[str]
    slot: str | None
    release_id: int | None
    as_of: str | None
    marts: list[str]
    left_out: list[str]

    @property
    def arguments(self) -> list[str]:
        """The selection as pg_dump takes it."""
        return [
            *(f"--schema={_quoted(name)}" for name in self.schemas),
            *(f"--exclude-table={_quoted(name)}" for name in self.without),
            *(f"--exclude-table-data={_quoted(name)}" for name in self.without_rows),
        ]


def read(ctx: Context, connection: psycopg.Connection[Any], *, with_raw: bool) -> Contents:
    """What is there now. Raw and quarantine keep their shape; their rows come along only ``with_raw``."""
    row = connection.execute("select slot, release_id, as_of from control.published").fetchone()
    slot, release_id, as_of = row or (None, None, None)
    sources = _column(connection, "select distinct source from control.loads order by source")
    existing = set(_column(connection, "select nspname from pg_namespace"))
    schemas = [name for name in (*made(), *map(_raw, sources), slot) if name in existing]
    computed = _models(ctx, "core")
    without = [f"core.{name}" for name in _relations(connection, "core") if name in computed]
    marts = sorted(catalog.views(connection))
    views = _orphans(connection, schemas, {*without, *(f"marts.{name}" for name in marts)})
    filled = [] if with_raw else ["quarantine", *map(_raw, sources)]
    return Contents(
        schemas=schemas,
        without=[*without, *(f"marts.{name}" for name in marts), *views],
        without_rows=[*_EMPTY, *(f"{name}.*" for name in filled)],
        sources=sources,
        slot=slot,
        release_id=release_id,
        as_of=as_of.isoformat() if as_of else None,
        marts=marts,
        left_out=views,
    )


def made() -> list[str]:
    """The schemas that the migrations make and that hold what is not computed, in order of their making."""
    found = ["control"]
    for file in sorted(control.MIGRATIONS.glob("*.sql")):
        found += re.findall(r"^create schema (?:if not exists )?(\w+)", file.read_text(), re.MULTILINE)
    return [name for name in dict.fromkeys(found) if name not in _REBUILT]


def every(sources: Iterable[str]) -> list[str]:
    """All schemas of a house with these sources: what a restore replaces."""
    of_sources = [f"{kind}_{source}" for source in sorted(set(sources)) for kind in ("raw", "landing")]
    return [*made(), *_REBUILT, "seeds", *catalog.SLOTS, *of_sources]


def _raw(source: str) -> str:
    return f"raw_{source}"


def _models(ctx: Context, folder: str) -> set[str]:
    """The names of the models below ``models/<folder>``."""
    place = Path("models") / folder
    return {
        path.stem
        for path in project.contents(ctx.project)
        if path.suffix == ".sql" and path.is_relative_to(place)
    }


def _orphans(connection: psycopg.Connection[Any], schemas: list[str], without: set[str]) -> list[str]:
    """Views in these schemas that read, over however many steps, what the backup does not hold."""
    edges = connection.execute(_VIEWS, (schemas,)).fetchall()
    gone = set(without)
    while True:
        more = {
            view for view, read in edges if view not in gone and (read in gone or not _is_held(read, schemas))
        }
        if not more:
            return sorted(gone - without)
        gone |= more


def _is_held(relation: str, schemas: list[str]) -> bool:
    schema = relation.split(".", 1)[0]
    return schema in schemas or schema in ("pg_catalog", "information_schema")


def _relations(connection: psycopg.Connection[Any], schema: str) -> list[str]:
    return _column(connection, _RELATIONS, (schema,))


def _column(connection: psycopg.Connection[Any], query: str, parameters: Any = None) -> list[str]:
    return [row[0] for row in connection.execute(query, parameters)]


def _quoted(name: str) -> str:
    """A name, or ``schema.name``, as a pattern of pg_dump that matches itself alone; ``*`` stays."""
    parts = [part if part == "*" else '"{}"'.format(part.replace('"', '""')) for part in name.split(".", 1)]
    return ".".join(parts)
