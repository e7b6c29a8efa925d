"""Every personal column of a warehouse and of what it is sent to: what masking covers and erasure has to reach."""

from __future__ import annotations

from lifehouse.context import Context
from lifehouse.privacy import tags
from lifehouse.privacy.tags import Tag

_COLUMNS = """
    select table_schema, table_name, column_name
    from information_schema.columns
    where table_schema not in ('pg_catalog', 'information_schema')
    order by table_schema, table_name, ordinal_position
"""


def everywhere(ctx: Context) -> list[Tag]:
    """What the sources declare, what the warehouse's tables and views hold, and what syncs hand on, in that order."""
    declared = tags.of_sources(ctx.project)
    held = [
        Tag(f"{schema}.{table}", column, kind)
        for schema, table, column in _columns(ctx)
        if (kind := tags.kind_of(ctx.project, schema, table, column))
    ]
    return [*declared, *(tag for tag in held if tag not in declared), *tags.of_syncs(ctx.project)]


def _columns(ctx: Context) -> list[tuple[str, str, str]]:
    return [tuple(row.values()) for row in ctx.warehouse.rows(_COLUMNS)]
