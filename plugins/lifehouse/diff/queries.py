"""The comparison's SQL: every query joins the two sides of one mart by its key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from lifehouse.diff.sides import Side


@dataclass(frozen=True)
class Pair:
    """Two sides; ``past`` is the earlier of their instants."""

    a: Side
    b: Side

    def mart(self, mart: str, key: Sequence[str], shared: Sequence[str], retyped: set[str]) -> sql.Composed:
        """One row: before, after, added, removed, changed, and ``c<n>`` for the n-th shared column."""
        differs = [_differs(column, as_text=column in retyped) for column in shared] or [_NEVER]
        counted = [
            sql.SQL("count(*) filter (where both_sides and {}) as {}").format(test, sql.Identifier(f"c{n}"))
            for n, test in enumerate(differs)
        ]
        return sql.SQL(
            """
            with a as ({a}),
            b as ({b}),
            joined as (
                select a.is_there and b.is_there as both_sides, a.is_there as in_a, b.is_there as in_b, {columns}
                from a full join b on {on}
            )
            select count(in_a) as before, count(in_b) as after,
                count(*) filter (where in_a is null) as added,
                count(*) filter (where in_b is null) as removed,
                count(*) filter (where both_sides and ({any})) as changed,
                {counted}
            from joined
            """
        ).format(
            a=self._side(self.a, mart, [*key, *shared]),
            b=self._side(self.b, mart, [*key, *shared]),
            columns=sql.SQL(", ").join(
                sql.SQL("a.{0} as {1}, b.{0} as {2}").format(
                    sql.Identifier(column), sql.Identifier(f"a_{column}"), sql.Identifier(f"b_{column}")
                )
                for column in [*key, *shared]
            ),
            on=_on(key),
            any=sql.SQL(" or ").join(differs),
            counted=sql.SQL(", ").join(counted),
        )

    def stages(self) -> sql.Composed:
        """Customers whose stage is another one at the other side's instant; null: they are not there at all."""
        now = sql.SQL(
            "select customer_id, lifecycle, stage from ({rows}) as stays "
            "where entered_at <= {as_of} and (exited_at is null or exited_at > {as_of})"
        )
        columns = sql.SQL("customer_id, lifecycle, stage, entered_at, exited_at")
        return sql.SQL(
            """
            select lifecycle, a.stage as from_stage, b.stage as to_stage, count(*) as customers
            from ({a}) as a full join ({b}) as b using (customer_id, lifecycle)
            where a.stage is distinct from b.stage
            group by lifecycle, a.stage, b.stage
            order by lifecycle, customers desc, from_stage nulls first, to_stage nulls first
            """
        ).format(
            a=now.format(rows=self.a.rows("stage_history", columns), as_of=sql.Literal(self.a.as_of)),
            b=now.format(rows=self.b.rows("stage_history", columns), as_of=sql.Literal(self.b.as_of)),
        )

    def segments(self) -> sql.Composed:
        """Each segment that has members on either side."""
        columns = sql.SQL("segment, customer_id, true as is_there")
        return sql.SQL(
            """
            select segment, count(a.is_there) as before, count(b.is_there) as after,
                count(*) filter (where a.is_there is null) as came, count(*) filter (where b.is_there is null) as left
            from ({a}) as a full join ({b}) as b using (segment, customer_id)
            group by segment order by segment
            """
        ).format(a=self.a.rows("segment_members", columns), b=self.b.rows("segment_members", columns))

    def revenue(self) -> sql.Composed:
        """Net revenue of each currency on both sides."""
        columns = sql.SQL("currency, net_revenue")
        summed = sql.SQL("select currency, sum(net_revenue) as amount from ({}) as totals group by currency")
        return sql.SQL(
            """
            select currency, coalesce(a.amount, 0) as before, coalesce(b.amount, 0) as after
            from ({a}) as a full join ({b}) as b using (currency) order by currency
            """
        ).format(
            a=summed.format(self.a.rows("sales_totals", columns)),
            b=summed.format(self.b.rows("sales_totals", columns)),
        )

    def past_stays(self) -> sql.Composed:
        """Stays that were over by then on one side and are not on the other."""
        columns = sql.SQL("customer_id, lifecycle, stage, entered_at, exited_at, true as is_there")
        over = sql.SQL("select * from ({rows}) as stays where exited_at <= {past}")
        return sql.SQL(
            """
            select count(a.is_there) as stays, count(*) filter (where b.is_there is null) as stays_gone,
                count(*) filter (where a.is_there is null) as stays_new,
                count(distinct customer_id) filter (where a.is_there is null or b.is_there is null) as customers
            from ({a}) as a full join ({b}) as b using (customer_id, lifecycle, stage, entered_at, exited_at)
            """
        ).format(
            a=over.format(rows=self.a.rows("stage_history", columns), past=self._past),
            b=over.format(rows=self.b.rows("stage_history", columns), past=self._past),
        )

    def past_orders(self) -> sql.Composed:
        """Orders placed by then."""
        facts = sql.SQL(
            "customer_id, order_type, status, currency, gross_amount, refund_amount, net_amount, lines"
        )
        columns = sql.SQL("source, order_key, ordered_at, {}").format(facts)
        placed = sql.SQL(
            "select *, md5(({facts})::text) as facts from ({rows}) as orders where ordered_at <= {past}"
        )
        row = sql.SQL("row({})").format(facts)
        return sql.SQL(
            """
            select count(a.facts) as orders,
                count(*) filter (where a.facts <> b.facts) as orders_changed,
                count(*) filter (where b.facts is null) as orders_gone,
                count(*) filter (where a.facts is null) as orders_new
            from ({a}) as a full join ({b}) as b using (source, order_key)
            """
        ).format(
            a=placed.format(facts=row, rows=self.a.rows("orders", columns), past=self._past),
            b=placed.format(facts=row, rows=self.b.rows("orders", columns), past=self._past),
        )

    def customer_ids(self, shared: Sequence[str], limit: int) -> sql.Composed:
        """``kind`` (added, removed, changed) and ``customer_id``, the first of each kind."""
        listed = [
            sql.SQL("{0}.{1}").format(sql.Identifier(s), sql.Identifier(c)) for s in "ab" for c in shared
        ]
        half = len(shared)
        return sql.SQL(
            """
            select kind, customer_id
            from (
                select kind, customer_id, row_number() over (partition by kind order by customer_id) as place
                from (
                    select customer_id,
                        case when a.is_there is null then 'added' when b.is_there is null then 'removed'
                            when row({a_columns}) is distinct from row({b_columns}) then 'changed' end as kind
                    from ({a}) as a full join ({b}) as b using (customer_id)
                ) as judged
                where kind is not null
            ) as placed
            where place <= {limit} order by kind, customer_id
            """
        ).format(
            a_columns=sql.SQL(", ").join(listed[:half]),
            b_columns=sql.SQL(", ").join(listed[half:]),
            a=self._side(self.a, "customers", ["customer_id", *shared]),
            b=self._side(self.b, "customers", ["customer_id", *shared]),
            limit=sql.Literal(limit),
        )

    @property
    def _past(self) -> sql.Composable:
        return sql.Literal(min(self.a.as_of, self.b.as_of))

    def _side(self, side: Side, mart: str, columns: Sequence[str]) -> sql.Composed:
        listed = sql.SQL(", ").join(map(sql.Identifier, columns))
        return side.rows(mart, sql.SQL("{}, true as is_there").format(listed))


_NEVER = sql.SQL("false").format()


def _on(key: Sequence[str]) -> sql.Composed:
    return sql.SQL(" and ").join(sql.SQL("a.{0} = b.{0}").format(sql.Identifier(column)) for column in key)


def _differs(column: str, *, as_text: bool) -> sql.Composed:
    test = "{}::text is distinct from {}::text" if as_text else "{} is distinct from {}"
    return sql.SQL(test).format(sql.Identifier(f"a_{column}"), sql.Identifier(f"b_{column}"))
