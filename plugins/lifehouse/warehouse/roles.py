"""The roles of the warehouse: made, compared with what is declared, repaired. Never more than our own roles is touched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

import psycopg
from psycopg import errors, sql

from lifehouse.errors import WarehouseError
from lifehouse.warehouse import rights
from lifehouse.warehouse.catalog import PUBLIC, Catalog, Grant

_LOCK = 7_405_080  # advisory lock: one repair at a time in a database
_ROUNDS = 4  # a new owner changes the grants
PATIENCE = "10s"  # for the locks of a change of owner


class Kind(Enum):
    """What is not as declared. ``FOREIGN`` is outside of the warehouse's schemas: told, never touched."""

    ROLE = "role"
    MEMBER = "member"
    OWNER = "owner"
    MISSING = "missing grant"
    EXCESS = "excess grant"
    FOREIGN = "foreign grant"


@dataclass(frozen=True)
class Deviation:
    """One thing that is not as declared, in a sentence, and the statements that make it so."""

    kind: Kind
    sentence: str
    statements: tuple[str, ...]


def are_separate(connection: psycopg.Connection[Any]) -> bool:
    """Whether stations can act as their roles here: they exist, this user may be them, and the grants are made."""
    row = connection.execute(_ARE_SEPARATE, {"roles": list(rights.ROLES)}).fetchone()
    if not row or not row[0]:
        return False
    made = connection.execute(_IS_GRANTED, {"fingerprint": rights.fingerprint()}).fetchone()
    return bool(made and made[0])


def ensure(connection: psycopg.Connection[Any]) -> bool:
    """Make what is missing, if this user may; says whether stations can act as their roles. Needs autocommit.

    Takes nothing away: that is for ``lifehouse doctor --fix``. Safe to call from many processes and databases at once.
    """
    if are_separate(connection):
        return True
    row = connection.execute(_COULD, {"roles": list(rights.ROLES)}).fetchone()
    if not row or not row[0]:
        return False
    try:
        repair(connection, (Kind.ROLE, Kind.MEMBER, Kind.OWNER, Kind.MISSING))
    except (errors.InsufficientPrivilege, errors.InvalidGrantOperation):
        return False
    return are_separate(connection)


def repair(connection: psycopg.Connection[Any], kinds: tuple[Kind, ...] | None = None) -> list[Deviation]:
    """Make everything of these kinds as declared (``None``: all but foreign); returns what was changed.

    :raises psycopg.errors.InsufficientPrivilege: this user may not.
    :raises WarehouseError: sessions hold a table whose owner must change.
    """
    wanted = kinds or tuple(kind for kind in Kind if kind is not Kind.FOREIGN)
    done: list[Deviation] = []
    for role in rights.ROLES:  # in transactions of their own: other databases' repairs wait for them
        if Kind.ROLE in wanted and role not in Catalog.read(connection).roles:
            done.append(_missing_role(role))
            with suppress(errors.DuplicateObject, errors.UniqueViolation):  # another database's was quicker
                connection.execute(_made(role).encode())
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        connection.execute("select set_config('lock_timeout', %s, true)", (PATIENCE,))
        for _ in range(_ROUNDS):
            found = [deviation for deviation in audit(Catalog.read(connection)) if deviation.kind in wanted]
            for deviation in found:
                _apply(connection, deviation)
            done += found
            if not found:
                break
        connection.execute(_GRANTED, {"fingerprint": rights.fingerprint()})
    return done


def audit(catalog: Catalog) -> list[Deviation]:
    """Everything that is not as declared."""
    return [
        *_roles(catalog),
        *_members(catalog),
        *_owners(catalog),
        *_grants(catalog),
        *_defaults(catalog),
    ]


def script(catalog: Catalog) -> str:
    """What somebody who may create roles has to run, so that the roles exist and the warehouse's user may be them."""
    lines = [f"{_made(role)};" for role in rights.ROLES if role not in catalog.roles]
    lines += [f"grant {role} to {_name(catalog.owner)} with inherit true, set true;" for role in rights.ROLES]
    lines += [f"grant {of} to {member};" for member, of in rights.MEMBERS]
    return "\n".join(lines)


