"""The compiled SQL agrees with the naive walk, to the row and the microsecond."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecycles import drawing, reference
from lifecycles.reference import Event
from lifecycles.warehouse import fill, histories
from lifehouse.lifecycles.declaration import FOLDER, Lifecycle
from lifehouse.project import INSTALLATION

QUIET = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
LIFE = [
    *("view", "cart", "chat", "follow_up_held", "ticket_opened", "ticket_solved", "referral_made", "review"),
    *("subscription_started", "subscription_renewed", "subscription_notice_given"),
    *("subscription_notice_withdrawn", "subscription_ended"),
    *("product_installed", "product_used", "product_maintained", "product_upgraded", "product_removed"),
]
SHIPPED = sorted((INSTALLATION / FOLDER).glob("*.yml"))
MICROSECOND = timedelta(microseconds=1)


@settings(QUIET, max_examples=250)
@given(declared=drawing.lifecycles, customers=drawing.customers, shuffle=st.randoms(use_true_random=False))
def test_random_rules_on_random_customers_agree_with_the_naive_walk(
    timeline: psycopg.Connection[Any],
    declared: dict[str, Any],
    customers: list[list[Event]],
    shuffle: random.Random,
) -> None:
    by_name = {f"c{number}": events for number, events in enumerate(customers)}
    expected = {name: reference.history(declared, events) for name, events in by_name.items()}
    for events in by_name.values():
        shuffle.shuffle(events)
    fill(timeline, by_name)
    assert histories(timeline, Lifecycle.model_validate(declared)) == expected


@settings(QUIET, max_examples=120)
@given(declared=drawing.meeting, seed=st.integers(0, 2**32))
def test_windows_that_meet_on_one_day_agree_with_the_naive_walk(
    timeline: psycopg.Connection[Any], declared: dict[str, Any], seed: int
) -> None:
    dice = random.Random(seed)
    customers = {f"c{number}": drawing.regular(dice) for number in range(30)}
    expected = {name: reference.history(declared, events) for name, events in customers.items()}
    fill(timeline, customers)
    assert histories(timeline, Lifecycle.model_validate(declared)) == expected


@settings(QUIET, max_examples=60)
@given(declared=drawing.lifecycles, events=drawing.customers)
def test_a_stage_never_changes_between_the_points_of_the_history(
    declared: dict[str, Any], events: list[list[Event]]
) -> None:
    for one in events:
        order = sorted(one, key=lambda event: (event.at, event.id))
        found = reference.history(declared, order)
        for interval in found:
            last = interval.exited_at or interval.entered_at + timedelta(days=40)
            steps = int((last - interval.entered_at) / timedelta(hours=6))
            inside = [interval.entered_at + step * timedelta(hours=6) for step in range(steps)]
            for instant in [*inside, last - MICROSECOND]:
                assert reference.stage_at(declared, order, instant) == interval.stage


def test_two_thousand_shoppers_agree_with_the_naive_walk_in_every_shipped_lifecycle(
    timeline: psycopg.Connection[Any],
) -> None:
    customers = {f"c{number}": shopper(random.Random(number)) for number in range(2000)}
    fill(timeline, customers)
    assert SHIPPED
    for path in SHIPPED:
        declared = reference.without_names(yaml.safe_load(path.read_text(encoding="utf-8")))
        found = histories(timeline, Lifecycle.model_validate(declared))
        stages = {interval.stage for intervals in found.values() for interval in intervals}
        assert stages == set(declared["precedence"])
        for name, events in customers.items():
            assert found[name] == reference.history(declared, events), (path.stem, name)


def shopper(dice: random.Random) -> list[Event]:
    """Up to a year and a half of a shopper: rushes, pauses, orders on the very edges of the windows."""
    pace = dice.choice([1, 5, 20, 60, 90])
    at, events = drawing.START, []
    for number in range(dice.choice([0, 1, 2, 3, 15, 30])):
        at += timedelta(days=dice.choice([0, 1, pace, pace, 60, 90, 180][: dice.choice([3, 4, 7])]))
        at += dice.choice([timedelta(0), MICROSECOND, -MICROSECOND, timedelta(hours=dice.randrange(24))])
        kind = dice.choices(
            ["order", "refund", "offer_redeemed", "crm_stage", dice.choice(LIFE)], [12, 1, 1, 1, 3]
        )[0]
        detail = dice.choice(["lead", "qualified", "customer"]) if kind == "crm_stage" else None
        events.append(Event(at, kind, f"{dice.getrandbits(32):032x}", Decimal(number), "USD", detail))
    return events or [Event(at, "first_seen", f"{dice.getrandbits(32):032x}")]
