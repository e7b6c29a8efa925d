"""A quiet night costs what came that night, not what came before: counted in rows that Postgres read, not in seconds."""

from __future__ import annotations

from typing import Any

from support.staging import Macros

#: Rows of raw that this transaction has read so far, by whatever way.
READ = """
select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
from pg_stat_xact_user_tables where schemaname = 'raw_shop' and relname = 'orders'
"""
#: ``n`` more versions of each of 10,000 orders, in loads of their own, all older than what is there.
HISTORY = """
with loads as (
    insert into control.loads (source, status, decided_at, change_seq)
    select 'shop', 'accepted', now(), 0 from generate_series(1, {n}) returning load_id
)
insert into raw_shop.orders (order_id, amount, updated_at, _load_id, _loaded_at, _hash)
select order_id, load_id, '2019-01-01', load_id, now(), load_id
from loads, generate_series(1, 10000) as order_id
"""


def _night(shop: Any, shop_database: Any, amount: int) -> tuple[int, int]:
    """Rows of raw read to stage a night on which one order changed, and rows staged."""
    shop_database.run(f"update orders set amount = {amount}, updated_at = now() where order_id = 7")
    before = shop.value("select coalesce(max(change_seq), 0) from control.loads")
    loaded = shop.night().tables["orders"].loaded
    assert loaded <= 3, "the changed one, and what the overlap brings once more"
    with shop.ctx.warehouse.connect() as connection:
        connection.execute("delete from control.current_run")
        connection.execute(
            "insert into control.current_run select true, 1, now(), 'blue', max(change_seq), %s, 0 from control.loads",
            (before,),
        )
        start = connection.execute(READ).fetchone()
        staged = Macros(connection, "shop", "orders", ["order_id"], "order_id::text").touched()
        end = connection.execute(READ).fetchone()
    assert len(staged) == loaded
    assert start is not None
    assert end is not None
    return end[0] - start[0], loaded


def test_staging_a_quiet_night_does_not_read_history(shop: Any, shop_database: Any) -> None:
    shop.night()
    shop.ctx.warehouse.execute(HISTORY.format(n=1))
    _night(shop, shop_database, 1)  # the first one makes the index by which staging reads
    with shop.ctx.warehouse.connect(autocommit=True) as connection:
        connection.execute("analyze raw_shop.orders")
    short, _ = _night(shop, shop_database, 2)
    shop.ctx.warehouse.execute(HISTORY.format(n=9))
    with shop.ctx.warehouse.connect(autocommit=True) as connection:
        connection.execute("analyze raw_shop.orders")
    long, _ = _night(shop, shop_database, 3)
    print(f"rows read: {short} and, with ten times the history, {long}")
    assert short < 100, "the versions of three orders, read a few times"
    assert long < 300, "nine versions more of each; not ninety thousand rows"
