"""Ids that stay with customers for life: what the components of the records are called, and the log of it.

A component keeps the oldest id among its records; the others retire into it. When one id stands in several
components (a correction split them), the one with the smallest record keeps it. An id is handed out once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

import psycopg

from lifehouse.identity.filling import unindexed


class Turn(Protocol):
    """What must be known of a run, or of a scratch build's step, on whose night ids are handed out and merged."""

    @property
    def run_id(self) -> int: ...
    @property
    def as_of(self) -> datetime: ...
    @property
    def change_seq(self) -> int: ...


def hint(connection: psycopg.Connection[Any], as_of: datetime) -> None:
    """In a scratch build: what the nights called the customers of records that have none here yet."""
    connection.execute("create temporary table hints on commit drop as " + _HINTS, {"as_of": as_of})


def assign(connection: psycopg.Connection[Any], run: Turn, *, full: bool) -> dict[str, int]:
    """Give every record of ``nodes`` the customer of its component in ``labels``, and keep the log.

    An id is made of the natural key of its customer's first record; salted where a customer who left that record
    behind still owns it.

    :returns: counts: records (looked at), merged (customers).
    """
    connection.execute(
        "create temporary table if not exists hints "
        "(source text, customer_key text, customer_id text, first_run_id bigint) on commit drop"
    )
    connection.execute(_CALLED)
    connection.execute(_PLACES)
    salt = 0
    while connection.execute(_NAMELESS).fetchone() == (True,):
        connection.execute(_NEW_ID, {"salt": f"|{salt}" if salt else ""})
        salt += 1
    connection.execute(_MOVED, {"full": full})
    connection.execute(_RETIRED)
    parameters = {"run_id": run.run_id, "as_of": run.as_of, "change_to": run.change_seq}
    with unindexed(connection, "customer_refs", "customer_ref_history", "customer_registry"):
        for statement in _STORE:
            connection.execute(statement, parameters if "%(" in statement else None)
    if connection.execute(_IS_MUCH).fetchone() == (True,):
        connection.execute("analyze customer_refs")
    counts = connection.execute(
        "select (select count(*) from nodes), (select count(*) from retired)"
    ).fetchone()
    assert counts is not None  # noqa: S101  it is one row
    return {"records": int(counts[0]), "merged": int(counts[1])}


# The id after the last night up to the instant, else the first that the record ever had.
_HINTS = """
    select distinct on (source, customer_key)
        nodes.source, nodes.customer_key, nights.customer_id, coalesce(registry.first_run_id, nights.run_id) as first_run_id
    from nodes
    inner join core.customer_ref_history as nights using (source, customer_key)
    left join control.runs as runs on nights.run_id = runs.run_id
    left join core.customer_registry as registry on nights.customer_id = registry.customer_id
    where nights.customer_id is not null
    order by
        nodes.source,
        nodes.customer_key,
        coalesce(runs.as_of <= %(as_of)s, true) desc,
        case when coalesce(runs.as_of <= %(as_of)s, true) then -nights.run_id else nights.run_id end
"""

# One order of records, whatever the collation of the database: it decides who keeps an id.
_CALLED = """
    create temporary table called on commit drop as
    select
        nodes.node, labels.component, nodes.source, nodes.customer_key, nodes.current,
        (nodes.source || E'\\x1f' || nodes.customer_key) collate "C" as ref,
        coalesce(nodes.current, hints.customer_id) as customer_id,
        coalesce(registry.first_run_id, hints.first_run_id, 0) as age
    from nodes
    inner join labels using (node)
    left join hints
        on nodes.current is null and nodes.source = hints.source and nodes.customer_key = hints.customer_key
        and not exists (select from customer_refs as held where held.customer_id = hints.customer_id)
    left join customer_registry as registry on coalesce(nodes.current, hints.customer_id) = registry.customer_id
"""

