"""Which columns are personal: tagged once, in the sources' declarations and in the input contract; marts inherit.

A raw column's tag is in its source's YAML, a contract column's in the contract's. Right of the contract a column keeps
its name as long as it keeps its values, so the tag goes by the name; what is renamed on the way stands in ``RENAMED``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from lifehouse.build.contract import FOLDER, tables
from lifehouse.privacy.kinds import KINDS, Personal
from lifehouse.project import Project

#: Names that columns of the contract take on their way to the marts.
RENAMED: dict[str, Personal] = {"identifier": "id"}
#: Columns that hold personal values of all kinds: (schema, table or ``*``, column) -> what is in them.
MIXED: dict[tuple[str, str, str], Personal] = {
    ("quarantine", "*", "payload"): "text",
    ("quarantine", "*", "_key"): "id",
    ("raw", "*", "_extra"): "text",
    ("core", "profile_identifiers", "written"): "id",
    ("core", "identifiers", "written"): "id",
    ("core", "identifiers", "value"): "id",
    ("core", "cut_identifiers", "value"): "id",
    ("core", "customer_profiles", "belongs_to"): "id",
    ("control", "identity_decisions", "customer_key"): "id",
    ("control", "identity_decisions", "other_key"): "id",
    ("control", "identity_decisions", "reason"): "text",
    ("core", "changed_keys", "key"): "id",
    ("activation", "batches", "record_keys"): "id",
    ("activation", "batches", "fields"): "text",
    ("activation", "outbox", "record_key"): "id",
    ("activation", "outbox", "fields"): "text",
    ("activation", "records", "record_key"): "id",
    ("activation", "ledger", "record_key"): "id",
}
_BUILT = ("staging", "contract", "core", "blue", "green", "marts")


@dataclass(frozen=True)
class Tag:
    """One personal column; ``place`` is schema.table, or sync and platform."""

    place: str
    column: str
    kind: Personal


@cache
def contract() -> dict[str, Personal]:
    """The tagged names of the input contract. One name has one kind.

    :raises ValueError: a tag that is no kind, or a name with two.
    """
    found: dict[str, Personal] = dict(RENAMED)
    for model in tables().values():
        for column in model["columns"]:
            kind = column.get("config", {}).get("meta", {}).get("personal")
            if kind is None:
                continue
            if kind not in KINDS or found.get(column["name"], kind) != kind:
                raise ValueError(f"{FOLDER}: {model['name']}.{column['name']}: personal: {kind}")
            found[column["name"]] = kind
    return found


def kind_of(project: Project, schema: str, table: str, column: str) -> Personal | None:
    """How a column of the warehouse is personal; None: not at all."""
    family = schema.split("_", maxsplit=1)[0] if schema.startswith(("raw_", "landing_")) else schema
    for place in ((family, table, column), (family, "*", column)):
        if place in MIXED:
            return MIXED[place]
    if family in ("raw", "landing"):
        return _raw(project).get((schema.split("_", 1)[1], table, column))
    return contract().get(column) if family in _BUILT else None


def fit_to_log(project: Project, schema: str, table: str, record: Mapping[str, object]) -> dict[str, object]:
    """A record of the warehouse for logs and errors: personal values replaced by their kind, nulls as they are."""
    return {
        column: f"‹{kind}›"
        if value is not None and (kind := kind_of(project, schema, table, column))
        else value
        for column, value in record.items()
    }


def of_mart(columns: list[str]) -> dict[str, Personal]:
    """The personal ones among the columns of a mart."""
    tags = contract()
    return {column: tags[column] for column in columns if column in tags}


def of_sources(project: Project) -> list[Tag]:
    """The tagged columns of the company's sources."""
    return [
        Tag(f"raw_{source}.{table}", column, kind) for (source, table, column), kind in _raw(project).items()
    ]


def of_syncs(project: Project) -> list[Tag]:
    """The personal columns that syncs hand to platforms."""
    from lifehouse.activation.declaration import load_sync  # noqa: PLC0415  it reads kinds from here

    tags, found = contract(), []
    for sync in map(load_sync, project.sync_files):
        for name, column in (("key", sync.key_column), *sync.columns.items()):
            if column in tags:
                found.append(Tag(f"sync {sync.sync} ({sync.platform})", name, tags[column]))
    return found


def _raw(project: Project) -> dict[tuple[str, str, str], Personal]:
    from lifehouse.ingest.declaration import load_source  # noqa: PLC0415  a sync needs no sources, and starts sooner

    return {
        (source.source, table, name): column.personal
        for source in map(load_source, project.source_files)
        for table, declared in source.tables.items()
        for name, column in declared.columns.items()
        if column.personal
    }
