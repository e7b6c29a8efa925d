"""What is served does not jump: stages, segments, consents, and what the orders of the night look like beside the earlier ones.

All of it is held against the published release. How grave a jump is says ``Candidate.severity``: it closes the gate on an
ordinary night, and is only kept where a year arrived at once.
"""

from __future__ import annotations

from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Rule, Severity, within

TABLES = ("stage_history", "segments", "customers", "orders")

#: Fewer than so many customers, or orders of a night, say nothing about a share.
_PEOPLE, _ORDERS = 100, 30
#: A younger company has too few weeks of recency to rank its customers by: whole groups change their value segment at once.
_YOUNG = "13 weeks"
_LOOK = (
    "see what arrived (`lifehouse loads`); reject a load that is wrong, or raise the bound in "
    "expectations/release/movement.py"
)


def expectations(candidate: Candidate, table: str) -> list[Rule]:
    return {"stage_history": _stages, "segments": _segments, "customers": _people, "orders": _orders}[table](
        candidate, candidate.table(table)
    )


def _pair(
    candidate: Candidate, name: str, figure: str, bounds: tuple[float, float], meaning: str
) -> list[Rule]:
    """A warning at the lower bound, a closed gate at the upper one."""
    wanted: tuple[tuple[str, float, Severity], ...] = (
        (name, bounds[0], "warning"),
        (f"{name}, much", bounds[1], "critical"),
    )
    return [
        within(
            named,
            figure,
            most=most,
            severity=candidate.severity(severity),
            meaning=f"{meaning} (at most {most:g})",
            what_to_do=_LOOK,
        )
        for named, most, severity in wanted
    ]


def _stages(candidate: Candidate, here: str) -> list[Rule]:
    before = candidate.before("stage_history", "lifecycle", "stage", "entered_at", "exited_at")
    if before is None or candidate.served is None:
        return []
    shares = """
        select lifecycle, stage, count(*)::numeric / sum(count(*)) over (partition by lifecycle) as share,
            sum(count(*)) over (partition by lifecycle) as customers
        from {} where entered_at <= {} and (exited_at is null or exited_at > {}) group by lifecycle, stage
    """
    moved = f"""(
        select max(moved) from (
            select sum(abs(coalesce(now.share, 0) - coalesce(was.share, 0))) / 2 as moved
            from ({shares.format(here, candidate.as_of, candidate.as_of)}) as now
            full join ({shares.format(before, candidate.as_of, candidate.as_of)}) as was using (lifecycle, stage)
            group by lifecycle having max(was.customers) >= {_PEOPLE}
        ) as lifecycles
    )"""
    return _pair(
        candidate,
        "stages move",
        moved,
        (0.1, 0.3),
        "the share of customers who are in another stage than the served release foresaw for this instant",
    )


def _segments(candidate: Candidate, here: str) -> list[Rule]:
    before = candidate.before("segments", "segment", "members", "family")
    orders = candidate.before("orders", "ordered_at")
    if before is None or orders is None:
        return []
    change = f"""(
        select max(greatest(now.members, was.members)::numeric / greatest(least(now.members, was.members), 1))
        from {here} as now full join {before} as was using (segment)
        where abs(coalesce(now.members, 0) - coalesce(was.members, 0)) > {_PEOPLE}
            and (
                coalesce(now.family, was.family) <> 'value'
                or (select min(ordered_at) from {orders}) < {candidate.as_of} - interval '{_YOUNG}'
            )
    )"""
    return _pair(
        candidate,
        "segments grow or shrink",
        change,
        (1.5, 3),
        "how many times as large or as small a segment became",
    )


def _people(candidate: Candidate, here: str) -> list[Rule]:
    found = []
    flags = {
        "consent to e-mail": "consent_email",
        "consent to text messages": "consent_sms",
        "customers with an address": "(email is not null or phone is not null)",
        "customers in the reporting currency": "orders_left_out = 0",
    }
    columns = ("consent_email", "consent_sms", "email", "phone", "orders_left_out")
    before = candidate.before("customers", *columns)
    if before is None:
        return []
    for name, flag in flags.items():
        share = f"select avg(({flag})::int) as share, count(*) as people from {{}}"
        change = f"""(
            select abs(now.share - was.share) from ({share.format(here)}) as now, ({share.format(before)}) as was
            where was.people >= {_PEOPLE}
        )"""
        found += _pair(candidate, name, change, (0.05, 0.2), "by how much of all customers the share changed")
    return found


def _orders(candidate: Candidate, here: str) -> list[Rule]:
    before = candidate.before("orders", "source", "status", "order_type", "ordered_at", "net_amount")
    if before is None or candidate.served is None:
        return []
    was = f"timestamptz '{candidate.served.as_of.isoformat()}'"
    sale = "status = 'completed' and order_type = 'sale'"
    recent = f"{sale} and ordered_at < {was} and ordered_at >= {was} - interval '60 days'"
    fresh = f"{sale} and ordered_at >= {was} and ordered_at < {candidate.as_of}"
    unlike = f"""(
        with usual as (
            select source, percentile_disc(0.01) within group (order by net_amount) as low,
                percentile_disc(0.99) within group (order by net_amount) as high
            from {before} where {recent} group by source having count(*) >= 10 * {_ORDERS}
        )
        select max(share) from (
            select greatest(avg((net_amount < low)::int), avg((net_amount > high)::int)) as share
            from {here} inner join usual using (source) where {fresh}
            group by source having count(*) >= {_ORDERS}
        ) as sources
    )"""
    hours = f"""
        select source, extract(hour from ordered_at at time zone '{candidate.time_zone}') as hour,
            count(*)::numeric / sum(count(*)) over (partition by source) as share,
            sum(count(*)) over (partition by source) as orders
        from {{}} where {{}} group by 1, 2
    """
    shifted = f"""(
        select max(moved) from (
            select sum(abs(coalesce(now.share, 0) - coalesce(usual.share, 0))) / 2 as moved
            from ({hours.format(here, fresh)}) as now
            full join ({hours.format(before, recent)}) as usual using (source, hour)
            group by source having max(now.orders) >= 2 * {_ORDERS} and max(usual.orders) >= 10 * {_ORDERS}
        ) as sources
    )"""
    past = f"select sum(net_amount) as revenue from {{}} where status = 'completed' and ordered_at < {was}"
    rewritten = f"""(
        select abs(now.revenue - usual.revenue) / nullif(abs(usual.revenue), 0)
        from ({past.format(here)}) as now, ({past.format(before)}) as usual
    )"""
    return [
        *_pair(
            candidate,
            "amounts of the new orders",
            unlike,
            (0.1, 0.25),
            "the share of new orders that are larger than 99 of 100 earlier ones, or smaller",
        ),
        *_pair(
            candidate,
            "hours of the new orders",
            shifted,
            (0.45, 0.6),
            "the share of new orders that fall into other hours of the day than the earlier ones",
        ),
        *_pair(
            candidate,
            "revenue of the past",
            rewritten,
            (0.02, 0.1),
            "the share of the revenue before the served release's as-of instant that is other than it was",
        ),
    ]