_PLACES = """
    create temporary table places on commit drop as
    with firsts as (
        select component, min(ref) as first_ref from called group by component
    ),
    claims as (
        select distinct on (called.customer_id) called.customer_id, called.component, called.age
        from called inner join firsts using (component)
        where called.customer_id is not null
        order by called.customer_id, firsts.first_ref
    ),
    keepers as (
        select distinct on (component) component, customer_id
        from claims order by component, age, customer_id collate "C"
    )
    select firsts.component, firsts.first_ref, keepers.customer_id, claimed.ids as claimed
    from firsts
    left join keepers using (component)
    left join (select component, array_agg(customer_id) as ids from claims group by component) as claimed
        using (component)
"""

_NAMELESS = "select exists (select from places where customer_id is null)"

_NEW_ID = """
    update places set customer_id = made.id
    from (
        select component, 'c_' || left(md5(first_ref || %(salt)s), 16) as id from places where customer_id is null
    ) as made
    where places.component = made.component
        and not exists (select from customer_registry as registry where registry.customer_id = made.id)
        and not exists (select from called where called.customer_id = made.id)
"""

_MOVED = """
    create temporary table moved on commit drop as
    select called.source, called.customer_key, places.customer_id
    from called inner join places using (component)
    where called.current is distinct from places.customer_id
    union all
    select source, customer_key, null from customer_refs as refs
    where %(full)s and not exists (
        select from nodes where nodes.source = refs.source and nodes.customer_key = refs.customer_key
    )
    union all
    select source, customer_key, null from gone inner join customer_refs using (source, customer_key)
"""

# An id that was only hinted at retires nobody.
_RETIRED = """
    create temporary table retired on commit drop as
    select claimed.id as retired_id, places.customer_id
    from places cross join unnest(places.claimed) as claimed (id)
    inner join customer_registry as registry on claimed.id = registry.customer_id
    where claimed.id <> places.customer_id
"""

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
    order by customer_id
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
        select string_agg(distinct kind, ', ') as cause
        from (
            select split_part(theirs.kind, ':', 1) as kind
            from customer_refs as their_refs
            inner join identifiers as theirs using (source, customer_key)
            inner join identifiers as ours using (holder, kind, value)
            inner join customer_refs as our_refs
                on ours.source = our_refs.source and ours.customer_key = our_refs.customer_key
            where their_refs.customer_id = retired.retired_id and our_refs.customer_id <> retired.retired_id
                and theirs.reason is null and ours.reason is null and not exists (
                    select from cut_identifiers as cut
                    where cut.holder = ours.holder and cut.kind = ours.kind and cut.value = ours.value
                )
            union all
            select 'a decision'
            from decided
            cross join lateral (
                values (source, customer_key, other_source, other_key), (other_source, other_key, source, customer_key)
            ) as ends (source, customer_key, their_source, their_key)
            inner join customer_refs as ours
                on ends.source = ours.source and ends.customer_key = ours.customer_key
            inner join customer_refs as theirs
                on ends.their_source = theirs.source and ends.their_key = theirs.customer_key
            where decided.verdict = 'same' and ours.customer_id = retired.retired_id
                and theirs.customer_id <> retired.retired_id
        ) as kinds
    ) as causes on true
    on conflict do nothing
    """,
    """
    delete from customer_refs as refs
    using moved
    where refs.source = moved.source and refs.customer_key = moved.customer_key
    """,
    """
    insert into customer_refs (source, customer_key, customer_id)
    select source, customer_key, customer_id from moved where customer_id is not null
    """,
    """
    delete from customer_ref_history as history
    using moved
    where history.source = moved.source and history.customer_key = moved.customer_key and history.run_id = %(run_id)s
    """,
    """
    insert into customer_ref_history (source, customer_key, run_id, customer_id)
    select source, customer_key, %(run_id)s, customer_id from moved
    """,
)

_IS_MUCH = """
    select 10 * (select count(*) from moved) > greatest(reltuples, 0)
    from pg_class where oid = 'customer_refs'::regclass
"""
