"""People's words on pairs of records: the same person, or not. They win over the rules, from the next run on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from lifehouse.context import Context
from lifehouse.errors import LifehouseError

Verdict = Literal["same", "apart", "withdrawn"]
Record = tuple[str, str]  # source and customer_key


@dataclass(frozen=True)
class Decision:
    """The newest word on a pair. ``state``: in effect, next run, or overruled (others' words keep the two apart)."""

    verdict: Verdict
    records: tuple[Record, Record]
    reason: str
    decided_by: str
    decided_at: datetime
    state: str


def decide(
    ctx: Context, verdict: Verdict, one: str, other: str, *, by: str, reason: str
) -> tuple[Record, Record]:
    """Write down a word on two records, each ``source:key`` or a customer_id, which stands for its first record.

    :returns: the two records.
    :raises LifehouseError: a record is unknown, both are one, there is no reason, or nothing to withdraw.
    """
    if not reason.strip():
        raise LifehouseError("say why: a reason is kept with each decision")
    pair = sorted((_record(ctx, one), _record(ctx, other)))
    first, second = pair
    if first == second:
        raise LifehouseError(
            f"both name the record {':'.join(first)}; two records of one customer are named as SOURCE:KEY, see "
            "marts.customer_identifiers"
        )
    if verdict == "withdrawn" and ctx.warehouse.value(_NEWEST, (*first, *second)) in (None, "withdrawn"):
        raise LifehouseError(
            "nobody has decided anything about these two; see `lifehouse identity decisions`"
        )
    ctx.warehouse.execute(_WRITE, (verdict, *first, *second, reason.strip(), by))
    return first, second


def standing(ctx: Context) -> list[Decision]:
    """The newest word on each pair, the newest first; withdrawn ones are gone."""
    return [_decision(row) for row in ctx.warehouse.rows(_STANDING)]


def _decision(row: dict[str, Any]) -> Decision:
    holds = (
        row["one"] is not None
        and row["other"] is not None
        and (row["one"] == row["other"]) == (row["verdict"] == "same")
    )
    state = "next run" if row["change_seq"] > row["built"] else "in effect" if holds else "overruled"
    if row["one"] is None or row["other"] is None:
        state = "a record is gone"
    return Decision(
        row["verdict"],
        ((row["source"], row["customer_key"]), (row["other_source"], row["other_key"])),
        row["reason"],
        row["decided_by"],
        row["decided_at"],
        state,
    )


def _record(ctx: Context, name: str) -> Record:
    source, colon, key = name.partition(":")
    query, parameters = (_BY_RECORD, (source, key)) if colon else (_BY_CUSTOMER, (name,))
    found = ctx.warehouse.rows(query, parameters)
    if not found:
        raise LifehouseError(
            f"there is no {'record' if colon else 'customer'} {name}; name a record as SOURCE:KEY, or a customer by its id"
        )
    return found[0]["source"], found[0]["customer_key"]


_BY_RECORD = "select source, customer_key from core.customer_refs where source = %s and customer_key = %s"
_BY_CUSTOMER = """
    select source, customer_key from core.customer_refs where customer_id = %s
    order by (source || E'\\x1f' || customer_key) collate "C" limit 1
"""
_NEWEST = """
    select verdict from control.identity_decisions
    where (source, customer_key, other_source, other_key) = (%s, %s, %s, %s)
    order by change_seq desc limit 1
"""
_WRITE = """
    insert into control.identity_decisions
        (verdict, source, customer_key, other_source, other_key, reason, decided_by)
    values (%s, %s, %s, %s, %s, %s, %s)
"""
_STANDING = """
    select newest.*, ones.customer_id as one, others.customer_id as other,
        (select change_seq from control.core_state) as built
    from (
        select distinct on (source, customer_key, other_source, other_key) *
        from control.identity_decisions
        order by source, customer_key, other_source, other_key, change_seq desc
    ) as newest
    left join core.customer_refs as ones using (source, customer_key)
    left join core.customer_refs as others
        on newest.other_source = others.source and newest.other_key = others.customer_key
    where verdict <> 'withdrawn'
    order by change_seq desc
"""
