"""The core and the lifecycles built by DuckDB, in a file beside the warehouse: the same models, the same rows.

Staging, ingest, identity, gates and what is served stay on Postgres (docs/portability.md).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from lifehouse.build import contract, dbt, duck_file
from lifehouse.build.duck_file import Table
from lifehouse.build.place import Place, nightly
from lifehouse.context import Context
from lifehouse.errors import BuildError

#: What DuckDB builds.
MODELS = ("tag:core", "path:models/lifecycle", "stage_history", "lifecycle_stages")
#: What the identity step gives to the models.
IDENTITIES = ("customer_refs", "identifiers", "cut_identifiers")
#: What both engines must agree on.
BUILT: tuple[Table, ...] = (
    ("core", "customer_identifiers"),
    ("core", "customer_profiles"),
    ("core", "customer_consents"),
    ("core", "customer_orders"),
    ("core", "customer_cookies"),
    ("core", "anonymous_visitors"),
    ("core", "profile_identifiers"),
    ("core", "record_refs"),
    ("core", "customer_events"),
    ("marts", "stage_history"),
    ("marts", "lifecycle_stages"),
)
_POSTGRES = "postgres"
#: Of columns and two relations: how many rows, all columns taken together, one has more often than the other.
_DIFFERENCE = """
    with sides as (
        select {0}, 1 as side from {1} union all select {0}, -1 from {2}
    ), apart as (
        select sum(side) as times from sides group by {0} having sum(side) <> 0
    )
    select
        coalesce(sum(times) filter (where times > 0), 0)::bigint,
        coalesce(-sum(times) filter (where times < 0), 0)::bigint
    from apart
"""


@dataclass(frozen=True)
class Compared:
    """One table in both engines: rows of Postgres', and how many rows only one of them has."""

    name: str
    rows: int
    only_postgres: int
    only_duckdb: int


def place(file: Path) -> Place:
    """The place of a build in a DuckDB file: schemas are named as in the warehouse, the release is ``marts``."""
    return Place("duckdb", "marts", file=file)


def carry(ctx: Context, file: Path) -> int:
    """Bring the input contract and who is who into the file, as of one instant; returns the rows.

    :raises BuildError: a value cannot be kept exactly.
    """
    where = nightly("blue")  # the slots differ in their marts alone
    tables = [(where.contract, name) for name in contract.tables()]
    tables += [(where.core, name) for name in IDENTITIES]
    return sum(duck_file.copy(ctx, file, {table: table for table in tables}).values())


def build(ctx: Context, file: Path) -> list[dbt.ModelResult]:
    """Build the models in the file, from nothing.

    :raises BuildError: names each model that failed.
    """
    return dbt.build(ctx, MODELS, place(file), full=True)


def compare(ctx: Context, file: Path, slot: str, tables: Collection[Table] = BUILT) -> list[Compared]:
    """Hold what DuckDB built against what Postgres did, row by row in all columns; ``slot`` has its marts.

    :raises BuildError: a table has other columns or types.
    """
    origins = {table: (slot if table[0] == "marts" else table[0], table[1]) for table in tables}
    copied = duck_file.copy(ctx, file, {origins[table]: (_POSTGRES, table[1]) for table in tables})
    found = []
    with duck_file.opened(file) as duck:
        for schema, name in tables:
            ours, theirs = f"{schema}.{name}", f"{_POSTGRES}.{name}"
            shapes = [
                duck.execute(f"select column_name, column_type from (describe {relation})").fetchall()  # noqa: S608
                for relation in (ours, theirs)
            ]
            if shapes[0] != shapes[1]:
                raise BuildError(f"{ours}: DuckDB's columns are not Postgres'")
            columns = ", ".join(f'"{name}"' for name, _ in shapes[0])
            missing, added = duck.execute(_DIFFERENCE.format(columns, theirs, ours)).fetchone()
            found.append(Compared(ours, copied[origins[schema, name]], missing, added))
        duck.execute(f"drop schema {_POSTGRES} cascade")
    return found
