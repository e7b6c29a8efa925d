"""The identity step, between dbt's staging and core: which customer each record belongs to, and who changed."""

from __future__ import annotations

from typing import Any

import psycopg

from lifehouse.build.place import Place
from lifehouse.context import Context
from lifehouse.identity import assign, links, records, shared
from lifehouse.identity.assign import Turn
from lifehouse.identity.links import Span
from lifehouse.identity.normalise import Normaliser
from lifehouse.ingest.declaration import load_source


def resolve(
    ctx: Context, run: Turn, core_from: int, place: Place, *, decisions: Span, full: bool
) -> dict[str, int]:
    """Map every record to its customer and note the customers whose rows must be made again.

    Writes the place's identifiers, cut_identifiers, customer_refs with their history, customer_registry,
    customer_merges, customer_changes and the scope ``core`` in run_customers, in one transaction: killed anywhere,
    the next run does it again with the same result. A scratch build calls customers as the nights up to its instant
    did, where records agree. What does not touch the graph costs nothing of it.

    :param decisions: which of people's words on pairs of records count.
    :returns: counts: records (looked at), customers, merged, cut (identifiers over their cap), apart (identifiers left
        out to keep two apart), changed (customers).
    """
    with ctx.warehouse.connect() as connection:
        connection.execute("select set_config('search_path', %s, true)", (place.search_path,))
        _ask(connection, core_from, full=full)
        _keep(ctx, connection, full=full)
        links.decide(connection, decisions)
        links.gather(connection, full=full)
        counts = {"apart": links.label(connection, full=full)}
        if place.is_scratch:
            assign.hint(connection, run.as_of)
        counts |= assign.assign(connection, run, full=full)
        counts["cut"] = _value(connection, "select count(*) from cut_identifiers where why = 'shared'")
        counts["changed"] = _note_changes(connection, run, core_from, full)
        counts["customers"] = _value(connection, "select count(distinct customer_id) from customer_refs")
        return counts


def remember(ctx: Context, place: Place) -> None:
    """Fill identifiers and cut_identifiers of a place in which who is who is already set down."""
    with ctx.warehouse.connect() as connection:
        connection.execute("select set_config('search_path', %s, true)", (place.search_path,))
        _keep(ctx, connection, full=True)


def normaliser(ctx: Context) -> Normaliser:
    """The rules of the company and its sources."""
    sources = [load_source(path) for path in ctx.project.source_files]
    return Normaliser(ctx.project.company.identity, {each.source: each.phone_region for each in sources})


def _ask(connection: psycopg.Connection[Any], core_from: int, *, full: bool) -> None:
    parameters = {"core_from": core_from, "some": not full}
    for statement in (_ASKED, _GONE):
        connection.execute(statement, parameters)
    connection.execute("analyze asked")
    connection.execute("analyze gone")


def _keep(ctx: Context, connection: psycopg.Connection[Any], *, full: bool) -> None:
    records.keep(connection, normaliser(ctx), full=full)
    shared.cut(connection, ctx.project.company.identity, full=full)


def _note_changes(connection: psycopg.Connection[Any], run: Turn, core_from: int, full: bool) -> int:
    """Follow the changed keys to customers, and set down whom this run replaces in core."""
    parameters = {"core_from": core_from, "change_to": run.change_seq}
    changed = "select customer_id from customer_registry" if full else _CHANGED_CUSTOMERS
    connection.execute(
        f"""
        insert into customer_changes (change_seq, customer_id)
        select distinct %(change_to)s::bigint, customer_id from ({changed}) as changed
        order by customer_id
        on conflict do nothing
        """,  # noqa: S608  one of two constants
        parameters,
    )
    connection.execute("truncate run_customers")  # dead rows of great nights would be read in all later ones
    connection.execute(
        """
        insert into run_customers (scope, customer_id)
        select distinct 'core', customer_id from customer_changes where change_seq > %(core_from)s
        order by customer_id
        """,
        parameters,
    )
    connection.execute("analyze run_customers")
    return _value(connection, "select count(*) from run_customers where scope = 'core'")


# A full build asks for the records of all tables, and has them from record_refs.
_ASKED = """
    create temporary table asked on commit drop as
    select distinct source, key as customer_key from changed_keys
    where kind = 'customer' and change_seq > %(core_from)s and %(some)s
"""

# Whom a table named and no table names any more: looked up one by one, since few go and record_refs is everybody.
_GONE = """
    create temporary table gone on commit drop as
    select source, customer_key
    from (
        select
            missed.source, missed.customer_key,
            exists (
                select from record_refs as refs
                where refs.source = missed.source and refs.customer_key = missed.customer_key
            ) as is_there
        from (
            select distinct source, key as customer_key from changed_keys
            where kind = 'gone' and change_seq > %(core_from)s and %(some)s
        ) as missed
        offset 0
    ) as looked_up
    where not is_there
"""

# Whose own records changed, and whose identifiers are matched on now and were not, or the other way.
_CHANGED_CUSTOMERS = """
    select refs.customer_id
    from asked inner join customer_refs as refs using (source, customer_key)
    union
    select refs.customer_id
    from changed_keys as keys
    inner join orders as orders on keys.source = orders.source and keys.key = orders.source_key
    inner join customer_refs as refs on orders.source = refs.source and orders.customer_key = refs.customer_key
    where keys.kind = 'order' and keys.change_seq > %(core_from)s
    union
    select refs.customer_id
    from changed_keys as keys
    inner join record_cookies as cookies on keys.key = cookies.cookie
    inner join customer_refs as refs on cookies.source = refs.source and cookies.customer_key = refs.customer_key
    where keys.kind = 'cookie' and keys.change_seq > %(core_from)s
    union
    select refs.customer_id
    from crossed
    inner join identifiers as theirs using (holder, kind, value)
    inner join customer_refs as refs using (source, customer_key)
    where theirs.reason is null
    union
    select refs.customer_id
    from parted inner join nodes using (node) inner join customer_refs as refs using (source, customer_key)
"""


def _value(connection: psycopg.Connection[Any], query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
