"""Writes a project folder: the company, the source's declaration, and the drafts of its staging models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from lifehouse.errors import ConfigError
from lifehouse.scaffold.matters import called
from lifehouse.scaffold.roles import Guess, Kind, guess, personal
from lifehouse.scaffold.sketch import Column, Found, Table
from lifehouse.scaffold.sql import Draft
from lifehouse.scaffold.staging import drafts

_NAME_LENGTH = 28  # of sources and tables: they become parts of identifiers in Postgres
_TYPE_NAMES = {"timestamp": "timestamptz"}  # naive times are read in the source's zone


@dataclass(frozen=True)
class Plan:
    """What will be written. ``variable`` is the environment variable that holds or overrides the source's address."""

    name: str
    company: str
    currency: str
    zone: str
    found: Found
    guesses: tuple[Guess, ...]
    drafts: tuple[Draft, ...]

    @property
    def variable(self) -> str:
        return f"LIFEHOUSE_{self.name.upper()}_{'FILES' if self.found.kind == 'files' else 'URL'}"

    @property
    def newest_day(self) -> date | None:
        """The day of the newest order that was seen in files; None where the data are not looked at."""
        days = [
            item.time.latest for item in self.guesses if item.time and item.kind in (Kind.LINES, Kind.ORDERS)
        ]
        return date.fromisoformat(max(days)) if any(days) else None


def plan(found: Found, name: str, company: str, currency: str, zone: str) -> Plan:
    """Guess what the source's tables mean and draft everything."""
    tables = [_named(table) for table in found.tables if found.kind == "files" or table.key]
    guesses = tuple(guess(table) for table in tables)
    return Plan(
        name, company, currency, zone, found, guesses, tuple(drafts(list(guesses), name, currency, zone))
    )


def write(made: Plan, folder: Path) -> list[Path]:
    """Write the files; returns their paths. Never overwrites.

    :raises ConfigError: one of them is already there.
    """
    staging = Path("dbt_project/models/staging") / made.name
    files = {
        Path("lifehouse.yml"): _company_yaml(made),
        Path(".gitignore"): ".lifehouse/\n.env\n",
        Path("dags/sources") / f"{made.name}.yml": _source_yaml(made),
        **{staging / f"stg_{made.name}__{draft.contract}.sql": draft.sql for draft in made.drafts},
        staging / f"stg_{made.name}.yml": _staging_yaml(made),
    }
    there = [path for path in files if (folder / path).exists() and path.name != ".gitignore"]
    if there:
        raise ConfigError(f"{folder}: {there[0]} is already there; init never overwrites")
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if not (folder / path).exists():
            (folder / path).write_text(text, encoding="utf-8")
    (folder / "dags" / "syncs").mkdir(parents=True, exist_ok=True)
    return [folder / path for path in files]


def _named(table: Table) -> Table:
    """A table of files named by dates alone takes its name from what it holds."""
    if table.name:
        return replace(table, name=table.name[:_NAME_LENGTH].strip("_"))
    names = {
        Kind.LINES: "order_lines",
        Kind.ORDERS: "orders",
        Kind.CUSTOMERS: "customers",
        Kind.PRODUCTS: "products",
    }
    return replace(table, name=names.get(guess(table).kind, "records"))


def _company_yaml(made: Plan) -> str:
    return "\n".join(
        (
            f"company: {_quoted(made.company)}",
            "note: ''                         # a sentence that every report shows, e.g. where the data comes from",
            f"reporting_currency: {made.currency}",
            f"time_zone: {made.zone}                  # in which days, weeks and months are reported",
            f"required_sources: [{made.name}]       # a release waits while one of these is late",
            "",
        )
    )


def _source_yaml(made: Plan) -> str:
    return "\n".join(_source_lines(made)) + "\n"


