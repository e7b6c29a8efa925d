"""What a night writes and reads of a table in which few customers changed: `macros/kinds.sql`, on tables of its own."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROWS = 1000
#: Customer, a number that may be written in several ways, and what may be missing.
_row = st.tuples(
    st.sampled_from(["ann", "ben", "cam"]),
    st.sampled_from(["1.0", "1.00", "2"]),
    st.none() | st.sampled_from(["x", "y"]),
)


def _compiled(built: Any, text: str) -> str:
    return str(built.dbt("compile", "--inline", text).result.results[0].node.compiled_code)


@pytest.fixture(scope="module")
def statistics(corner: Any) -> str:
    """The hook, for the table ``inline_query`` of the slot."""
    return _compiled(corner, "{{ lifehouse.fresh_statistics() }}")


@pytest.fixture(scope="module")
def replace(corner: Any) -> str:
    columns = ", ".join(f"{{'name': '{name}'}}" for name in ("customer_id", "amount", "note"))
    relations = "'target_relation': 'pg_temp.target', 'temp_relation': 'pg_temp.fresh'"
    told = f"{{{relations}, 'dest_columns': [{columns}]}}"
    return _compiled(corner, f"{{{{ lifehouse.get_incremental_replace_customers_sql({told}) }}}}")


def test_statistics_are_left_alone_until_a_tenth_of_the_rows_changed(corner: Any, statistics: str) -> None:
    table = f"{corner.slot}.inline_query"

    def analyzed(*changes: str) -> int:
        """How often statistics were taken, after a night in a connection of its own."""
        with corner.ctx.warehouse.connect() as connection:
            for change in changes:
                connection.execute(change)
            connection.execute(statistics)
        return int(corner.ctx.warehouse.value(f"select pg_stat_get_analyze_count('{table}'::regclass)"))

    made = f"create table {table} as select n, n % 7 as m from generate_series(1, {ROWS}) as n"
    some = f"update {table} set m = m + 1 where n <= {{}}"
    try:
        assert analyzed(made) == 1, "a table without statistics"
        assert analyzed() == 1, "what filled it came before them"
        assert analyzed(some.format(60)) == 1, "60 rows of 1,000"
        assert analyzed() == 1
        assert analyzed(some.format(60)) == 2, "60 and 60: more than a tenth"
        assert analyzed() == 2
        assert analyzed(f"delete from {table} where n <= 300") == 3, "many at once, in this very transaction"
    finally:
        corner.ctx.warehouse.execute(f"drop table if exists {table}")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(held=st.lists(_row), fresh=st.lists(_row), changed=st.sets(st.sampled_from(["ann", "ben"])))
def test_changed_customers_have_their_new_rows_and_rows_that_stay_the_same_are_not_written(
    corner: Any,
    replace: str,
    held: list[tuple[Any, ...]],
    fresh: list[tuple[Any, ...]],
    changed: set[str],
) -> None:
    fresh = [row for row in fresh if row[0] in changed]
    with corner.ctx.warehouse.connect() as connection:
        connection.execute("create temporary table target (customer_id text, amount numeric, note text)")
        connection.execute("create temporary table fresh (like target)")
        with connection.cursor() as cursor:
            cursor.executemany("insert into target values (%s, %s, %s)", held)
            cursor.executemany("insert into fresh values (%s, %s, %s)", fresh)
        connection.execute("delete from control.run_customers where scope = 'slot'")
        connection.execute(
            "insert into control.run_customers (scope, customer_id) select 'slot', unnest(%s::text[])",
            [sorted(changed)],
        )
        before = dict(connection.execute("select ctid::text, target::text from target").fetchall())
        connection.execute(replace.encode())
        after = dict(connection.execute("select ctid::text, target::text from target").fetchall())
        expected = Counter([row for row in held if row[0] not in changed] + fresh)
        rows = connection.execute("select customer_id, amount::text, note from target").fetchall()
        assert Counter(rows) == expected
        if len({row[1] for row in (*held, *fresh)} & {"1.0", "1.00"}) < 2:  # equal, and not alike
            assert len(before.items() & after.items()) == (Counter(held) & expected).total()
        connection.rollback()
