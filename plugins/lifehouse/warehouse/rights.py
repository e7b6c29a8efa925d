"""Who may do what in the warehouse: the one table that roles are made, checked and repaired from.

Whoever adds a control table names it here, among the rights of the station that writes it or as one that none does;
`lifehouse doctor --fix`, an upgrade, and the first station of a fresh database make the grants.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fnmatch import fnmatchcase

INGEST = "lifehouse_ingest"  # reads sources, writes raw, judges loads
TRANSFORM = "lifehouse_transform"  # builds, judges and publishes releases
ACTIVATE = "lifehouse_activate"  # reads the marts, writes the outbox
BI = "lifehouse_bi"  # reads the marts
PERSONAL = "lifehouse_personal"  # has no rights of its own: its members see personal columns unmasked
ROLES = (INGEST, TRANSFORM, ACTIVATE, BI, PERSONAL)
STATION_ROLES = (INGEST, TRANSFORM, ACTIVATE)

#: (member, of): whose rights a role has besides its own.
MEMBERS = ((TRANSFORM, PERSONAL), (ACTIVATE, PERSONAL))
DATABASE = {
    INGEST: ("CREATE", "TEMPORARY"),  # a schema for each source
    TRANSFORM: ("CREATE", "TEMPORARY"),  # a schema for each slot
    ACTIVATE: ("TEMPORARY",),
    BI: ("CONNECT",),
}
#: Schemas that belong to a role with all that is in them. ``raw`` and ``landing`` stand for those of every source.
OWNED = {
    "raw": INGEST,
    "landing": INGEST,
    "quarantine": INGEST,
    "staging": TRANSFORM,
    "contract": TRANSFORM,
    "core": TRANSFORM,
    "seeds": TRANSFORM,
    "blue": TRANSFORM,
    "green": TRANSFORM,
}
#: Tables of other schemas that a role must own: only an owner may analyse a table in Postgres 16.
OWNED_TABLES = {("control", "run_customers"): TRANSFORM}
#: Control tables that no station writes: people's decisions, and what is kept of the schema itself.
READ_ALONE = {"identity_decisions", "migrations", "role_grants"}
#: Tables that no role may read: the key of the masks is read by a function that only views call.
HIDDEN = {("control", "mask_key")}
#: Functions that act with the rights of a role that the caller does not have.
OWNED_FUNCTIONS = {("control", "index_raw"): INGEST}

_READ = ("SELECT",)
_APPEND = ("SELECT", "INSERT")
_KEEP = ("SELECT", "INSERT", "UPDATE")
_WORK = ("SELECT", "INSERT", "UPDATE", "DELETE")
#: What became of a task is noted with the rights of its station.
_ALERTS = {"alerts": _APPEND, "alert_sends": _KEEP}


@dataclass(frozen=True)
class Right:
    """What a role may do in a schema: to be in it, and to its tables, by name (``*``: each).

    Sequences are named like tables; ``USAGE`` is the only privilege that is given on them.
    """

    role: str
    schema: str
    in_schema: tuple[str, ...]
    tables: dict[str, tuple[str, ...]]

    def on(self, table: str) -> set[str]:
        """The privileges on a table of this name."""
        if (self.schema, table) in HIDDEN:
            return set()
        return {each for name, wide in self.tables.items() if fnmatchcase(table, name) for each in wide}


RIGHTS = (
    Right(INGEST, "control", ("USAGE",), {
        "*": _READ,
        "loads": _KEEP,
        "load_tables": _KEEP,
        "files": _APPEND,
        "schema_changes": _APPEND,
        "quarantined": _KEEP,
        "load_profiles": _WORK,
        "load_bounds": _WORK,
        "load_shapes": _APPEND,
        "quality_results": _APPEND,
        "stations": _KEEP,
        "change_seq": ("USAGE",),
        **_ALERTS,
    }),
    Right(TRANSFORM, "raw", ("USAGE",), {"*": _READ}),
    Right(TRANSFORM, "landing", ("USAGE",), {"*": _READ}),  # not needed; default privileges cannot tell it from raw
    Right(TRANSFORM, "quarantine", ("USAGE",), {"*": _READ}),
    Right(TRANSFORM, "control", ("USAGE",), {
        "*": _READ,
        "runs": _KEEP,
        "slots": _KEEP,
        "current_run": _KEEP,
        "core_state": _KEEP,
        "releases": _KEEP,
        "published": _KEEP,
        "quality_results": _APPEND,
        "stations": _KEEP,
        "scratch": _WORK,
        "scratch_as_ofs": _WORK,
        **_ALERTS,
    }),
    Right(TRANSFORM, "history", ("USAGE",), {"*": _KEEP}),
    Right(TRANSFORM, "marts", ("USAGE", "CREATE"), {"*": _READ}),
    Right(ACTIVATE, "control", ("USAGE",), {
        "*": _READ,
        "quality_results": _APPEND,
        "stations": _KEEP,
        **_ALERTS,
    }),
    Right(ACTIVATE, "activation", ("USAGE",), {"*": _WORK}),
    Right(ACTIVATE, "marts", ("USAGE",), {"*": _READ}),
    Right(BI, "marts", ("USAGE",), {"*": _READ}),
)  # fmt: skip


@dataclass(frozen=True)
class Default:
    """What a role gets on tables (or schemas) that ``maker`` makes later; None is the owner of the warehouse's URL."""

    maker: str | None
    schema: str | None
    kind: str  # TABLES or SCHEMAS
    role: str
    privileges: tuple[str, ...]


DEFAULTS = (
    Default(INGEST, None, "SCHEMAS", TRANSFORM, ("USAGE",)),
    Default(INGEST, None, "TABLES", TRANSFORM, _READ),
    *(Default(None, "control", "TABLES", role, _READ) for role in STATION_ROLES),
    Default(None, "activation", "TABLES", ACTIVATE, _WORK),
    Default(None, "history", "TABLES", TRANSFORM, _KEEP),
    *(
        Default(maker, "marts", "TABLES", role, _READ)
        for maker in (None, TRANSFORM)
        for role in (ACTIVATE, BI)
    ),
)

#: The attributes of each of the roles; people log in as themselves and are members.
ATTRIBUTES = ("NOLOGIN", "NOSUPERUSER", "NOCREATEDB", "NOCREATEROLE", "NOREPLICATION", "NOBYPASSRLS")


def fingerprint() -> str:
    """Of all that this file declares."""
    told = (
        *(ROLES, MEMBERS, DATABASE, OWNED, OWNED_TABLES, OWNED_FUNCTIONS, RIGHTS, DEFAULTS, ATTRIBUTES),
        sorted(HIDDEN),
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]
