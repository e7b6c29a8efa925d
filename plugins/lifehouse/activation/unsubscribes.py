"""What platforms say themselves: who unsubscribed there is not sent anything by that channel until they grant it anew."""

from __future__ import annotations

from typing import Any

import psycopg

_REASON = "unsubscribed at the platform"
_STANDING = """
not exists (
    select from activation.suppressions as standing
    where standing.identifier_kind = 'customer' and standing.identifier = said.customer_id
        and standing.lifted_at is null and standing.account = said.account
        and standing.channel is not distinct from %(channel)s
        and standing.origin = 'platform' and standing.until is null
        and not exists (
            select from marts.consents as consents
            where consents.customer_id = said.customer_id and consents.status = 'granted'
                and consents.changed_at > standing.since
        )
)
"""
_REPORTED = f"""
insert into activation.suppressions
    (identifier_kind, identifier, channel, account, origin, yields_to_grant, reason, author)
select 'customer', said.customer_id, %(channel)s, said.account, 'platform', true, %(reason)s, said.account
from (
    select distinct batches.customer_ids[told.place] as customer_id, batches.account
    from unnest(%(batches)s::bigint[], %(places)s::integer[]) as told (batch_id, place)
    inner join activation.batches as batches using (batch_id)
) as said
where {_STANDING}
"""  # noqa: S608  no value of anybody's
#: Of the temporary table opted_out (key, id), who are ours.
_OPTED_OUT = f"""
select said.account, said.customer_id
from activation.records as said
where
    said.account = %(account)s and said.sync = %(sync)s and said.field_hash is not null
    and (
        said.platform_id in (select id from opted_out where id is not null)
        or lower(said.record_key) in (select lower(key) from opted_out where key is not null)
    )
    and {_STANDING}
group by said.account, said.customer_id
"""  # noqa: S608
_SUPPRESS_OPTED_OUT = f"""
insert into activation.suppressions
    (identifier_kind, identifier, channel, account, origin, yields_to_grant, reason, author)
select 'customer', found.customer_id, %(channel)s, found.account, 'platform', true, %(reason)s, found.account
from ({_OPTED_OUT}) as found
"""  # noqa: S608


def reported(cursor: psycopg.Cursor[Any], rows: list[tuple[int, int]], channel: str | None) -> None:
    """A platform said of these rows (batch, place) that their people unsubscribed there: until there is a newer grant."""
    batches, places = zip(*rows, strict=True)
    values = {"batches": list(batches), "places": list(places), "channel": channel, "reason": _REASON}
    cursor.execute(_REPORTED, values)


def read_back(cursor: psycopg.Cursor[Any], account: str, sync: str, channel: str, *, keep: bool) -> int:
    """How many of the sync's people unsubscribed there and are not suppressed for it yet, by the temporary table ``opted_out``.

    :param keep: suppress them, until there is a newer grant.
    """
    values = {"account": account, "sync": sync, "channel": channel, "reason": _REASON}
    return cursor.execute(_SUPPRESS_OPTED_OUT if keep else _OPTED_OUT, values).rowcount
