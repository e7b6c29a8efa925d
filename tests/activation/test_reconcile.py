"""What platforms hold is read back, compared with what we believe, and put right where we are wrong; others' people stay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fault_receiver import Fault, Receiver
from simulated import Fault as VendorFault
from simulated import Simulated
from typer.testing import CliRunner
from vendors import VENDORS, Mailchimp, MetaAudiences
from world import World

from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.platforms import catalog
from lifehouse.activation.reconcile import reconcile
from lifehouse.activation.run import sync
from lifehouse.cli.app import build
from lifehouse.context import Context
from lifehouse.errors import ConfigError, PlatformError

DECLARED = {vendor.name: catalog.find(vendor.name, Path()) for vendor in VENDORS}
READABLE = [vendor for vendor in VENDORS if DECLARED[vendor.name].members]
LISTED = [vendor for vendor in READABLE if not DECLARED[vendor.name].members.asks]
#: Where one who unsubscribed is told of when they are read back.
TELLING = [
    vendor
    for vendor in READABLE
    if DECLARED[vendor.name].opted_out or DECLARED[vendor.name].members.unsubscribed
]


def company(make_context: Callable[..., Context], vendor: Simulated, tmp_path: Path) -> World:
    connection = PlatformConnection(vendor.url, vendor.login, vendor.secret, vendor.extra)
    world = World.founded(make_context, tmp_path / "project", connection)
    sending = {"backoff": "10ms", "attempts": 4, "per_second": 500}
    declared = {"options": vendor.options, "fields": vendor.fields, "sending": sending, **vendor.sync}
    world.declare(platform=vendor.name, **declared)
    return world


def sides(found: object) -> tuple[int, ...]:
    return tuple(getattr(found, name) for name in ("there", "ours", "both_hold", "only_here", "only_there"))


@pytest.mark.parametrize("kind", READABLE, ids=lambda kind: kind.name)
def test_what_somebody_changed_there_is_found_and_put_right(
    make_context: Callable[..., Context], tmp_path: Path, kind: type[Simulated]
) -> None:
    with kind() as vendor:
        world = company(make_context, vendor, tmp_path)
        keys = world.people(23)
        world.sync()
        world.sql("update activation.records set platform_id = null where record_key < 'c0009'")
        vendor.take("own@platform.example", {}, member=True)
        vendor.take("friend@platform.example", {}, member=True)
        vendor.members -= {keys[1], keys[12], keys[22]}
        vendor.forget(keys[3])
        world.leave(["c0023", "c0022"])
        vendor.faults.extend(
            [VendorFault(429, {"Retry-After": "0"}), VendorFault(500), VendorFault(reset=True)]
        )
        found = reconcile(world.ctx, "push", world.connection)
        others = 2 if kind in LISTED else 0
        assert sides(found) == (19 + others, 23, 19, 4, others)
        assert (found.to_send_again, found.to_add, found.resent, found.gone) == (3, 0, 0, 0)
        assert [one.customer_id for one in found.examples] == ["c0002", "c0004", "c0013", "c0023"] + [
            None
        ] * others
        assert world.sync().removes == 2, "looking changed what we believe"
        world.join(["c0023"])

        found = reconcile(world.ctx, "push", world.connection, repair=True)
        assert (found.only_here, found.resent, found.gone) == (3, 3, 0)
        done = world.sync()
        assert (done.adds, done.removes) == (4, 0)
        assert vendor.members == set(keys) - {keys[21]} | {"own@platform.example", "friend@platform.example"}
        if kind is Mailchimp:
            found = reconcile(world.ctx, "push", world.connection, repair=True)
            assert sides(found) == (22 + others, 22, 22, 0, others)
            assert world.sync().calls == 0


def test_who_left_and_is_gone_there_is_forgotten_without_a_call(world: World, receiver: Receiver) -> None:
    world.declare(options={"members": "/members"})
    keys = world.people(30)
    world.sync()
    world.leave(["c0001"])
    for key in keys[:2]:
        del receiver.held["push"][key]
    receiver.held["push"]["own@platform.example"] = {}
    receiver.faults.append(Fault(500))
    found = reconcile(world.ctx, "push", world.connection, repair=True)
    assert (*sides(found), found.resent, found.gone) == (29, 30, 28, 2, 1, 1, 1)
    done = world.sync()
    assert (done.adds, done.changes, done.removes) == (1, 0, 0)
    assert receiver.keys("push") == {*keys[1:], "own@platform.example"}
    [kept] = world.ctx.warehouse.rows("select there, only_here, resent, gone from activation.reconciliations")
    assert kept == {"there": 29, "only_here": 2, "resent": 1, "gone": 1}


def test_what_is_in_flight_is_not_judged(world: World, receiver: Receiver) -> None:
    world.declare(options={"members": "/members"}, sending={"backoff": "1ms", "attempts": 2})
    world.people(3)
    world.sync()
    world.leave(["c0001"])
    receiver.faults.extend([Fault(500, applied=True)] * 2)
    with pytest.raises(PlatformError):
        world.sync()
    found = reconcile(world.ctx, "push", world.connection, repair=True)
    assert (*sides(found), found.in_flight, found.gone) == (2, 3, 2, 0, 0, 1, 0)


@pytest.mark.parametrize("kind", TELLING, ids=lambda kind: kind.name)
def test_who_unsubscribed_there_is_found_and_suppressed(
    make_context: Callable[..., Context], tmp_path: Path, kind: type[Simulated]
) -> None:
    with kind() as vendor:
        world = company(make_context, vendor, tmp_path)
        keys = world.people(7)
        world.sync()
        vendor.take("own@platform.example", {}, member=True)
        vendor.unsubscribed = {keys[1], keys[5], "own@platform.example"}
        if kind is Mailchimp:
            assert reconcile(world.ctx, "push", world.connection).unsubscribed == 2
            suppressed = "select count(*) from activation.suppressions"
            assert world.ctx.warehouse.value(suppressed) == 0, "looking changed what we believe"
        assert reconcile(world.ctx, "push", world.connection, repair=True).unsubscribed == 2
        if kind is Mailchimp:
            assert reconcile(world.ctx, "push", world.connection, repair=True).unsubscribed == 0
        assert world.sync().removes == 2
        assert vendor.members == set(keys) - {keys[1], keys[5]} | {"own@platform.example"}


def test_an_unsubscription_from_mail_says_nothing_of_another_channel(
    make_context: Callable[..., Context], tmp_path: Path
) -> None:
    with Mailchimp() as vendor:
        world = company(make_context, vendor, tmp_path)
        keys = world.people(3)
        world.declare(
            platform=vendor.name,
            options=vendor.options,
            fields=vendor.fields,
            consent="none",
            reason_without_consent="they bought it",
        )
        world.sync()
        vendor.unsubscribed = {keys[1]}
        assert reconcile(world.ctx, "push", world.connection, repair=True).unsubscribed == 0
        assert world.sync().calls == 0


@pytest.mark.parametrize("kind", LISTED, ids=lambda kind: kind.name)
def test_pages_that_shift_while_they_are_read_lose_nobody(
    make_context: Callable[..., Context], tmp_path: Path, kind: type[Simulated]
) -> None:
    with kind() as vendor:
        world = company(make_context, vendor, tmp_path)
        world.people(23)
        for number in range(4):
            vendor.take(f"own{number}@platform.example", {}, member=True)
        world.sync()
        vendor.between_pages.extend(
            [
                lambda: vendor.members.discard("own0@platform.example"),
                lambda: vendor.take("new@platform.example", {}, member=True),
                lambda: vendor.members.__isub__({"own1@platform.example", "own2@platform.example"}),
            ]
        )
        found = reconcile(world.ctx, "push", world.connection)
        assert (found.ours, found.both_hold, found.only_here) == (23, 23, 0)
        assert found.only_there in (3, 4, 5)


def test_a_sync_reads_back_by_itself_when_it_is_time_and_mends_in_the_same_run(
    make_context: Callable[..., Context], tmp_path: Path
) -> None:
    with Mailchimp() as vendor:
        world = company(make_context, vendor, tmp_path)
        declared = {"options": vendor.options, "fields": vendor.fields, "read_back": "7d"}
        world.declare(platform=vendor.name, sending={"backoff": "1ms", "attempts": 2}, **declared)
        keys = world.people(9)
        assert world.sync().remark is None  # nobody is there yet
        vendor.members -= {keys[2]}
        vendor.unsubscribed = {keys[4]}
        done = world.sync()
        assert (done.adds, done.removes) == (1, 1)
        assert done.remark == "1 sent again, 1 unsubscribed there, and suppressed"
        assert vendor.members == set(keys) - {keys[4]}
        vendor.members -= {keys[3]}
        assert world.sync().calls == 0, "it read back again before its time"

        world.sql("update activation.reconciliations set ended_at = ended_at - interval '8 days'")
        world.leave(["c0001"])
        vendor.faults.extend([VendorFault(500)] * 2)
        done = world.sync()
        assert (done.removes, done.adds) == (1, 0)
        assert done.remark
        assert done.remark.startswith("it could not be read back who is there: the platform does not answer")
        assert world.sync().adds == 1
        [seen] = world.ctx.warehouse.rows(
            "select is_repair, unsubscribed, resent from marts.reconciliations order by reconciliation_id limit 1"
        )
        assert seen == {"is_repair": True, "unsubscribed": 1, "resent": 1}


def test_who_cannot_be_read_back_is_not_asked_to_be(
    make_context: Callable[..., Context], tmp_path: Path
) -> None:
    with MetaAudiences() as vendor:
        world = company(make_context, vendor, tmp_path)
        world.declare(
            platform=vendor.name,
            options=vendor.options,
            fields=vendor.fields,
            read_back="7d",
            **vendor.sync,
        )
        with pytest.raises(
            ConfigError, match=r"push.yml:\d+: read_back: meta_audiences cannot be read back: Meta"
        ):
            world.sync()


def test_a_list_that_never_stands_still_is_told_of(
    make_context: Callable[..., Context], tmp_path: Path
) -> None:
    with Mailchimp() as vendor:
        world = company(make_context, vendor, tmp_path)
        world.people(12)
        world.sync()
        names = [f"own{number:02}@platform.example" for number in range(30)]
        vendor._ids |= {name: str(number + 1) for number, name in enumerate(names)}
        vendor.members |= set(names)
        vendor.between_pages.extend([lambda name=name: vendor.members.discard(name) for name in names])  # type: ignore[misc]
        with pytest.raises(PlatformError, match="moved while it was read, 5 times in a row"):
            reconcile(world.ctx, "push", world.connection)


def test_a_platform_that_cannot_be_read_says_so(make_context: Callable[..., Context], tmp_path: Path) -> None:
    with MetaAudiences() as vendor:
        world = company(make_context, vendor, tmp_path)
        with pytest.raises(PlatformError, match=r"meta_audiences cannot be read back: Meta .* tells nobody"):
            reconcile(world.ctx, "push", world.connection)


def test_an_endpoint_that_was_not_told_where_its_list_is_says_what_to_write(world: World) -> None:
    with pytest.raises(
        PlatformError, match=r"webhook cannot be read back: .* do not say `members: /members`"
    ):
        reconcile(world.ctx, "push", world.connection)
    world.declare(read_back="7d")
    with pytest.raises(ConfigError, match=r"push.yml:\d+: read_back: webhook cannot be read back"):
        world.sync()


def test_every_platform_that_ships_can_be_read_back_or_says_why_not() -> None:
    for path in catalog.SHIPPED.glob("*.yml"):
        declared = catalog.find(path.stem, Path())
        assert declared
        assert (declared.members is None) == bool(declared.unreadable), path.stem


def test_the_file_with_everybody_is_read_back(world: World) -> None:
    options = {"folder": "drop", "full_state": True}
    world.declare(platform="csv_drop", connection=None, options=options)
    world.people(3)
    sync(world.ctx, "push")
    file = world.ctx.home.path / "drop" / "push.full.csv"
    file.write_text("\n".join(file.read_text().splitlines()[:-1]) + "\n")
    assert sides(reconcile(world.ctx, "push")) == (2, 3, 2, 1, 0)
    file.unlink()
    assert sides(reconcile(world.ctx, "push")) == (0, 3, 0, 3, 0)


def test_the_command_line_shows_counts_and_nobody(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare(options={"members": "/members"})
    keys = world.people(3)
    world.sync()
    del receiver.held["push"][keys[0]]
    receiver.held["push"]["own@platform.example"] = {}
    monkeypatch.setenv("LIFEHOUSE_PROJECT", str(world.ctx.project.root))
    monkeypatch.setenv("LIFEHOUSE_HOME", str(world.ctx.home.path))
    monkeypatch.setenv("LIFEHOUSE_WAREHOUSE_URL", world.ctx.warehouse.url)
    told = (
        f'{{"conn_type": "http", "host": "{world.connection.url}", "password": "{world.connection.secret}"}}'
    )
    monkeypatch.setenv("AIRFLOW_CONN_RECEIVER", told)
    shown = CliRunner().invoke(build(), ["sync", "reconcile", "push"], catch_exceptions=False)
    assert shown.exit_code == 1
    assert "the platform told 3 rows, we believe it holds 3" in shown.output
    assert "only here: c0001 (like a9999@aaaaaaa.aaa)" in shown.output
    assert "example" not in shown.output
    mended = CliRunner().invoke(build(), ["sync", "reconcile", "push", "--repair"], catch_exceptions=False)
    assert mended.exit_code == 0
    assert "1 are sent again by the next sync" in mended.output
