"""The identity step, between dbt's staging and core: which customer each record belongs to, and who changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

import pandas as pd
import psycopg

from lifehouse.build import graph
from lifehouse.build.place import Place
from lifehouse.context import Context

_SEPARATOR = "\x1f"
_NEW_REFS = """
    select distinct keys.source, keys.key as customer_key from changed_keys as keys
    where keys.kind = 'customer' and keys.change_seq > %(core_from)s
"""

# In a scratch build: the id after the last night up to the instant, else the first that the record ever had.
_HINTS = """
    select distinct on (asked.source, asked.customer_key)
        asked.source, asked.customer_key, nights.customer_id, coalesce(registry.first_run_id, nights.run_id)
    from ({asked}) as asked
    inner join core.customer_ref_history as nights using (source, customer_key)
    left join control.runs as runs on nights.run_id = runs.run_id
    left join core.customer_registry as registry on nights.customer_id = registry.customer_id
    where nights.customer_id is not null
    order by
        asked.source,
        asked.customer_key,
        coalesce(runs.as_of <= %(as_of)s, true) desc,
        case when coalesce(runs.as_of <= %(as_of)s, true) then -nights.run_id else nights.run_id end
"""


class Turn(Protocol):
    """What the step must know of a run, or of a scratch build's step."""

    @property
    def run_id(self) -> int: ...
    @property
    def as_of(self) -> datetime: ...
    @property
    def change_seq(self) -> int: ...


def resolve(ctx: Context, run: Turn, core_from: int, place: Place, *, full: bool) -> dict[str, int]:
    """Map every record to its customer and note the customers whose rows must be made again.

    Writes the place's customer_refs with their history, customer_registry, customer_merges, customer_changes and
    the scope ``core`` in run_customers, in one transaction: killed anywhere, the next run does it again with the
    same result. A scratch build calls customers as the nights up to its instant did, where records agree.

    :returns: counts: records, customers, merged, cut (identifiers over the cap), changed (customers).
    """
    with ctx.warehouse.connect() as connection:
        connection.execute("select set_config('search_path', %s, true)", (place.search_path,))
        refs = _refs(connection, core_from, full)
        hints = _hints(connection, run, core_from, full) if place.is_scratch else {}
        counts = (
            _map(connection, run, refs, hints, full) if len(refs) else {"records": 0, "merged": 0, "cut": 0}
        )
        counts["changed"] = _note_changes(connection, run, core_from, full)
        counts["customers"] = _value(connection, "select count(distinct customer_id) from customer_refs")
        return counts


def _refs(connection: psycopg.Connection[Any], core_from: int, full: bool) -> pd.DataFrame:
    query = "select source, customer_key from record_refs" if full else _NEW_REFS
    rows = connection.execute(query, {"core_from": core_from}).fetchall()
    return pd.DataFrame(rows, columns=["source", "customer_key"])


def _hints(
    connection: psycopg.Connection[Any], run: Turn, core_from: int, full: bool
) -> dict[str, tuple[str, int]]:
    """What the nights called the customer of each record that is asked about, and the run that handed out the id."""
    query = _HINTS.format(asked="select source, customer_key from record_refs" if full else _NEW_REFS)
    rows = connection.execute(query, {"core_from": core_from, "as_of": run.as_of})
    return {source + _SEPARATOR + key: (customer, first) for source, key, customer, first in rows}


