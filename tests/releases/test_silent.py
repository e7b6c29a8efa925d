"""A source that is read and comes with nothing is late in all but name: flagged, and waited for if it is required."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.releases.conftest import House

from lifehouse.ingest import decisions
from lifehouse.releases.late import Late, judge
from lifehouse.releases.run import begin

DAY = timedelta(days=1)
FIRST = datetime(2026, 2, 1, tzinfo=UTC)  # loads of the day before, at two
NIGHTS = 35


def _bring(house: House, night: int, rows: int = 100) -> None:
    """What was written on the day before is read at two."""
    read = FIRST + night * DAY + timedelta(hours=2)
    load = house.accept(age=datetime.now(UTC) - read)
    house.execute(f"update control.loads set decided_by = 'raw gate' where load_id = {load}")
    day = (read - DAY).date()
    for measure, total in (("rows", rows), ("newest", (read - 3 * timedelta(hours=1)).timestamp())):
        house.execute(
            "insert into control.load_profiles (load_id, table_name, day, column_name, measure, total, n) "
            f"values ({load}, 'orders', '{day}', '', '{measure}', {total}, 1)"
        )


def _answer(house: House, night: int) -> None:
    """The source says that nothing is new."""
    at = FIRST + night * DAY + timedelta(hours=2)
    house.execute(
        "insert into control.stations (station, subject, status, started_at) "
        f"values ('ingest', 'shop', 'done', '{at}')"
    )


def _as_of(night: int) -> datetime:
    return FIRST + night * DAY + timedelta(hours=3)


def _judge(house: House, night: int) -> list[Late]:
    with house.ctx.warehouse.connect() as connection:
        return judge(house.ctx, connection, _as_of(night))


def _declare(house: House, old: str, new: str) -> None:
    for file in (house.ctx.project.source_files[0], house.ctx.project.root / "lifehouse.yml"):
        file.write_text(file.read_text().replace(old, new))
    vars(house.ctx.project).pop("company", None)


@pytest.fixture
def told(house: House) -> House:
    """A shop that is asked, and brought a hundred orders every night; the last five nights have a run."""
    _declare(house, "kind: files", "kind: sql")
    _declare(house, 'files: "*.csv"', "cursor: at")
    _declare(house, "required: true}}", "required: true}, at: {type: timestamptz, required: true}}")
    for night in range(NIGHTS):
        _bring(house, night)
        if night >= NIGHTS - 5:
            assert begin(house.ctx, _as_of(night)).late_sources == []
    return house


def test_a_required_source_that_comes_with_nothing_holds_the_release_back_until_it_speaks(
    told: House,
) -> None:
    _answer(told, NIGHTS)
    (late,) = _judge(told, NIGHTS)
    assert (late.source, late.why, late.holds) == ("shop", "silent", True)
    assert late.sentence == (
        "source shop was read and has no record of 2026-03-07; usual are 100 a day, "
        "its newest is of 2026-03-06 23:00 UTC"
    )
    assert begin(told.ctx, _as_of(NIGHTS)).late_sources == ["shop"]
    _answer(told, NIGHTS + 1)
    assert [each.why for each in _judge(told, NIGHTS + 1)] == ["silent"], "it does not become usual"
    _bring(told, NIGHTS + 1)
    assert _judge(told, NIGHTS + 1) == []


def test_a_source_that_nobody_requires_or_that_has_rested_before_is_flagged_alone(told: House) -> None:
    _answer(told, NIGHTS)
    told.execute("delete from control.load_profiles where day = '2026-02-17'")
    assert [(each.why, each.holds) for each in _judge(told, NIGHTS)] == [("silent", False)]
    _declare(told, "cursor: at", "cursor: at\n    volume: {closed: [02-17]}")
    assert [(each.why, each.holds) for each in _judge(told, NIGHTS)] == [("silent", True)]
    _declare(told, "required_sources: [shop]", "required_sources: []")
    assert [(each.why, each.holds) for each in _judge(told, NIGHTS)] == [("silent", False)]
    _declare(told, "closed: [02-17]", "closed: [02-17, 2026-03-07]")
    assert _judge(told, NIGHTS) == []


def test_a_person_lets_a_silent_day_pass_and_not_the_next(told: House) -> None:
    _answer(told, NIGHTS)
    run = begin(told.ctx, _as_of(NIGHTS))
    told.execute(
        "insert into control.releases (run_id, slot, as_of, fingerprint, change_seq, published_by) "
        f"select run_id, slot, as_of, fingerprint, change_seq, 'ann' from control.runs where run_id = {run.run_id}"
    )
    assert [(each.why, each.holds) for each in _judge(told, NIGHTS)] == [("silent", False)]
    _answer(told, NIGHTS + 1)
    assert [(each.why, each.holds) for each in _judge(told, NIGHTS + 1)] == [("silent", True)]


def test_a_source_that_was_not_asked_is_late_and_not_silent(told: House) -> None:
    assert [each.why for each in _judge(told, NIGHTS)] == ["missed"]


def test_a_person_who_takes_back_what_is_served_is_not_held_up_by_the_silence_that_it_leaves(
    told: House,
) -> None:
    newest, _ = told.value("select max(load_id) from control.loads"), _answer(told, NIGHTS)
    decisions.settle(told.ctx, newest, "rejected", by="ann")  # type: ignore[arg-type]
    assert [(each.why, each.holds) for each in _judge(told, NIGHTS)] == [("silent", True)]
    told.execute(
        "with shown as ("
        "insert into control.releases (run_id, slot, as_of, fingerprint, change_seq) "
        "select run_id, slot, as_of, fingerprint, change_seq from control.runs order by run_id desc limit 1 returning *) "
        "insert into control.published (slot, release_id, as_of, published_at) select slot, release_id, as_of, now() from shown"
    )
    assert [(each.why, each.holds) for each in _judge(told, NIGHTS)] == [("silent", False)]
