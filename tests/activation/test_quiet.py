"""When a sync keeps quiet, and what it does all the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fault_receiver import Receiver
from pydantic import ValidationError
from rich.console import Console
from world import World

from lifehouse.activation import inspection, run
from lifehouse.activation.declaration import find_sync
from lifehouse.activation.plan import plan
from lifehouse.activation.preview import preview
from lifehouse.activation.quiet import QuietHours
from lifehouse.activation.show import show_plan
from lifehouse.activation.steps import Step
from lifehouse.errors import ConfigError

ZONES = {
    "c0001": "Etc/GMT+9",  # nine hours behind
    "c0002": "Etc/GMT-9",
    "c0003": "UTC",
    "c0004": "Mars/Base",
    "c0005": None,
}
NIGHT = QuietHours.model_validate({"begin": "21:00", "end": "8:00", "time_zone": "Europe/Berlin"})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2024-01-10 19:59", None),
        ("2024-01-10 20:00", "2024-01-11 07:00"),
        ("2024-01-11 06:59", "2024-01-11 07:00"),
        ("2024-01-11 07:00", None),
        ("2024-07-10 19:00", "2024-07-11 06:00"),  # summer time
        ("2024-03-30 22:00", "2024-03-31 06:00"),  # the clock is put forward that night
    ],
)
def test_quiet_hours_end_by_the_clock_of_their_zone(now: str, until: str | None) -> None:
    assert NIGHT.until(at(now), "UTC") == (at(until) if until else None)


def test_quiet_hours_may_lie_within_a_day_and_in_the_companys_zone() -> None:
    noon = QuietHours.model_validate({"begin": 12 * 60, "end": "13:30"})  # YAML reads 12:00 as a number
    assert noon.until(at("2024-01-10 11:15"), "Europe/Berlin") == at("2024-01-10 12:30")
    assert noon.until(at("2024-01-10 13:15"), "Europe/Berlin") is None
    for wrong in ({"begin": "25:00", "end": "8:00"}, {"begin": "8:00", "end": "8:00"}):
        with pytest.raises(ValidationError):
            QuietHours.model_validate(wrong)


def quiet(world: World, begin: timedelta, end: timedelta) -> None:
    now = datetime.now(UTC)
    hours = {"begin": f"{now + begin:%H:%M}", "end": f"{now + end:%H:%M}", "time_zone": "UTC"}
    world.declare(quiet_hours=hours)


HOUR = timedelta(hours=1)


def test_in_quiet_hours_only_removals_are_sent_and_the_rest_waits(world: World, receiver: Receiver) -> None:
    world.people(3)
    world.sync()
    world.leave(["c0001"])
    world.consent("c0003", "withdrawn")
    world.sql("update marts.customers set first_name = 'Anna' where customer_id = 'c0002'")
    quiet(world, -HOUR, HOUR)
    proposed = plan(world.ctx, "push")
    assert (proposed.quiet, proposed.changes, proposed.removes) == (1, 0, 2)
    done = world.sync()
    assert (done.changes, done.removes, done.confirmed) == (0, 2, 2)
    assert done.remark
    assert done.remark.startswith("1 row waits for the quiet hours to end at ")
    standing = inspection.standing(world.ctx, find_sync(world.ctx.project, "push"), "c0002")
    morning = find_sync(world.ctx.project, "push").quiet_until()
    told = (
        f"a sync after the quiet hours would change them, which end for them at {morning:%Y-%m-%d %H:%M} UTC"
    )
    assert standing.sentences[-1] == told
    assert world.sync().calls == 0
    quiet(world, HOUR, 2 * HOUR)
    assert world.sync().changes == 1
    assert receiver.held["push"]["c0002@example.com"]["name"] == "Anna"


def test_quiet_hours_that_begin_while_it_sends_stop_what_is_not_out_yet(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.people(3)
    quiet(world, HOUR, 2 * HOUR)
    hours = find_sync(world.ctx.project, "push")
    order = type(hours)
    begun: list[int] = []
    monkeypatch.setattr(run, "checkpoint", lambda step: begun.append(1) if step == Step.PLANNED else None)
    monkeypatch.setattr(
        order, "quiet_until", lambda self, now=None: datetime.now(UTC) + HOUR if begun else None
    )
    done = world.sync()
    assert (done.adds, done.confirmed) == (3, 0)
    assert done.remark
    assert done.remark.startswith("3 rows wait")
    assert not receiver.requests
    monkeypatch.undo()
    assert world.sync().confirmed == 3


@pytest.mark.parametrize(
    ("now", "asleep", "awake"),
    [
        ("2024-01-10 20:00", ["Europe/Berlin", "Asia/Tokyo"], ["Europe/London", "America/New_York"]),
        ("2024-01-11 07:00", ["Europe/London", "America/New_York"], ["Europe/Berlin", "Asia/Tokyo"]),
        ("2024-03-30 06:30", ["Europe/Berlin", "Europe/London"], []),
        ("2024-03-31 06:30", ["Europe/London"], ["Europe/Berlin"]),  # put forward that night
        ("2024-10-27 07:30", ["Europe/London", "America/New_York"], ["Europe/Berlin"]),  # put back
        ("2024-10-26 07:30", ["America/New_York"], ["Europe/London", "Europe/Berlin"]),
        ("2024-01-10 02:20", ["Asia/Karachi"], ["Asia/Kathmandu"]),  # 5:45 ahead
    ],
)
def test_it_is_quiet_by_the_clock_of_each_zone(now: str, asleep: list[str], awake: list[str]) -> None:
    told = NIGHT.asleep(at(now))
    assert not [zone for zone in asleep if zone not in told]
    assert not [zone for zone in awake if zone in told]
    assert all(at(now) < end <= at(now) + timedelta(hours=12) for end in told.values())


def test_a_country_of_several_zones_is_quiet_until_it_is_day_in_all_of_them() -> None:
    told = {"begin": "21:00", "end": "8:00", "zone_column": "country"}
    zones = {"US": ["America/New_York", "America/Los_Angeles"], "日本": "Asia/Tokyo"}
    hours = QuietHours.model_validate({**told, "zones": zones})
    assert "US" not in hours.asleep(at("2024-01-11 16:30"))  # half past eight in Los Angeles
    assert hours.asleep(at("2024-01-11 15:00"))["US"] == at("2024-01-11 16:00")  # ten in New York
    assert hours.asleep(at("2024-01-11 02:30"))["US"] == at(
        "2024-01-11 13:00"
    )  # half past six in Los Angeles
    assert "日本" in hours.asleep(at("2024-01-10 22:00"))
    with pytest.raises(ValidationError, match="unknown time zone 'Asia/Tokio'; did you mean 'Asia/Tokyo'"):
        QuietHours.model_validate({**told, "zones": {"JP": "Asia/Tokio"}})
    with pytest.raises(ValidationError, match="say in which column"):
        QuietHours.model_validate({"begin": "21:00", "end": "8:00", "zones": zones})


def by_their_clocks(world: World, begin: timedelta, end: timedelta) -> None:
    now = datetime.now(UTC)
    hours = {"begin": f"{now + begin:%H:%M}", "end": f"{now + end:%H:%M}", "time_zone": "UTC"}
    world.declare(quiet_hours={**hours, "zone_column": "zone", "zones": {"JP": "Etc/GMT-9"}})


def test_each_waits_for_their_own_morning_and_who_has_no_known_zone_for_the_syncs(
    world: World, receiver: Receiver
) -> None:
    world.sql("alter table marts.customers add column zone text")
    world.people(6)
    for customer, zone in ZONES.items():
        world.sql("update marts.customers set zone = %s where customer_id = %s", zone, customer)
    world.sql("update marts.customers set zone = 'JP' where customer_id = 'c0006'")
    by_their_clocks(world, 8 * HOUR, 10 * HOUR)  # it is quiet nine hours ahead
    proposed = plan(world.ctx, "push")
    assert (proposed.adds, proposed.quiet, proposed.zoneless) == (4, 2, 2)
    console, order = Console(record=True, width=200), find_sync(world.ctx.project, "push")
    show_plan(console, order, preview(world.ctx, order), [])
    assert "have no known time zone in zone; the clock of UTC counts" in console.export_text()
    done = world.sync()
    assert (done.adds, done.confirmed) == (4, 4)
    assert done.remark
    assert done.remark.startswith("2 rows wait")
    assert receiver.keys("push") == {f"c000{n}@example.com" for n in (1, 3, 4, 5)}

    world.sql("update marts.customers set first_name = 'Anna'")
    world.leave(["c0003"])
    by_their_clocks(world, -HOUR, HOUR)  # now it is the sync's own night
    done = world.sync()
    assert (done.adds, done.changes, done.removes, done.confirmed) == (2, 1, 1, 4)
    held = receiver.held["push"]
    assert {key[:5] for key, fields in held.items() if fields["name"] == "Anna"} == {
        "c0001",
        "c0002",
        "c0006",
    }
    assert world.sync().calls == 0
    by_their_clocks(world, HOUR, 2 * HOUR)
    assert world.sync().changes == 2


def test_a_night_that_begins_for_some_while_it_sends_keeps_them_back_alone(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.sql("alter table marts.customers add column zone text")
    world.people(4)
    world.sql("update marts.customers set zone = 'Etc/GMT-9' where customer_id in ('c0002', 'c0004')")
    by_their_clocks(world, 3 * HOUR, 4 * HOUR)

    def planned(step: Step) -> None:
        if step == Step.PLANNED:
            dark = dict.fromkeys(["Etc/GMT-9"], datetime.now(UTC) + HOUR)
            monkeypatch.setattr(QuietHours, "asleep", lambda self, now: dark)

    monkeypatch.setattr(run, "checkpoint", planned)
    done = world.sync()
    assert (done.adds, done.confirmed, done.withdrawn) == (4, 2, 2)
    assert receiver.keys("push") == {"c0001@example.com", "c0003@example.com"}
    assert done.remark
    assert done.remark.startswith("2 rows wait for the quiet hours to end at ")
    kept = "select reason, rows from marts.sync_rows where status = 'withdrawn'"
    [told] = world.ctx.warehouse.rows(kept)
    assert told["reason"].startswith("quiet: the night began there before it was sent; the next sync after")
    assert told["rows"] == 2
    standing = inspection.standing(world.ctx, find_sync(world.ctx.project, "push"), "c0002")
    assert standing.sentences[-1].startswith(
        "a sync after the quiet hours would add them, which end for them at "
    )
    assert [sent["reason"] for sent in standing.sent] == [told["reason"]]
    monkeypatch.undo()
    assert world.sync().confirmed == 2


def test_a_withdrawal_in_a_batch_goes_out_though_the_night_begins_and_who_may_no_longer_is_told_apart(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.people(4)
    world.leave(["c0003", "c0004"])
    quiet(world, HOUR, 2 * HOUR)
    world.sync()
    world.leave(["c0001"])
    world.join(["c0003", "c0004"])
    order = type(find_sync(world.ctx.project, "push"))

    def planned(step: Step) -> None:
        if step == Step.PLANNED:
            world.consent("c0004", "withdrawn")
            monkeypatch.setattr(order, "quiet_until", lambda self, now=None: datetime.now(UTC) + HOUR)

    monkeypatch.setattr(run, "checkpoint", planned)
    done = world.sync()
    assert (done.adds, done.removes, done.confirmed, done.withdrawn) == (2, 1, 1, 2)
    assert receiver.keys("push") == {"c0002@example.com"}
    assert done.remark
    assert done.remark.startswith("1 row waits")
    reasons = "select reason from marts.sync_rows where status = 'withdrawn' order by reason"
    first, second = (row["reason"] for row in world.ctx.warehouse.rows(reasons))
    assert (first, second.partition(":")[0]) == ("no longer allowed: no consent", "quiet")
    monkeypatch.undo()
    assert world.sync().adds == 1


def test_a_column_of_zones_that_there_is_not_is_told_of(world: World) -> None:
    world.declare(quiet_hours={"begin": "21:00", "end": "8:00", "zone_column": "stauts_stage"})
    with pytest.raises(ConfigError, match=r"quiet_hours.zone_column: .* did you mean 'status_stage'"):
        plan(world.ctx, "push")
