"""The identity step, between dbt's staging and core: which customer each record belongs to, and who changed."""

from __future__ import annotations

from typing import Any

import pandas as pd
import psycopg

from lifehouse.build import graph
from lifehouse.context import Context
from lifehouse.releases.run import Run

_SEPARATOR = "\x1f"
_NEW_REFS = """
    select distinct keys.source, keys.key as customer_key from core.changed_keys as keys
    where keys.kind = 'customer' and keys.change_seq > %(core_from)s
"""


def resolve(ctx: Context, run: Run, core_from: int, *, full: bool) -> dict[str, int]:
    """Map every record to its customer and note the customers whose rows must be made again.

    Writes core.customer_refs, customer_registry, customer_merges, customer_changes and the run's scope ``core`` in
    control.run_customers, in one transaction: killed anywhere, the next run does it again with the same result.

    :returns: counts: records, customers, merged, cut (identifiers over the cap), changed (customers).
    """
    with ctx.warehouse.connect() as connection:
        refs = _refs(connection, core_from, full)
        counts = _map(connection, run, refs, full) if len(refs) else {"records": 0, "merged": 0, "cut": 0}
        counts["changed"] = _note_changes(connection, run, core_from, full)
        counts["customers"] = _value(connection, "select count(distinct customer_id) from core.customer_refs")
        return counts


def _refs(connection: psycopg.Connection[Any], core_from: int, full: bool) -> pd.DataFrame:
    query = "select source, customer_key from core.record_refs" if full else _NEW_REFS
    rows = connection.execute(query, {"core_from": core_from}).fetchall()
    return pd.DataFrame(rows, columns=["source", "customer_key"])


def _map(connection: psycopg.Connection[Any], run: Run, refs: pd.DataFrame, full: bool) -> dict[str, int]:
    current = {
        row[0] + _SEPARATOR + row[1]: row[2]
        for row in connection.execute("select source, customer_key, customer_id from core.customer_refs")
    }
    age: dict[str, int] = dict(
        connection.execute("select customer_id, first_run_id from core.customer_registry").fetchall()
    )
    identifiers = pd.DataFrame(
        connection.execute(
            "select source || %s || customer_key, kind || ':' || value from core.record_identifiers",
            [_SEPARATOR],
        ).fetchall(),
        columns=["ref", "identifier"],
    )
    asked = refs["source"] + _SEPARATOR + refs["customer_key"]
    itself = pd.DataFrame({"ref": asked, "identifier": "id:" + refs["source"] + ":" + refs["customer_key"]})
    if not full:  # records seen on earlier nights keep their place, with a profile or without
        known = pd.Series(list(current), dtype=object)
        parts = known.str.split(_SEPARATOR, n=1)
        itself = pd.concat(
            [itself, pd.DataFrame({"ref": known, "identifier": "id:" + parts.str[0] + ":" + parts.str[1]})],
            ignore_index=True,
        )
    component, cut = graph.components(pd.concat([identifiers, itself], ignore_index=True).drop_duplicates())
    assigned, retired = graph.assign(component, current, age)
    _store(connection, run, current, assigned, retired, full)
    return {"records": len(assigned), "merged": len(retired), "cut": len(cut)}


def _store(
    connection: psycopg.Connection[Any],
    run: Run,
    current: dict[str, str],
    assigned: dict[str, str],
    retired: dict[str, str],
    full: bool,
) -> None:
    moved = {ref: customer for ref, customer in assigned.items() if current.get(ref) != customer}
    gone = [ref for ref in current if ref not in assigned] if full else []
    connection.execute(
        "create temporary table moved (source text, customer_key text, customer_id text) on commit drop"
    )
    connection.execute("create temporary table retired (retired_id text, customer_id text) on commit drop")
    with connection.cursor().copy("copy moved from stdin") as copy:
        for ref, customer in moved.items():
            copy.write_row([*ref.split(_SEPARATOR, 1), customer])
        for ref in gone:
            copy.write_row([*ref.split(_SEPARATOR, 1), None])
    with connection.cursor().copy("copy retired from stdin") as copy:
        for pair in retired.items():
            copy.write_row(pair)
    run_parameters = {"run_id": run.run_id, "as_of": run.as_of, "change_to": run.change_seq}
    for statement in _STORE:
        connection.execute(statement, run_parameters if "%(" in statement else None)