def _apply(connection: psycopg.Connection[Any], deviation: Deviation) -> None:
    for statement in deviation.statements:
        try:
            connection.execute(statement.encode())
        except errors.LockNotAvailable:
            raise WarehouseError(
                f"{deviation.sentence}, and sessions hold it for more than {PATIENCE}; end them and run "
                "`lifehouse doctor --fix`"
            ) from None


def _roles(catalog: Catalog) -> Iterator[Deviation]:
    for role in rights.ROLES:
        if role not in catalog.roles:
            yield _missing_role(role)
            continue
        wrong = [name for name, is_set in catalog.roles[role].items() if is_set]
        if wrong:
            undo = " ".join(f"NO{name}" for name in wrong)
            yield Deviation(
                Kind.EXCESS,
                f"the role {role} has the attribute{'s' * (len(wrong) > 1)} {', '.join(wrong)}",
                (f"alter role {role} {undo}",),
            )


def _missing_role(role: str) -> Deviation:
    return Deviation(Kind.ROLE, f"there is no role {role}", (_made(role),))


def _made(role: str) -> str:
    return f"create role {role} {' '.join(rights.ATTRIBUTES)}"


def _members(catalog: Catalog) -> Iterator[Deviation]:
    wanted = set(rights.MEMBERS)
    if not catalog.is_superuser:
        wanted |= {(catalog.owner, role) for role in rights.ROLES}
    for member, of in sorted(wanted - catalog.members):
        yield Deviation(
            Kind.MEMBER,
            f"{member} is not a member of {of}",
            (f"grant {of} to {_name(member)} with inherit true, set true",),
        )
    for member, of in sorted(catalog.members - wanted):
        if member in rights.ROLES:
            sentence = f"{member} is a member of {of}, and has all its rights"
            yield Deviation(Kind.EXCESS, sentence, (f"revoke {_name(of)} from {member}",))


def _owners(catalog: Catalog) -> Iterator[Deviation]:
    homes = {name: role for schema, role in rights.OWNED.items() for name in catalog.spelled(schema)}
    for schema, role in homes.items():
        if schema in catalog.schemas and catalog.schemas[schema] != role:
            statement = f"alter schema {_name(schema)} owner to {role}"
            yield Deviation(Kind.OWNER, f"the schema {schema} does not belong to {role}", (statement,))
    for (kind, schema, name), owner in sorted(catalog.relations.items()):
        role = homes.get(schema) or rights.OWNED_TABLES.get((schema, name), "")
        if schema == "marts" and name in catalog.slot_views:
            role = rights.TRANSFORM
        if role and owner != role:
            place = _name(schema, name)
            yield _new_owner(schema, role, f"the {kind} {place}", f"{kind} {place}", schema in homes)
    for (schema, name), role in rights.OWNED_FUNCTIONS.items():
        owner, signature = catalog.functions.get((schema, name), (role, ""))
        if owner != role:
            yield _new_owner(schema, role, f"the function {schema}.{name}", f"function {signature}", False)


def _new_owner(schema: str, role: str, told: str, what: str, is_home: bool) -> Deviation:
    """Postgres asks that a new owner may create in the schema, at that moment."""
    statements: tuple[str, ...] = (f"alter {what} owner to {role}",)
    may = next(
        (right.in_schema for right in rights.RIGHTS if (right.role, right.schema) == (role, schema)), ()
    )
    if not is_home:
        lent = f"on schema {_name(schema)}"
        back = () if "CREATE" in may else (f"revoke create {lent} from {role}",)
        statements = (f"grant create {lent} to {role}", *statements, *back)
    return Deviation(Kind.OWNER, f"{told} does not belong to {role}", statements)


def _grants(catalog: Catalog) -> Iterator[Deviation]:
    wanted = set(_declared(catalog))
    for grant in sorted(wanted - catalog.grants):
        yield _deviation(Kind.MISSING, grant, "may not", "grant", "to")
    ours = set(catalog.names())
    for grant in sorted(catalog.grants - wanted):
        kind, schema, _, role, _ = grant
        if kind == "database" and role in (PUBLIC, *rights.DATABASE):
            continue
        foreign = kind != "database" and schema not in ours
        yield _deviation(Kind.FOREIGN if foreign else Kind.EXCESS, grant, "may", "revoke", "from")


