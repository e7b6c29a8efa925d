"""Identifiers that too many records share: ``core.cut_identifiers``. They name nobody and are not matched on."""

from __future__ import annotations

import json
from typing import Any

import psycopg

from lifehouse.identity.declaration import Identity


def cut(connection: psycopg.Connection[Any], identity: Identity, *, full: bool) -> None:
    """Work out which identifiers are over their cap: all of them, or those in ``touched``.

    Leaves the temporary table ``crossed`` (holder, kind, value): those that came over their cap or back under it.
    """
    caps = {"cap": identity.cap, "caps": json.dumps(identity.caps)}
    if full:
        connection.execute(
            "create temporary table counted (holder text, kind text, value text) on commit drop"
        )
        connection.execute("create temporary table crossed (like counted) on commit drop")
        connection.execute("delete from cut_identifiers where why = 'shared'")
        connection.execute(_CUT_ALL, caps)
        return
    for statement in _CUT_TOUCHED:
        connection.execute(statement, caps if "%(" in statement else None)


_CAP = "coalesce((%(caps)s::jsonb ->> split_part(kind, ':', 1))::int, %(cap)s)"

# Spellings of one record count once; few identifiers are over the cap in rows, so few are counted again.
_CUT_ALL = f"""
    insert into cut_identifiers (holder, kind, value, why, records)
    select holder, kind, value, 'shared', recounted.records
    from (
        select holder, kind, value from identifiers where reason is null
        group by holder, kind, value having count(*) > {_CAP}
    ) as many
    cross join lateral (
        select count(distinct (theirs.source, theirs.customer_key)) as records
        from identifiers as theirs
        where theirs.holder = many.holder and theirs.kind = many.kind and theirs.value = many.value
            and theirs.reason is null
    ) as recounted
    where recounted.records > {_CAP}
"""  # noqa: S608

_CUT_TOUCHED = (
    f"""
    create temporary table counted on commit drop as
    select identities.*, recounted.records, recounted.records > {_CAP} as is_over
    from (select distinct holder, kind, value from touched) as identities
    cross join lateral (
        select count(distinct (theirs.source, theirs.customer_key)) as records
        from identifiers as theirs
        where theirs.holder = identities.holder and theirs.kind = identities.kind
            and theirs.value = identities.value and theirs.reason is null
    ) as recounted
    """,  # noqa: S608
    """
    create temporary table crossed on commit drop as
    select holder, kind, value from counted
    left join cut_identifiers as cut using (holder, kind, value)
    where counted.is_over <> (cut.why is not null) and coalesce(cut.why, 'shared') = 'shared'
    """,
    """
    delete from cut_identifiers as cut using counted
    where cut.why = 'shared' and cut.holder = counted.holder and cut.kind = counted.kind and cut.value = counted.value
    """,
    """
    insert into cut_identifiers (holder, kind, value, why, records)
    select holder, kind, value, 'shared', records from counted where is_over
    """,
)