_STORE = (
    # Those a record left and those it joins are both made again.
    """
    insert into core.customer_changes (change_seq, customer_id)
    select distinct %(change_to)s::bigint, customer_id
    from (
        select refs.customer_id from core.customer_refs as refs inner join moved using (source, customer_key)
        union
        select customer_id from moved where customer_id is not null
    ) as touched
    on conflict do nothing
    """,
    """
    insert into core.customer_registry (customer_id, first_run_id)
    select distinct moved.customer_id, %(run_id)s::bigint from moved where moved.customer_id is not null
    on conflict do nothing
    """,
    """
    update core.customer_registry as registry
    set retired_into = retired.customer_id, retired_run_id = %(run_id)s
    from retired where registry.customer_id = retired.retired_id
    """,
    """
    insert into core.customer_merges (run_id, as_of, retired_id, customer_id, cause)
    select %(run_id)s, %(as_of)s, retired.retired_id, retired.customer_id, coalesce(causes.cause, 'a chain of records')
    from retired
    left join lateral (
        select string_agg(distinct split_part(theirs.kind, ':', 1), ', ') as cause
        from core.customer_refs as their_refs
        inner join core.record_identifiers as theirs using (source, customer_key)
        inner join core.record_identifiers as ours on theirs.kind = ours.kind and theirs.value = ours.value
        inner join core.customer_refs as our_refs
            on ours.source = our_refs.source and ours.customer_key = our_refs.customer_key
        where their_refs.customer_id = retired.retired_id and our_refs.customer_id <> retired.retired_id
    ) as causes on true
    on conflict do nothing
    """,
    """
    delete from core.customer_refs as refs
    using moved
    where refs.source = moved.source and refs.customer_key = moved.customer_key and moved.customer_id is null
    """,
    """
    insert into core.customer_refs (source, customer_key, customer_id)
    select source, customer_key, customer_id from moved where customer_id is not null
    on conflict (source, customer_key) do update set customer_id = excluded.customer_id
    """,
    "analyze core.customer_refs",
)


def _note_changes(connection: psycopg.Connection[Any], run: Run, core_from: int, full: bool) -> int:
    """Follow the changed keys to customers, and set down whom this run replaces in core."""
    parameters = {"core_from": core_from, "change_to": run.change_seq}
    changed = "select customer_id from core.customer_registry" if full else _CHANGED_CUSTOMERS
    connection.execute(
        f"""
        insert into core.customer_changes (change_seq, customer_id)
        select distinct %(change_to)s::bigint, customer_id from ({changed}) as changed
        on conflict do nothing
        """,  # noqa: S608  one of two constants
        parameters,
    )
    connection.execute("delete from control.run_customers where scope = 'core'")
    connection.execute(
        """
        insert into control.run_customers (scope, customer_id)
        select distinct 'core', customer_id from core.customer_changes where change_seq > %(core_from)s
        """,
        parameters,
    )
    connection.execute("analyze control.run_customers")
    return _value(connection, "select count(*) from control.run_customers where scope = 'core'")


_CHANGED_CUSTOMERS = """
    select refs.customer_id
    from core.changed_keys as keys
    inner join core.customer_refs as refs on keys.source = refs.source and keys.key = refs.customer_key
    where keys.kind = 'customer' and keys.change_seq > %(core_from)s
    union
    select refs.customer_id
    from core.changed_keys as keys
    inner join contract.orders as orders on keys.source = orders.source and keys.key = orders.source_key
    inner join core.customer_refs as refs on orders.source = refs.source and orders.customer_key = refs.customer_key
    where keys.kind = 'order' and keys.change_seq > %(core_from)s
"""


def _value(connection: psycopg.Connection[Any], query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
