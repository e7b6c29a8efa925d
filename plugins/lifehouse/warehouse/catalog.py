"""What Postgres' catalog says of the warehouse's roles: schemas, relations, owners, grants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg

from lifehouse.warehouse import rights

PUBLIC = "public"  # everybody, as a grantee
#: A grant: (kind, schema, name, role, privilege); kind is database, schema, table or sequence.
Grant = tuple[str, str, str, str, str]


@dataclass
class Catalog:
    """Read once, in a few queries. Names map to owners; grants of owners to themselves are left out."""

    owner: str  # the user of the warehouse's URL
    database: str
    may_make_roles: bool
    is_superuser: bool
    roles: dict[str, dict[str, bool]]  # those of ours that exist, with their attributes
    members: set[tuple[str, str]]  # (member, of), with the rights of the other at once and by `set role`
    sources: list[str]
    schemas: dict[str, str] = field(default_factory=dict)
    relations: dict[tuple[str, str, str], str] = field(default_factory=dict)  # (kind, schema, name)
    functions: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)  # owner, signature
    slot_views: set[str] = field(default_factory=set)
    grants: set[Grant] = field(default_factory=set)
    defaults: set[tuple[str, str | None, str, str, str]] = field(default_factory=set)

    @classmethod
    def read(cls, connection: psycopg.Connection[Any]) -> Catalog:
        row = connection.execute(_SELF).fetchone()
        assert row is not None  # noqa: S101  a query without a table
        ours = {"roles": list(rights.ROLES)}
        roles = dict(connection.execute(_ROLES, ours).fetchall())
        members = {(member, of) for member, of in connection.execute(_MEMBERS, ours)}
        has_loads = connection.execute("select to_regclass('control.loads') is not null").fetchone()
        found = (
            connection.execute("select distinct source from control.loads").fetchall() if has_loads else []
        )
        owner, database, may_make_roles, is_superuser = row
        sources = [source for (source,) in found]
        catalog = cls(owner, database, may_make_roles, is_superuser, roles, members, sources)
        names = {"schemas": list(catalog.names()), **ours}
        catalog.schemas = dict(connection.execute(_SCHEMAS, names).fetchall())
        catalog.relations = {tuple(key): owner for *key, owner in connection.execute(_RELATIONS, names)}
        catalog.functions = {
            (schema, name): (owner, signature)
            for schema, name, owner, signature in connection.execute(_FUNCTIONS, names)
        }
        catalog.slot_views = {name for (name,) in connection.execute(_SLOT_VIEWS)}
        catalog.grants = {tuple(grant) for grant in connection.execute(_GRANTS, names)}
        catalog.defaults = {tuple(default) for default in connection.execute(_DEFAULTS, names)}
        return catalog

    def names(self) -> Iterator[str]:
        """The schemas of the warehouse, there or not."""
        declared = dict.fromkeys([*rights.OWNED, *(right.schema for right in rights.RIGHTS)])
        for name in declared:
            yield from self.spelled(name)

    def spelled(self, schema: str) -> list[str]:
        """The schemas that a name of the rights stands for."""
        return [f"{schema}_{source}" for source in self.sources] if schema in ("raw", "landing") else [schema]


_SELF = """
    select current_user::text, current_database()::text, rolcreaterole or rolsuper, rolsuper
    from pg_roles where rolname = current_user
"""

_ROLES = """
    select
        rolname::text,
        json_build_object(
            'LOGIN', rolcanlogin, 'SUPERUSER', rolsuper, 'CREATEDB', rolcreatedb, 'CREATEROLE', rolcreaterole,
            'REPLICATION', rolreplication, 'BYPASSRLS', rolbypassrls
        )
    from pg_roles where rolname = any(%(roles)s)
"""

_MEMBERS = """
    select members.rolname::text, roles.rolname::text
    from pg_auth_members as memberships
    inner join pg_roles as members on members.oid = memberships.member
    inner join pg_roles as roles on roles.oid = memberships.roleid
    where memberships.inherit_option and memberships.set_option
        and (members.rolname = any(%(roles)s) or roles.rolname = any(%(roles)s) and members.rolname = current_user)
"""

_SCHEMAS = """
    select nspname::text, pg_get_userbyid(nspowner)::text from pg_namespace where nspname = any(%(schemas)s)
"""

# Sequences of identity columns need no grants and follow their table's owner.
_RELATIONS = """
    select
        case relations.relkind when 'S' then 'sequence' when 'v' then 'view' else 'table' end,
        schemas.nspname::text, relations.relname::text, pg_get_userbyid(relations.relowner)::text
    from pg_class as relations
    inner join pg_namespace as schemas on schemas.oid = relations.relnamespace
    where schemas.nspname = any(%(schemas)s) and relations.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
        and not exists (
            select from pg_depend
            where classid = 'pg_class'::regclass and objid = relations.oid and deptype in ('i', 'a')
                and relations.relkind = 'S'
        )
"""

_FUNCTIONS = """
    select
        schemas.nspname::text, functions.proname::text, pg_get_userbyid(functions.proowner)::text,
        functions.oid::regprocedure::text
    from pg_proc as functions
    inner join pg_namespace as schemas on schemas.oid = functions.pronamespace
    where schemas.nspname = any(%(schemas)s)
"""

_SLOT_VIEWS = """
    select distinct views.relname::text
    from pg_class as views
    inner join pg_rewrite as rules on rules.ev_class = views.oid
    inner join pg_depend as depends
        on depends.classid = 'pg_rewrite'::regclass and depends.objid = rules.oid
        and depends.refclassid = 'pg_class'::regclass
    inner join pg_class as read_tables on read_tables.oid = depends.refobjid
    inner join pg_namespace as schemas
        on schemas.oid = read_tables.relnamespace and schemas.nspname in ('blue', 'green')
    where views.relnamespace = to_regnamespace('marts') and views.relkind = 'v'
"""

# Of our roles anywhere, and of everybody in the warehouse's schemas.
_GRANTS = """
    with given as (
        select 'database' as kind, '' as schema, datname::text as name, datacl as acl, datdba as owner
        from pg_database where datname = current_database()
        union all
        select 'schema', nspname, nspname, nspacl, nspowner from pg_namespace
        union all
        select
            case relations.relkind when 'S' then 'sequence' else 'table' end, nspname, relname, relacl, relowner
        from pg_class as relations inner join pg_namespace as schemas on schemas.oid = relations.relnamespace
        where relacl is not null
    )
    select given.kind, given.schema, given.name, coalesce(roles.rolname::text, 'public'), acl.privilege_type
    from given
    cross join aclexplode(given.acl) as acl
    left join pg_roles as roles on roles.oid = acl.grantee
    where acl.grantee <> given.owner
        and (roles.rolname = any(%(roles)s) or acl.grantee = 0 and given.schema = any(%(schemas)s))
"""

_DEFAULTS = """
    select
        pg_get_userbyid(defaults.defaclrole)::text, schemas.nspname::text,
        case defaults.defaclobjtype
            when 'r' then 'TABLES' when 'n' then 'SCHEMAS' when 'S' then 'SEQUENCES' else 'others'
        end,
        roles.rolname::text, acl.privilege_type
    from pg_default_acl as defaults
    cross join aclexplode(defaults.defaclacl) as acl
    inner join pg_roles as roles on roles.oid = acl.grantee
    left join pg_namespace as schemas on schemas.oid = defaults.defaclnamespace
    where roles.rolname = any(%(roles)s) and acl.grantee <> defaults.defaclrole
"""
