"""What identity made of the records: counts, and what it did not match on. No personal values but where asked for."""

from __future__ import annotations

from typing import Any

from lifehouse.context import Context
from lifehouse.masks import shape


def summary(ctx: Context) -> dict[str, int]:
    """How many records, customers, customers of several records, and ids that were merged into others."""
    return ctx.warehouse.rows(_SUMMARY)[0]


def unmatched(ctx: Context) -> list[dict[str, Any]]:
    """What is not matched on, by source, kind and reason: identifiers and the records that carry them."""
    return ctx.warehouse.rows(_UNMATCHED)


def cut(ctx: Context, limit: int, *, values: bool) -> list[dict[str, Any]]:
    """The identifiers that were kept out because of who carries them, the most shared first.

    :param values: as they are; else only their shape.
    """
    rows = ctx.warehouse.rows(_CUT, (limit,))
    return rows if values else [row | {"identifier": shape(row["identifier"])} for row in rows]


_SUMMARY = """
    select coalesce(sum(records), 0)::bigint as records, count(*) as customers,
        count(*) filter (where records > 1) as of_several_records,
        (select count(*) from core.customer_registry where retired_into is not null) as merged
    from (select count(*) as records from core.customer_refs group by customer_id) as sizes
"""

_UNMATCHED = """
    select source, split_part(kind, ':', 1) as kind, reason, count(distinct coalesce(value, written)) as identifiers,
        count(distinct customer_key) as records
    from (
        select identifiers.source, identifiers.kind, identifiers.value, written, customer_key,
            coalesce(
                reason,
                case cut.why
                    when 'shared' then 'shared by too many records'
                    when 'apart' then 'it would join two who were declared apart'
                end
            ) as reason
        from core.identifiers as identifiers
        left join core.cut_identifiers as cut using (holder, kind, value)
    ) as judged
    where reason is not null
    group by source, split_part(kind, ':', 1), reason
    order by records desc, source, kind, reason
"""

_CUT = """
    select kind, value as identifier, why, records from core.cut_identifiers order by records desc, kind, value limit %s
"""