def _declared(catalog: Catalog) -> Iterator[Grant]:
    for role, privileges in rights.DATABASE.items():
        yield from (("database", "", catalog.database, role, each) for each in privileges)
    for right in rights.RIGHTS:
        for schema in catalog.spelled(right.schema):
            if schema not in catalog.schemas:
                continue
            if catalog.schemas[schema] != right.role:
                yield from (("schema", schema, schema, right.role, each) for each in right.in_schema)
            for (kind, where, name), owner in catalog.relations.items():
                if where != schema or owner == right.role:
                    continue
                on = right.on(name)
                for each in on & {"USAGE"} if kind == "sequence" else on - {"USAGE"}:
                    yield ("sequence" if kind == "sequence" else "table", schema, name, right.role, each)


def _deviation(kind: Kind, grant: Grant, word: str, verb: str, link: str) -> Deviation:
    what, schema, name, role, privilege = grant
    place = _name(schema, name) if what in ("table", "sequence") else _name(name)
    told = f"{what} {schema}.{name}" if what in ("table", "sequence") else f"{what} {name}"
    who = "everybody" if role == PUBLIC else role
    return Deviation(
        kind,
        f"{who} {word} {privilege.lower()} on the {told}",
        (f"{verb} {privilege.lower()} on {what} {place} {link} {role}",),
    )


def _defaults(catalog: Catalog) -> Iterator[Deviation]:
    wanted = {
        (default.maker or catalog.owner, default.schema, default.kind, default.role, each)
        for default in rights.DEFAULTS
        for each in default.privileges
        if default.schema is None or default.schema in catalog.schemas
    }
    for default in sorted(wanted - catalog.defaults, key=str):
        yield _default(Kind.MISSING, default, "may not", "grant", "to")
    for default in sorted(catalog.defaults - wanted, key=str):
        foreign = default[0] not in (catalog.owner, *rights.ROLES)
        yield _default(Kind.FOREIGN if foreign else Kind.EXCESS, default, "may", "revoke", "from")


def _default(
    kind: Kind, default: tuple[str, str | None, str, str, str], word: str, verb: str, link: str
) -> Deviation:
    maker, schema, what, role, privilege = default
    place = f" in schema {_name(schema)}" if schema else ""
    return Deviation(
        kind,
        f"{role} {word} {privilege.lower()} on {what.lower()} that {maker} will make{place}",
        (
            f"alter default privileges for role {_name(maker)}{place} {verb} {privilege.lower()} "
            f"on {what.lower()} {link} {role}",
        ),
    )


def _name(*parts: str) -> str:
    return sql.Identifier(*parts).as_string()


_ARE_SEPARATE = """
    select bool_and(pg_roles.oid is not null and pg_has_role(current_user, pg_roles.oid, 'SET'))
    from unnest(%(roles)s::text[]) as wanted (name)
    left join pg_roles on pg_roles.rolname = wanted.name
"""

# A copy of a database comes without the grants on the database itself, a restored one without any and with other owners.
_IS_GRANTED = f"""
    select exists (select from control.role_grants where fingerprint = %(fingerprint)s)
        and has_database_privilege('{rights.INGEST}', current_database(), 'CREATE')
        and exists (
            select from pg_namespace where nspname = 'core' and nspowner = '{rights.TRANSFORM}'::regrole
        )
"""  # noqa: S608

_COULD = """
    select
        (select rolsuper or rolcreaterole from pg_roles where rolname = current_user)
        or (
            select bool_and(pg_roles.oid is not null and pg_has_role(current_user, pg_roles.oid, 'SET'))
            from unnest(%(roles)s::text[]) as wanted (name)
            left join pg_roles on pg_roles.rolname = wanted.name
        )
"""

_GRANTED = """
    insert into control.role_grants (fingerprint) values (%(fingerprint)s)
    on conflict (only_row) do update set fingerprint = excluded.fingerprint, granted_at = clock_timestamp()
"""
