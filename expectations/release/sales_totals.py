"""Money in = money in the marts: every order, line and cent of the input contract, by source and currency."""

from __future__ import annotations

from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Rule, none

TABLES = ("sales_totals",)

_COMPARE = (
    "compare contract.orders and contract.order_lines with marts.orders for this source: orders of an unknown type or "
    "status, or a model that multiplies or loses rows"
)


def expectations(candidate: Candidate, table: str) -> list[Rule]:
    money = _money(candidate, table)
    return [
        none(
            "orders reconciled",
            money,
            "given_orders <> mart_orders or given_orders <> total_orders",
            detail=_which("given_orders", "mart_orders", "total_orders"),
            meaning="the orders of every source and currency in the contract, in orders and in sales_totals are as many",
            what_to_do=_COMPARE,
        ),
        none(
            "lines reconciled",
            money,
            "source_lines - left_out_lines <> source_mart_lines or mart_lines <> total_lines",
            detail=_which("source_lines", "left_out_lines", "source_mart_lines", "total_lines"),
            meaning="every order line of the contract that has an order is in the marts, once",
            what_to_do=_COMPARE,
        ),
        none(
            "revenue reconciled",
            money,
            "source_amount - left_out_amount <> source_mart_amount or mart_amount <> total_amount",
            detail=_which("source_amount", "left_out_amount", "source_mart_amount", "total_amount"),
            meaning="every cent of the contract's lines that have an order is in the marts, once",
            what_to_do=_COMPARE,
        ),
        none(
            "revenue reconciled by currency",
            money,
            "source_amount = source_mart_amount and not nameless and given_amount <> mart_amount",
            detail=_which("given_amount", "mart_amount"),
            meaning="lines are in the currency of their order",
            what_to_do="sums over mixed currencies are refused: let the staging models give lines and orders one currency",
        ),
        none(
            "guests reconciled",
            money,
            "guest_orders <> total_guest_orders or guest_amount <> total_guest_amount",
            detail=_which("guest_orders", "total_guest_orders", "guest_amount", "total_guest_amount"),
            meaning="what guests ordered is the same in orders and in sales_totals",
            what_to_do="the two models are of different builds: run again",
        ),
        none(
            "customers' sales reconciled",
            money,
            "customer_amount <> sales_amount or customer_orders <> sales_orders",
            detail=_which("customer_orders", "sales_orders", "customer_amount", "sales_amount"),
            meaning="customer_sales holds what known customers ordered, no more and no less",
            what_to_do="customers were missed when changes were followed: run with --full-refresh and report it",
        ),
        none(
            "lines without an order",
            money,
            "source_lines <> source_mart_lines",
            severity="warning",
            detail=_which("source_lines", "source_mart_lines"),
            meaning="every line has an order (those without are left out of all sums)",
            what_to_do="were orders quarantined? See `lifehouse quarantine`",
        ),
        none(
            "lines without an order, nearly",
            money,
            "source_lines - source_mart_lines > greatest(20, 0.01 * source_lines)",
            detail=_which("source_lines", "source_mart_lines"),
            meaning="at most 1% of a source's lines are without an order",
            what_to_do="orders are missing: see `lifehouse quarantine` and `lifehouse loads`",
        ),
    ]


def _which(*figures: str) -> str:
    """Source and currency, with the sums that differ: aggregates, never a value of one order."""
    shown = " || ' ' || ".join(f"'{name} ' || coalesce({name}, 0)" for name in figures)
    differ = " or ".join(f"{figures[0]} <> {name}" for name in figures[1:])
    code = "case when currency ~ '^[A-Z]{3}$' then currency else 'no ISO currency' end"
    return f"string_agg(source || ' ' || {code} || ': ' || {shown}, '; ') filter (where {differ})"


def _money(candidate: Candidate, table: str) -> str:
    """One row a source and currency: the contract (given_), orders (mart_), sales_totals (total_), customer_sales (sales_)."""
    orders, sales = candidate.table("orders"), candidate.table("customer_sales")
    known = "status = 'completed' and not is_guest"
    orphans = """
        from contract.order_lines as lines
        where lines.source = sums.source and not exists (
            select from contract.orders as orders
            where orders.source = lines.source and orders.source_key = lines.order_key
        )
    """
    return f"""(
        with lines as (
            select source, coalesce(currency, 'XXX') as currency, bool_or(currency is null) as nameless,
                sum(given_lines) as given_lines, sum(given_amount) as given_amount
            from (
                select source, currency, count(*) as given_lines, sum(amount) as given_amount
                from contract.order_lines group by 1, 2
            ) as named
            group by 1, 2
        ),
        documents as (
            select source, coalesce(currency, 'XXX') as currency, count(*) as given_orders
            from contract.orders group by 1, 2
        ),
        marts as (
            select source, currency, count(*) as mart_orders, sum(lines) as mart_lines, sum(net_amount) as mart_amount,
                count(*) filter (where is_guest) as guest_orders,
                coalesce(sum(net_amount) filter (where status = 'completed' and is_guest), 0) as guest_amount,
                count(*) filter (where {known}) as customer_orders,
                coalesce(sum(net_amount) filter (where {known}), 0) as customer_amount
            from {orders} group by 1, 2
        ),
        totals as (
            select source, currency, orders + refund_orders + cancelled_orders as total_orders, lines as total_lines,
                net_revenue + cancelled_amount as total_amount, guest_orders as total_guest_orders,
                guest_net_revenue as total_guest_amount
            from {candidate.table(table)}
        ),
        sales as (
            select source, currency, sum(orders + refund_orders) as sales_orders, sum(net_revenue) as sales_amount
            from {sales} group by 1, 2
        ),
        sums as (
            select source, currency, coalesce(bool_or(nameless) over all_of_it, false) as nameless,
                {_numbers("given_lines", "given_amount", "given_orders", "mart_orders", "mart_lines", "mart_amount")},
                {_numbers("guest_orders", "guest_amount", "customer_orders", "customer_amount")},
                {_numbers("total_orders", "total_lines", "total_amount", "total_guest_orders", "total_guest_amount")},
                {_numbers("sales_orders", "sales_amount")},
                coalesce(sum(given_lines) over all_of_it, 0) as source_lines,
                coalesce(sum(mart_lines) over all_of_it, 0) as source_mart_lines,
                coalesce(sum(given_amount) over all_of_it, 0) as source_amount,
                coalesce(sum(mart_amount) over all_of_it, 0) as source_mart_amount
            from lines
            full join documents using (source, currency)
            full join marts using (source, currency)
            full join totals using (source, currency)
            full join sales using (source, currency)
            window all_of_it as (partition by source)
        )
        select *,
            case when source_lines <> source_mart_lines then (select count(*) {orphans}) else 0 end as left_out_lines,
            case
                when source_amount <> source_mart_amount then (select coalesce(sum(amount), 0) {orphans}) else 0
            end as left_out_amount
        from sums
    ) as money"""


def _numbers(*columns: str) -> str:
    return ", ".join(f"coalesce({column}, 0) as {column}" for column in columns)