def _source_lines(made: Plan) -> Iterator[str]:
    yield "# Drafted by `lifehouse init`. What was guessed is said beside it; docs/add-a-source.md explains every key."
    yield f"source: {made.name}"
    yield "owner: data-team                 # who is told when its gate closes"
    if made.found.kind == "files":
        count = sum(table.file_count for table in made.found.tables)
        yield f"description: {count} CSV file{'s' if count != 1 else ''} when drafted; new and changed files are read each night"
        yield "kind: files"
        yield f'connection: {{url: "${{{made.variable}:-{made.found.place}}}"}}'
    else:
        yield f"description: tables of the database that {made.variable} names"
        yield "kind: sql"
        yield f'connection: {{url: "${{{made.variable}}}"{f", schema: {made.found.place}" if made.found.place else ""}}}'
    yield 'schedule: "0 2 * * *"'
    yield f"time_zone: {made.zone}"
    if any("phone" in item for item in made.guesses):
        yield "# phone_region: US               # the country of phone numbers without a country code; else they match nobody"
    yield "quarantine_share: 0.01           # a larger share of bad records closes the gate"
    yield "tables:"
    for item in made.guesses:
        yield from _table_lines(made, item)
    for table in made.found.tables:
        if made.found.kind == "sql" and not table.key:
            yield f"  # {table.name}: {table.notes[0]}"


def _table_lines(made: Plan, item: Guess) -> Iterator[str]:
    table = item.table
    yield ""
    yield f"  {table.name}:"
    seems = called(table.name).replace("_", " ") if item.kind is Kind.OTHER else ""
    yield f"    # looks like {seems or item.kind.value}" + (
        f"; {table.rows_seen:,} rows looked at" if table.rows_seen else ""
    )
    if made.found.kind == "files":
        yield f"    files: {_quoted(table.files)}"
        if table.delimiter != ",":
            yield f"    delimiter: {json.dumps(table.delimiter)}"
        if table.encoding != "utf-8":
            yield f"    encoding: {table.encoding}"
    elif table.name != table.original:
        yield f"    table: {_quoted(table.original)}"
    if table.key:
        seen = (
            "          # different in every row looked at: please check" if made.found.kind == "files" else ""
        )
        yield f"    key: [{', '.join(table.key)}]{seen}"
    else:
        yield "    replaces: file                 # no column identifies a line: a file delivered again replaces itself"
    if table.cursor:
        yield f"    cursor: {table.cursor}             # only rows that changed since the last accepted load are read"
        yield "    overlap: 1h                    # read again, for rows that were committed late"
    for note in table.notes:
        yield f"    # {note}"
    yield "    columns:"
    roles = {column.name: role for role, column in item.roles.items()}
    width = max(len(column.name) for column in table.columns) + 1
    for column in table.columns:
        yield (
            f"      {column.name + ':':<{width}} {{{', '.join(_rules(column, table, roles.get(column.name)))}}}"
            + _remark(column, roles)
        )


def _rules(column: Column, table: Table, role: str | None) -> Iterator[str]:
    kind = _TYPE_NAMES.get(column.type, column.type)
    yield f"type: {_quoted(kind) if ',' in kind else kind}"
    if tag := personal(column, role):
        yield f"personal: {tag}"
    if column.header != column.name:
        yield f"from: {_quoted(column.header)}"
    if column.name in table.key or (column.name == table.cursor and column.complete):
        yield "required: true"


def _remark(column: Column, roles: dict[str, str]) -> str:
    said = (
        [f"taken as {roles[column.name]}"]
        if column.name in roles and roles[column.name] != column.name
        else []
    )
    if column.float_ids:
        said.append("ids written like 17850.0")
    if column.date_format:
        said.append(f"a time written {column.date_format}; kept as text here, read in staging")
    return f"   # {'; '.join(said)}" if said else ""


def _staging_yaml(made: Plan) -> str:
    lines = ["models:"]
    for draft in made.drafts:
        lines += [
            f"  - name: stg_{made.name}__{draft.contract}",
            f"    description: {draft.contract} as {made.name} knows them; drafted by `lifehouse init`",
            "    columns:",
            "      - name: source_key",
            "        description: natural key within this source",
            "        data_tests: [not_null, unique]",
        ]
    return "\n".join(lines if made.drafts else ["models: []"]) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
