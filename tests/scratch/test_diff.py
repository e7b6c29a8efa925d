"""What a diff says of two builds, on tables made by hand; and what its two sides may be called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from tests.releases.conftest import NIGHT, House, house

from lifehouse.build import project
from lifehouse.diff import words
from lifehouse.diff.compare import compare
from lifehouse.diff.keys import keys
from lifehouse.diff.sides import Side, resolve
from lifehouse.errors import LifehouseError
from lifehouse.releases import held
from lifehouse.releases.publish import publish
from lifehouse.releases.run import begin

__all__ = ["house"]

DAY = datetime(2024, 1, 10, tzinfo=UTC)
SHAPES = {
    "customers": "customer_id text, orders bigint, city text",
    "orders": "source text, order_key text, customer_id text, order_type text, ordered_at timestamptz, status text, "
    "currency text, lines int, gross_amount numeric, refund_amount numeric, net_amount numeric",
    "stage_history": "customer_id text, lifecycle text, stage text, entered_at timestamptz, exited_at timestamptz",
    "segment_members": "segment text, customer_id text",
    "sales_totals": "source text, currency text, net_revenue numeric",
}
Rows = dict[str, list[tuple[Any, ...]]]


def order(key: str, customer: str, day: str, amount: float) -> tuple[Any, ...]:
    return ("s", key, customer, "sale", f"{day}T12:00Z", "completed", "EUR", 1, amount, 0, amount)


A: Rows = {
    "customers": [("c1", 1, "Ulm"), ("c2", 1, "Ulm"), ("c3", 0, None)],
    "orders": [order("o1", "c1", "2024-01-02", 10), order("o2", "c2", "2024-01-03", 7)],
    "stage_history": [
        ("c1", "status", "new", "2024-01-01", "2024-01-05"),
        ("c1", "status", "active", "2024-01-05", "2024-06-01"),
        ("c2", "status", "new", "2024-01-03", None),
    ],
    "segment_members": [("vip", "c1"), ("status_new", "c2")],
    "sales_totals": [("s", "EUR", 17)],
}
B: Rows = {
    "customers": [("c1", 2, "Ulm"), ("c2", 1, "Bonn"), ("c4", 0, None)],
    "orders": [order("o1", "c1", "2024-01-02", 12), order("o3", "c2", "2024-01-04", 5)],
    "stage_history": [
        ("c1", "status", "new", "2024-01-01", "2024-01-06"),
        ("c1", "status", "loyal", "2024-01-06", "2024-06-01"),
        ("c4", "status", "new", "2024-01-03", None),
    ],
    "segment_members": [("vip", "c1"), ("vip", "c4")],
    "sales_totals": [("s", "EUR", 20.5)],
}

Lay = Callable[..., Side]


@pytest.fixture
def lay(house: House) -> Lay:
    """Makes a side of rows by hand."""

    def make(name: str, rows: Rows, *, code: str = "one", loads: int = 1, shapes: Any = None) -> Side:
        with house.ctx.warehouse.connect() as connection:
            connection.execute(f"drop schema if exists {name} cascade; create schema {name}")
            for mart, listed in rows.items():
                connection.execute(f"create table {name}.{mart} ({(shapes or SHAPES)[mart]})")
                for row in listed:
                    holes = sql.SQL(", ").join(map(sql.Literal, row))
                    connection.execute(
                        sql.SQL("insert into {} values ({})").format(sql.Identifier(name, mart), holes)
                    )
        return Side(name, name, DAY, code, loads)

    return make


def test_every_difference_is_counted_by_the_marts_own_keys(house: House, lay: Lay) -> None:
    diff = compare(house.ctx, lay("a", A), lay("b", B, code="two"), ids=True)
    marts = {mart.mart: mart for mart in diff.marts}
    customers = marts["customers"]
    assert (customers.before, customers.after) == (3, 3)
    assert (customers.added, customers.removed, customers.changed) == (1, 1, 2)
    assert customers.columns == {"orders": 1, "city": 1}
    assert diff.customers == {"added": ["c4"], "removed": ["c3"], "changed": ["c1", "c2"]}
    assert [(s.segment, s.before, s.after, s.came, s.left) for s in diff.segments] == [
        ("status_new", 1, 0, 0, 1),
        ("vip", 1, 2, 1, 0),
    ]
    assert [(float(r.before), float(r.after)) for r in diff.revenue] == [(17, 20.5)]
    moves = {(m.from_stage, m.to_stage): m.customers for m in diff.stages}
    assert moves == {("active", "loyal"): 1, ("new", None): 1, (None, "new"): 1}


def test_code_that_changes_history_is_the_first_thing_said(house: House, lay: Lay) -> None:
    diff = compare(house.ctx, lay("a", A), lay("b", B, code="two"))
    said = words.told(diff)
    assert said.splitlines()[0] == (
        "The code differs, the loads do not, and with it history: of what was over by 2024-01-10 00:00 UTC, 1 stay of 1 in a "
        "stage is gone and 1 is new (1 customer); of 2 orders 1 read otherwise, 1 are gone and 1 are new."
    )
    for personal in ("c1", "Ulm", "Bonn"):
        assert personal not in said


def test_what_is_to_come_is_not_history(house: House, lay: Lay) -> None:
    later = {
        **A,
        "stage_history": [*A["stage_history"][:2], ("c2", "status", "new", "2024-01-03", "2024-03-01")],
    }
    later["orders"] = [*A["orders"], order("o9", "c3", "2024-01-11", 3)]
    diff = compare(house.ctx, lay("a", A), lay("b", later, code="two"))
    assert not diff.history.differs
    assert words.first_sentence(diff).startswith("The code differs, the loads do not; history is the same")


def test_a_build_does_not_differ_from_itself(house: House, lay: Lay) -> None:
    side = lay("a", A)
    diff = compare(house.ctx, side, side)
    assert not any(mart.differs for mart in diff.marts)
    assert "the same: customers, orders, sales_totals, segment_members, stage_history" in words.told(diff)


def test_a_change_of_shape_is_named(house: House, lay: Lay) -> None:
    shapes = {"customers": "customer_id text, orders text, town text"}
    other = lay("b", {"customers": [("c1", "1", "Ulm")]}, shapes=shapes)
    diff = compare(house.ctx, lay("a", {"customers": A["customers"][:1], "orders": []}), other)
    (customers,) = diff.marts
    assert (customers.changed, customers.new_columns, customers.lost_columns) == (0, ["town"], ["city"])
    assert diff.absent == {"orders": "a"}
    assert "history was not compared" in words.first_sentence(diff)


_ROWS = st.dictionaries(
    st.sampled_from("abcdef"), st.tuples(st.integers(0, 2), st.sampled_from(["x", "y", None])), max_size=6
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(left=_ROWS, right=_ROWS)
def test_counts_agree_with_a_plain_comparison(house: House, lay: Lay, left: Any, right: Any) -> None:
    sides = [
        lay(n, {"customers": [(k, *v) for k, v in rows.items()]}) for n, rows in (("a", left), ("b", right))
    ]
    (mart,) = compare(house.ctx, *sides).marts
    both = left.keys() & right.keys()
    assert (mart.added, mart.removed) == (len(right.keys() - both), len(left.keys() - both))
    assert mart.changed == sum(left[key] != right[key] for key in both)
    columns = Counter(
        name
        for key in both
        for name, a, b in zip(("orders", "city"), left[key], right[key], strict=True)
        if a != b
    )
    assert mart.columns == dict(columns)


def test_every_mart_has_a_key() -> None:
    assert set(keys()) == set(project.mart_names())


def test_sides_are_found_by_their_names(house: House) -> None:
    house.accept()
    with pytest.raises(LifehouseError, match="nothing is published yet"):
        resolve(house.ctx, "published")
    house.publish(1)
    second = house.publish(2)
    assert resolve(house.ctx, "published").schema == "green"
    assert resolve(house.ctx, "previous").schema == resolve(house.ctx, "1").schema == "blue"
    assert resolve(house.ctx, f"run:{second}").schema == "green"
    with pytest.raises(LifehouseError, match="there is no candidate"):
        resolve(house.ctx, "candidate")
    run = house.build(3)
    assert (resolve(house.ctx, "candidate").schema, resolve(house.ctx, f"run:{run.run_id}").schema) == (
        "blue",
        "blue",
    )
    with pytest.raises(LifehouseError, match=r"there is no release 99; .* run:99"):
        resolve(house.ctx, "99")
    with pytest.raises(LifehouseError, match=r"'yesterday' is no release.*known: none"):
        resolve(house.ctx, "yesterday")


def test_a_held_run_waits_for_a_person_until_another_is_built(house: House) -> None:
    house.accept()
    house.publish(1)
    run = house.build(2)
    held.hold_back(house.ctx, run.run_id)
    assert house.served() == {1}
    assert held.candidate(house.ctx) == run.run_id
    publish(house.ctx, held.candidate(house.ctx), ("letters", "numbers", "segment_members"))
    assert house.served() == {2}
    third = house.build(3)
    held.hold_back(house.ctx, third.run_id)
    house.build(4)
    message = house.value("select message from control.runs where run_id = %s", third.run_id)
    assert message == "it was held; a later run began"
    with pytest.raises(LifehouseError, match="cannot go on: it is abandoned"):
        publish(house.ctx, third.run_id, ("letters", "numbers", "segment_members"))


def test_a_night_with_nothing_new_leaves_the_held_run_alone(house: House) -> None:
    house.accept()
    house.publish(1)
    run = house.build(2)
    held.hold_back(house.ctx, run.run_id)
    assert begin(house.ctx, NIGHT + timedelta(days=1)).status == "unchanged"
    assert held.candidate(house.ctx) == run.run_id


def test_the_past_is_not_served_again_unless_asked_for(house: House) -> None:
    house.accept()
    house.publish(5)
    with pytest.raises(LifehouseError, match="`lifehouse backfill"):
        begin(house.ctx, NIGHT + timedelta(days=4))
    assert begin(house.ctx, NIGHT + timedelta(days=4), past=True).status == "running"
