"""Whom a removal is of: its key alone, or also the fields, for a platform that matches people by any of them.

The fields are what is known of the person when the removal is planned; they are gone from the outbox once it is settled. A
removal has none if the person is not known any longer, or stays in the audience under another key.
"""

from __future__ import annotations

from psycopg import sql

from lifehouse.activation import recipients
from lifehouse.activation.declaration import Sync

_FIELDS = """case
        when differences.action <> 'remove' then differences.fields
        when customers.customer_id is not null and staying.customer_id is null then {fields}::text
    end"""
_JOINED = sql.SQL("""left join marts.customer_merges as merges on differences.customer_id = merges.retired_id
left join marts.customers as customers on customers.customer_id = coalesce(merges.customer_id, differences.customer_id)
left join members as staying
    on differences.action = 'remove' and staying.customer_id = customers.customer_id and staying.verdict = 'send'""")


def fields(sync: Sync, made: sql.Composable) -> sql.Composable:
    """The fields of a row of ``differences``; ``made`` makes them of a row of ``customers``."""
    if not sync.removals_have_fields:
        return sql.SQL("differences.fields")
    return sql.SQL(_FIELDS).format(fields=made)


def joined(sync: Sync) -> sql.Composable:
    """What :func:`fields` and :func:`recipients.is_quiet` read, beside ``differences``."""
    return _JOINED if sync.removals_have_fields else recipients.joined(sync)
