"""What Postgres' catalog says about the slots' tables and the views in ``marts``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

SLOTS = ("blue", "green")
Columns = list[tuple[str, str]]


@dataclass(frozen=True)
class View:
    """A view in marts: its columns (name, type) in order, the slots that it reads, and whether it masks columns."""

    columns: Columns
    slots: frozenset[str]
    is_masked: bool = False


def tables(connection: psycopg.Connection[Any], slot: str) -> dict[str, Columns]:
    """The tables of a slot's schema with their columns."""
    rows = connection.execute(_TABLES, (slot,))
    return {name: [tuple(column) for column in columns] for name, columns in rows}


def views(connection: psycopg.Connection[Any]) -> dict[str, View]:
    """The views in marts that read a slot."""
    rows = connection.execute(_VIEWS, {"slots": list(SLOTS)})
    return {
        name: View([tuple(column) for column in columns], frozenset(slots), is_masked)
        for name, columns, slots, is_masked in rows
    }


def grants(connection: psycopg.Connection[Any], view: str) -> list[str]:
    """Statements that give a view the rights back that it has now."""
    return [row[0] for row in connection.execute(_GRANTS, (view,))]


def comments(connection: psycopg.Connection[Any], slot: str, name: str) -> list[sql.Composed]:
    """Statements that give the view of a mart the comments of the slot's table and its columns."""
    view = sql.SQL("view {}").format(sql.Identifier("marts", name))
    statements = []
    for column, text in connection.execute(_COMMENTS, (f'"{slot}"."{name}"',)):
        what = sql.SQL("column {}").format(sql.Identifier("marts", name, column)) if column else view
        statements.append(sql.SQL("comment on {} is {}").format(what, sql.Literal(text)))
    return statements


def widens(connection: psycopg.Connection[Any], was: str, now: str) -> bool:
    """Whether every value of one type is one of the other: Postgres casts it by itself, and no length or scale is set."""
    row = connection.execute(_WIDENS, {"was": was, "now": now}).fetchone()
    return bool(row and row[0])


def has_dependents(connection: psycopg.Connection[Any], view: str) -> bool:
    """Whether other views read the view of a mart."""
    row = connection.execute(_DEPENDENTS, (f'marts."{view}"',)).fetchone()
    return bool(row and row[0])


def holders(connection: psycopg.Connection[Any]) -> str:
    """The sessions that have locks on views in marts, in words."""
    sessions = connection.execute(_HOLDERS).fetchall()
    return (
        ", ".join(f"pid {pid} ({application}, {state})" for pid, application, state in sessions) or "none now"
    )


_COLUMNS = """
    (
        select json_agg(json_build_array(attname, format_type(atttypid, atttypmod)) order by attnum)
        from pg_attribute
        where attrelid = relations.oid and attnum > 0 and not attisdropped
    )
"""

_TABLES = f"""
    select relations.relname, {_COLUMNS}
    from pg_class as relations
    where relations.relnamespace = to_regnamespace(%s) and relations.relkind in ('r', 'p')
"""  # noqa: S608

_VIEWS = f"""
    select relations.relname, {_COLUMNS}, array_agg(distinct read_schemas.nspname::text),
        strpos(pg_get_viewdef(relations.oid), 'sees_personal') > 0
    from pg_class as relations
    inner join pg_rewrite as rules on rules.ev_class = relations.oid
    inner join pg_depend as depends
        on depends.classid = 'pg_rewrite'::regclass and depends.objid = rules.oid
        and depends.refclassid = 'pg_class'::regclass
    inner join pg_class as read_tables on read_tables.oid = depends.refobjid
    inner join pg_namespace as read_schemas
        on read_schemas.oid = read_tables.relnamespace and read_schemas.nspname = any(%(slots)s)
    where relations.relnamespace = 'marts'::regnamespace and relations.relkind = 'v'
    group by relations.oid, relations.relname
"""  # noqa: S608

_WIDENS = """
    select strpos(%(now)s, '(') = 0 and (
        to_regtype(%(was)s) = to_regtype(%(now)s)
        or exists (
            select from pg_cast
            where castsource = to_regtype(%(was)s) and casttarget = to_regtype(%(now)s) and castcontext = 'i'
        )
    )
"""

_DEPENDENTS = """
    select exists (
        select
        from pg_depend as depends
        inner join pg_rewrite as rules on depends.classid = 'pg_rewrite'::regclass and depends.objid = rules.oid
        where depends.refclassid = 'pg_class'::regclass and depends.refobjid = to_regclass(%s)
            and rules.ev_class <> depends.refobjid
    )
"""

_GRANTS = """
    select format(
        'grant %%s on marts.%%I to %%s',
        acl.privilege_type, relname, case acl.grantee when 0 then 'public' else acl.grantee::regrole::text end
    )
    from pg_class, aclexplode(relacl) as acl
    where relnamespace = 'marts'::regnamespace and relname = %s and acl.grantee <> relowner
"""

_COMMENTS = """
    select attributes.attname, descriptions.description
    from pg_description as descriptions
    left join pg_attribute as attributes
        on attributes.attrelid = descriptions.objoid and attributes.attnum = descriptions.objsubid
        and descriptions.objsubid > 0
    where descriptions.classoid = 'pg_class'::regclass and descriptions.objoid = to_regclass(%s)
"""

_HOLDERS = """
    select distinct activity.pid, activity.application_name, activity.state
    from pg_locks as locks
    inner join pg_class as relations on relations.oid = locks.relation
    inner join pg_stat_activity as activity on activity.pid = locks.pid
    where relations.relnamespace = 'marts'::regnamespace and locks.granted
        and activity.pid <> pg_backend_pid()
"""
