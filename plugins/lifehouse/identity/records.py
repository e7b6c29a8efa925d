"""``core.identifiers`` brought up to what the profiles say now: of changed records only what they changed is normalised."""

from __future__ import annotations

from typing import Any

import psycopg

from lifehouse.identity.filling import unindexed
from lifehouse.identity.normalise import Normaliser, family_of

_BATCH = 20_000


def keep(connection: psycopg.Connection[Any], normaliser: Normaliser, *, full: bool) -> None:
    """Replace what changed, of the records in the temporary table ``asked`` or (``full``) of all.

    Leaves the temporary table ``touched`` (holder, kind, value, source, customer_key): what is matched on now or was
    before, and is new or gone; empty if all is asked for, since then nobody asks what changed.
    """
    connection.execute("create temporary table rules (source text, family text, rule text) on commit drop")
    connection.execute(_SAID.format(told="profile_identifiers" if full else _OF_ASKED))
    places = connection.execute("select distinct source, split_part(kind, ':', 1) from said").fetchall()
    rules = {(source, family): normaliser.rule(source, family) for source, family in places}
    with connection.cursor().copy("copy rules from stdin") as copy:
        for place, rule in rules.items():
            copy.write_row((*place, rule))
    connection.execute("analyze said")
    connection.execute(_TOUCHED)
    if full:
        connection.execute(_DROP)
        with unindexed(connection, "identifiers"):
            _write(connection, normaliser, rules, "identifiers")
        connection.execute("analyze identifiers")
    else:
        connection.execute(_DROP_ASKED)
        connection.execute("create temporary table fresh (like identifiers) on commit drop")
        _write(connection, normaliser, rules, "fresh")
        connection.execute(_ADD)
    connection.execute("analyze touched")


def _write(
    connection: psycopg.Connection[Any],
    normaliser: Normaliser,
    rules: dict[tuple[str, str], str],
    table: str,
) -> None:
    """Normalise what is said and not stored, batch by batch; with each the name of its source's and family's rules.

    What is pending is set down first: a cursor's plan for an empty table would go through what is written meanwhile.
    """
    connection.execute(_PENDING)
    with connection.cursor("pending") as pending:
        pending.execute("select * from pending")
        while rows := pending.fetchmany(_BATCH):
            with connection.cursor().copy(f"copy {table} from stdin".encode()) as copy:
                for source, customer_key, holder, kind, written in rows:
                    normal = normaliser(source, kind, written)
                    rule = rules[source, family_of(kind)]
                    copy.write_row(
                        (source, customer_key, holder, kind, written, normal.value, normal.reason, rule)
                    )


_SAID = """
    create temporary table said on commit drop as
    select distinct source, customer_key, said.holder, said.kind, said.written
    from {told} as said
"""

# One by one: the planner would go through all records of all sources for some.
_OF_ASKED = """
    asked cross join lateral (
        select holder, kind, written from profile_identifiers as theirs
        where theirs.source = asked.source and theirs.customer_key = asked.customer_key
        offset 0
    )
"""

_TOUCHED = """
    create temporary table touched (holder text, kind text, value text, source text, customer_key text) on commit drop
"""

_SAME = """
    stored.source = said.source and stored.customer_key = said.customer_key
    and stored.holder = said.holder and stored.kind = said.kind and stored.written = said.written
"""

_DROP = f"""
    delete from identifiers as stored
    where not exists (
        select from said
        inner join rules on said.source = rules.source and split_part(said.kind, ':', 1) = rules.family
        where {_SAME} and stored.rule = rules.rule
    )
"""  # noqa: S608

_DROP_ASKED = f"""
    with gone as (
        {_DROP} and (stored.source, stored.customer_key) in (select source, customer_key from asked)
        returning *
    )
    insert into touched
    select holder, kind, value, source, customer_key from gone where value is not null and reason is null
"""  # noqa: S608

_PENDING = f"""
    create temporary table pending on commit drop as
    select * from said where not exists (select from identifiers as stored where {_SAME})
"""  # noqa: S608

_ADD = """
    with added as (insert into identifiers select * from fresh returning *)
    insert into touched
    select holder, kind, value, source, customer_key from added where value is not null and reason is null
"""
