"""The ledger of alerts: one a run, one sender at a time, nothing lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from lifehouse.alerts import compose, ledger
from lifehouse.alerts.alert import Alert
from lifehouse.alerts.declaration import Channel, Event
from lifehouse.alerts.subject import Subject
from lifehouse.context import Context

MAIL = Channel(kind="mail", connection="mail", to=["team@example.org"], severity="warning")
PAGER = Channel(kind="webhook", connection="pager", events=[Event.FAILED, Event.RECOVERED])
CHANNELS = [MAIL, PAGER]
KEYS = [channel.key for channel in CHANNELS]


def _alert(event: Event, subject: str = "marts") -> Alert:
    return Alert(event, subject, f"{event.value}: {subject}", "Tiny", reasons=["orders: 3 of 9 rows"])


def _waiting(ctx: Context) -> list[tuple[str, Event]]:
    found = []
    while waiting := ledger.claim(ctx.warehouse, KEYS):
        found.append((waiting.channel, waiting.alert.event))
        ledger.sent(ctx.warehouse, waiting)
    return sorted(found)


def test_what_is_noted_again_of_the_same_run_is_told_once(ctx: Context) -> None:
    assert ledger.note(ctx.warehouse, _alert(Event.FAILED), "night 1", CHANNELS)
    assert ledger.note(ctx.warehouse, _alert(Event.FAILED), "night 1", CHANNELS) is None
    assert ledger.note(ctx.warehouse, _alert(Event.GATE_CLOSED), "night 1", CHANNELS) is None
    assert _waiting(ctx) == [("mail mail", Event.FAILED), ("webhook pager", Event.FAILED)]
    assert ledger.note(ctx.warehouse, _alert(Event.FAILED), "night 2", CHANNELS)
    assert len(_waiting(ctx)) == 2


def test_an_alert_comes_back_from_the_ledger_as_it_went_in(ctx: Context) -> None:
    alert = Alert(Event.LATE, "marts", "late", "Tiny", ["a"], ["b"], "me", ["c"], "d", {"run": "http://x"})
    ledger.note(ctx.warehouse, alert, "night", [MAIL])
    waiting = ledger.claim(ctx.warehouse, KEYS)
    assert waiting is not None
    assert waiting.alert == alert


def test_of_many_senders_at_once_each_alert_has_one(ctx: Context) -> None:
    for night in range(10):
        ledger.note(ctx.warehouse, _alert(Event.FAILED), f"night {night}", CHANNELS)

    def drain(_: int) -> list[tuple[int, str]]:
        taken = []
        while waiting := ledger.claim(ctx.warehouse, KEYS):
            taken.append((waiting.alert_id, waiting.channel))
        return taken

    with ThreadPoolExecutor(6) as pool:
        taken = [one for many in pool.map(drain, range(6)) for one in many]
    assert len(taken) == 20
    assert len(set(taken)) == 20


def test_a_sender_that_was_killed_loses_nothing(ctx: Context) -> None:
    ledger.note(ctx.warehouse, _alert(Event.FAILED), "night", [MAIL])
    assert ledger.claim(ctx.warehouse, KEYS)
    assert ledger.claim(ctx.warehouse, KEYS) is None  # it may still be sending
    ctx.warehouse.execute(
        "update control.alert_sends set lease_until = clock_timestamp() - interval '1 second'"
    )
    assert _waiting(ctx) == [("mail mail", Event.FAILED)]


def test_a_channel_that_fails_is_tried_later_then_given_up_and_shown(ctx: Context) -> None:
    ledger.note(ctx.warehouse, _alert(Event.FAILED), "night", [MAIL])
    for attempt in range(1, ledger.ATTEMPTS + 1):
        waiting = ledger.claim(ctx.warehouse, KEYS)
        assert waiting, attempt
        ledger.failed(ctx.warehouse, waiting, "HTTP 500")
        assert ledger.claim(ctx.warehouse, KEYS) is None
        (shown,) = ledger.unsent(ctx.warehouse)
        assert (shown["channel"], shown["error"]) == ("mail mail", "HTTP 500")
        assert shown["given_up"] == (attempt == ledger.ATTEMPTS)
        ctx.warehouse.execute("update control.alert_sends set lease_until = null")
    assert ledger.claim(ctx.warehouse, KEYS) is None


def test_a_recovery_is_told_once_and_only_where_the_trouble_was(ctx: Context) -> None:
    marts = Subject("marts")
    assert compose.recovered(ctx, marts) is None
    ledger.note(
        ctx.warehouse, _alert(Event.GATE_CLOSED), "night 1", CHANNELS
    )  # the pager does not want these
    ledger.note(ctx.warehouse, _alert(Event.FAILED, "sync champions"), "sync 1", CHANNELS)
    _waiting(ctx)
    over = compose.recovered(ctx, marts)
    assert over is not None
    assert "gate_closed: marts" in over.facts[0]
    ledger.note(ctx.warehouse, over, "night 2", CHANNELS)
    assert _waiting(ctx) == [("mail mail", Event.RECOVERED)]
    assert compose.recovered(ctx, marts) is None
    assert compose.recovered(ctx, Subject("sync", "champions")) is not None


def test_warnings_go_only_where_they_are_asked_for(ctx: Context) -> None:
    ledger.note(
        ctx.warehouse, _alert(Event.WARNINGS), "night", [MAIL, PAGER, Channel(kind="slack", connection="s")]
    )
    assert _waiting(ctx) == [("mail mail", Event.WARNINGS)]


@pytest.mark.parametrize("gate", ["release", "raw"])
def test_the_last_judgement_alone_is_told_and_counts_rows(ctx: Context, gate: str) -> None:
    about = {"release": ("run_id", 1, "marts"), "raw": ("load_id", 1, "source crm")}[gate]
    for success in (False, True, False):
        ctx.warehouse.execute(
            f"insert into control.quality_results (gate, {about[0]}, subject, expectation, severity, success, checked, "
            "failed, meaning, what_to_do, owner) values (%s, %s, 'orders', 'known', 'warning', %s, 9, 3, "
            "'each is known', 'look', 'shop-team')",
            (gate, about[1], success),
        )
    subject = Subject("marts") if gate == "release" else Subject("source", "crm")
    alert = compose.warnings(ctx, subject, **{about[0]: 1})
    assert alert is not None
    assert alert.reasons == ["orders: each is known (3 of 9 rows do not hold)"]
    assert alert.what_to_do == ["look"]
    ctx.warehouse.execute("update control.quality_results set success = true")
    assert compose.warnings(ctx, subject, **{about[0]: 1}) is None
