"""Readers under load: no error, no mixture and no wait for a lock while releases come and go."""

from __future__ import annotations

from tests.releases.conftest import MARTS, House

from lifehouse.releases.publish import rollback
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
                house.publish(number := number + 1)
                house.publish(number := number + 1)
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
