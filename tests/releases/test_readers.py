"""Readers under load: no error, no mixture and no wait for a lock while releases come and go."""

from __future__ import annotations

import threading
import time

import psycopg
from tests.releases.conftest import MARTS, House

from lifehouse.releases.publish import publish, rollback
from support.readers import LockWatch, Readers

CONNECTIONS, PUBLICATIONS = 8, 50
READ = ("letters", "numbers")


def test_fifty_releases_come_and_go_under_eight_readers(house: House) -> None:
    house.accept()
    house.publish(1)
    house.publish(2)
    number, reshaped = 2, 0
    with (
        LockWatch(house.ctx.warehouse.url) as locks,
        Readers(house.ctx.warehouse.url, READ, CONNECTIONS) as bi,
    ):
        for turn in range(1, PUBLICATIONS + 1):
            locks.doing = "switching"
            if turn % 10 == 0:  # another shape: the copies are dropped and made anew, the views change by DDL
                locks.doing = "changing the shape"
                reshaped += 1
                house.change_code(str(turn))
                for _ in range(2):  # each copy; back to the first columns every other time
                    number += 1
                    _publish_other_columns(house, number) if reshaped % 2 else house.publish(number)
            elif turn % 5 == 3:
                rollback(house.ctx, marts=MARTS)
            else:
                house.publish(number := number + 1)
    assert bi.problems == []
    assert reshaped == 5
    assert len(bi.looks) > 200
    assert len({look.releases[0] for look in bi.looks}) > 20
    assert locks.samples > 200
    assert [seconds for doing, seconds in locks.waits if doing == "switching"] == []
    assert all(seconds < 1 for _, seconds in locks.waits)


def test_other_columns_are_shown_view_by_view_and_published_by_the_row_alone(house: House) -> None:
    house.accept()
    house.publish(1)
    house.publish(2)
    house.change_code("other columns")
    _publish_other_columns(house, 3)
    assert house.served() == {3}
    assert _columns(house) == {"letters": ["release", "letter", "note"], "numbers": ["release", "word"]}
    assert house.ctx.warehouse.rows("select distinct note, release from marts.letters") == [
        {"note": "new", "release": 3}
    ]
    assert house.value(
        "select count(distinct xmin::text) = 3 and bool_and(xmin <> (select xmin from control.published)) "
        "from pg_class where relnamespace = 'marts'::regnamespace and relname = any(%s)",
        list(MARTS),
    )


def test_a_reader_of_the_release_before_keeps_its_columns_and_rows(house: House) -> None:
    house.accept()
    house.publish(1)
    house.publish(2)
    house.change_code("other columns")
    with psycopg.connect(house.ctx.warehouse.url) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("select 1")  # its snapshot is from before
        thread = threading.Thread(target=_publish_other_columns, args=(house, 3))
        thread.start()
        while house.served() == {2}:
            time.sleep(0.02)
        seen = reader.execute("select release, number, word from marts.numbers where number = 7").fetchall()
        reader.commit()
        thread.join(60)
    assert seen == [(2, 7, None)]
    assert _columns(house)["numbers"] == ["release", "word"]


def _publish_other_columns(house: House, number: int) -> None:
    """A mart gains a column, another loses one and gains one of another name."""
    run = house.build(number)
    house.execute(
        f"alter table {run.slot}.letters add note text default 'new'; "
        f"alter table {run.slot}.numbers drop column number; alter table {run.slot}.numbers add word text"
    )
    publish(house.ctx, run.run_id, MARTS)


def _columns(house: House) -> dict[str, list[str]]:
    rows = house.ctx.warehouse.rows(
        "select attrelid::regclass::text as name, array_agg(attname::text order by attnum) as columns "
        "from pg_attribute where attrelid = any('{marts.letters,marts.numbers}'::regclass[]) and attnum > 0 group by 1"
    )
    return {row["name"].removeprefix("marts."): row["columns"] for row in rows}