def _map(
    connection: psycopg.Connection[Any],
    run: Turn,
    refs: pd.DataFrame,
    hints: dict[str, tuple[str, int]],
    full: bool,
) -> dict[str, int]:
    current = {
        row[0] + _SEPARATOR + row[1]: row[2]
        for row in connection.execute("select source, customer_key, customer_id from customer_refs")
    }
    age: dict[str, int] = dict(
        connection.execute("select customer_id, first_run_id from customer_registry").fetchall()
    )
    identifiers = pd.DataFrame(
        connection.execute(
            "select source || %s || customer_key, kind || ':' || value from record_identifiers",
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
    held = set(current.values())
    called = {ref: customer for ref, (customer, _) in hints.items() if customer not in held}
    assigned, retired = graph.assign(component, called | current, age | dict(hints.values()))
    if hints:  # an id that was only hinted at retires nobody
        retired = {old: new for old, new in retired.items() if old in age}
    _store(connection, run, current, assigned, retired, full)
    return {"records": len(assigned), "merged": len(retired), "cut": len(cut)}


def _store(
    connection: psycopg.Connection[Any],
    run: Turn,
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
    insert into customer_changes (change_seq, customer_id)
    select distinct %(change_to)s::bigint, customer_id
    from (
        select refs.customer_id from customer_refs as refs inner join moved using (source, customer_key)
        union
        select customer_id from moved where customer_id is not null
    ) as touched
    on conflict do nothing
    """,
    """
    insert into customer_registry (customer_id, first_run_id)
    select distinct moved.customer_id, %(run_id)s::bigint from moved where moved.customer_id is not null
    on conflict do nothing
    """,
    """
    update customer_registry as registry
    set retired_into = retired.customer_id, retired_run_id = %(run_id)s
    from retired where registry.customer_id = retired.retired_id
    """,
    """
    insert into customer_merges (run_id, as_of, retired_id, customer_id, cause)
    select %(run_id)s, %(as_of)s, retired.retired_id, retired.customer_id, coalesce(causes.cause, 'a chain of records')
    from retired
    left join lateral (
        select string_agg(distinct split_part(theirs.kind, ':', 1), ', ') as cause
        from customer_refs as their_refs
        inner join record_identifiers as theirs using (source, customer_key)
        inner join record_identifiers as ours on theirs.kind = ours.kind and theirs.value = ours.value
        inner join customer_refs as our_refs
            on ours.source = our_refs.source and ours.customer_key = our_refs.customer_key
        where their_refs.customer_id = retired.retired_id and our_refs.customer_id <> retired.retired_id
    ) as causes on true
    on conflict do nothing
    """,
    """
    delete from customer_refs as refs
    using moved
    where refs.source = moved.source and refs.customer_key = moved.customer_key and moved.customer_id is null
    """,
    """
    insert into customer_refs (source, customer_key, customer_id)
    select source, customer_key, customer_id from moved where customer_id is not null
    on conflict (source, customer_key) do update set customer_id = excluded.customer_id
    """,
    """
    insert into customer_ref_history (source, customer_key, run_id, customer_id)
    select source, customer_key, %(run_id)s, customer_id from moved
    on conflict (source, customer_key, run_id) do update set customer_id = excluded.customer_id
    """,
    "analyze customer_refs",
)


def _note_changes(connection: psycopg.Connection[Any], run: Turn, core_from: int, full: bool) -> int:
    """Follow the changed keys to customers, and set down whom this run replaces in core."""
    parameters = {"core_from": core_from, "change_to": run.change_seq}
    changed = "select customer_id from customer_registry" if full else _CHANGED_CUSTOMERS
    connection.execute(
        f"""
        insert into customer_changes (change_seq, customer_id)
        select distinct %(change_to)s::bigint, customer_id from ({changed}) as changed
        on conflict do nothing
        """,  # noqa: S608  one of two constants
        parameters,
    )
    connection.execute("delete from run_customers where scope = 'core'")
    connection.execute(
        """
        insert into run_customers (scope, customer_id)
        select distinct 'core', customer_id from customer_changes where change_seq > %(core_from)s
        """,
        parameters,
    )
    connection.execute("analyze run_customers")
    return _value(connection, "select count(*) from run_customers where scope = 'core'")


_CHANGED_CUSTOMERS = """
    select refs.customer_id
    from changed_keys as keys
    inner join customer_refs as refs on keys.source = refs.source and keys.key = refs.customer_key
    where keys.kind = 'customer' and keys.change_seq > %(core_from)s
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
"""


def _value(connection: psycopg.Connection[Any], query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
