"""A company's history with a platform, as hypothesis invents it, and who is to be there after it."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Protocol

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from promises import There
from simulated import Fault
from world import World

from lifehouse.activation.reconcile import reconcile
from lifehouse.activation.steps import Step

PEOPLE = 8
FAULTS = [
    *(Fault(429, {"Retry-After": "0"}), Fault(429), Fault(500), Fault(503, applied=True)),
    *(Fault(reset=True), Fault(reset=True, applied=True)),
]

#: What a sync says beside platform and fields.
HURRIED: dict[str, Any] = {
    "holdout": {"share": 0.15},
    "sending": {"batch_size": 3, "backoff": "1ms", "attempts": 3, "patience": "50ms", "per_second": 1000},
    "guards": {"max_refused": 1.0, "max_growth": None, "max_shrink": None},
}

person = st.integers(1, PEOPLE).map(lambda number: f"c{number:04d}")
event = st.one_of(
    st.tuples(st.just("leave"), person),
    st.tuples(st.just("join"), person),
    st.tuples(st.just("consent"), person, st.sampled_from(["granted", "withdrawn"])),
    st.tuples(st.just("rename"), person, st.sampled_from(["Ann", "Bob", "Cem"])),
    st.tuples(st.just("merge"), person, person),
    st.tuples(st.just("suppress"), person),
    st.tuples(st.just("refuse"), st.sets(person, max_size=3)),
    st.tuples(st.just("there"), person, st.sampled_from(["forget", "take off"])),
    st.tuples(st.just("faults"), st.lists(st.sampled_from(FAULTS), max_size=4)),
    st.tuples(st.just("sync"), st.sampled_from([None, *Step]), st.booleans()),
    st.tuples(st.just("sync"), st.none(), st.just(False)),
)
histories = st.lists(event, min_size=4, max_size=16)


class Lived(There, Protocol):
    """A platform with what a history needs: somebody of its ``own``, whom no sync added; people who do things by hand."""

    name: str
    own: str

    def clear(self) -> None: ...

    def take_in(self, key: str) -> None: ...

    def take_off(self, key: str) -> None: ...

    def forget(self, key: str) -> None: ...

    def wait_until_quiet(self) -> None: ...


class Company:
    """Customers in plain Python, and the same in the warehouse; a reference that knows no SQL of the engine's."""

    def __init__(self, world: World, vendor: Lived) -> None:
        self.world, self.vendor = world, vendor
        tables = ", ".join(
            f"activation.{name}"
            for name in (
                *("sync_runs", "batches", "exceptions", "records", "calls"),
                *("holdouts", "exposures", "suppressions"),
            )
        )
        world.sql(f"truncate {tables} restart identity cascade")
        world.sql("truncate marts.customers, marts.consents, marts.segment_members")
        world.sql("truncate marts.customer_identifiers, marts.customer_merges")
        vendor.clear()
        world.people(PEOPLE)
        self.people = {
            f"c{number:04d}": {
                "email": f"c{number:04d}@example.com",
                "name": f"Name {number}",
                "member": True,
                "status": "granted",
                "suppressed": False,
            }
            for number in range(1, PEOPLE + 1)
        }
        vendor.take_in(vendor.own)

    def live(self, event: tuple[Any, ...]) -> None:
        getattr(self, "_" + event[0].replace(" ", "_"))(*event[1:])

    def _leave(self, who: str) -> None:
        if who in self.people:
            self.people[who]["member"] = False
            self.world.leave([who])

    def _join(self, who: str) -> None:
        if who in self.people:
            self.people[who]["member"] = True
            self.world.join([who])

    def _consent(self, who: str, status: str) -> None:
        if who in self.people:
            self.people[who]["status"] = status
            self.world.consent(who, status)

    def _rename(self, who: str, name: str) -> None:
        if who in self.people:
            self.people[who]["name"] = name
            self.world.sql("update marts.customers set first_name = %s where customer_id = %s", name, who)

    def _merge(self, who: str, into: str) -> None:
        """``who`` turns out to be ``into``, who is known by the key of ``who`` from now on."""
        if who == into or not {who, into} <= self.people.keys():
            return
        gone, kept = self.people.pop(who), self.people[into]
        kept["email"] = gone["email"]
        kept["status"] = "granted" if gone["status"] == kept["status"] == "granted" else "withdrawn"
        kept["suppressed"] |= gone["suppressed"]
        if gone["member"]:
            self._join(into)
        self.world.sql("update marts.customer_merges set customer_id = %s where customer_id = %s", into, who)
        self.world.merge(who, into)
        self.world.sql("update marts.customers set email = %s where customer_id = %s", kept["email"], into)
        self.world.sql("update marts.consents set customer_id = %s where customer_id = %s", into, who)

    def _suppress(self, who: str) -> None:
        if who in self.people:
            self.people[who]["suppressed"] = True
            self.world.sql(
                """
                insert into activation.suppressions (identifier_kind, identifier, origin, reason, author)
                values ('customer', %s, 'person', 'asked', 'support')
                """,
                who,
            )

    def _refuse(self, whom: set[str]) -> None:
        self.vendor.refused = {f"{who}@example.com" for who in whom}

    def _there(self, who: str, what: str) -> None:
        """Somebody at the platform does something by hand, which we can only learn by reading back."""
        key = f"{who}@example.com"
        if self.world_can_be_read and key in self.vendor.people:
            if what == "forget":
                self.vendor.forget(key)
            else:
                self.vendor.take_off(key)

    def _faults(self, faults: list[Fault]) -> None:
        self.vendor.faults.extend(faults)

    def _sync(self, step: Step | None, only_failed: bool) -> None:
        """In a fork, which is killed at ``step``."""
        child = os.fork()
        if child == 0:
            os.environ["LIFEHOUSE_CRASH_AT"] = step or ""
            with contextlib.suppress(BaseException):
                self.world.sync(only_failed=only_failed)
            os._exit(0)
        os.waitpid(child, 0)
        self.vendor.wait_until_quiet()

    @property
    def world_can_be_read(self) -> bool:
        return self.vendor.name != "pipedrive"

    def heal(self) -> None:
        self.vendor.refused = set()
        self.vendor.faults.clear()
        self.world.sync()
        self.world.sync(only_failed=True)
        if self.world_can_be_read:
            reconcile(self.world.ctx, "push", self.world.connection, repair=True)
        self.world.sync()

    @property
    def expected(self) -> dict[str, str]:
        arms = self.world.ctx.warehouse.rows(
            "select customer_id from activation.holdouts where arm = 'holdout'"
        )
        held_out = {row["customer_id"] for row in arms}
        return {
            one["email"]: one["name"]
            for who, one in self.people.items()
            if one["member"] and one["status"] == "granted" and not one["suppressed"] and who not in held_out
        }


def holds_exactly_who_it_should_after_any_history(world: World, there: Lived, examples: int) -> None:
    """The sync is declared, its mode is ``mirror``; a name is among its fields."""

    @settings(
        deadline=None,
        derandomize=True,
        max_examples=int(os.environ.get("LIFEHOUSE_EXAMPLES") or examples),
        suppress_health_check=list(HealthCheck),
    )
    @given(histories)
    def holds(history: list[tuple[Any, ...]]) -> None:
        company = Company(world, there)
        for event in history:
            company.live(event)
        company.heal()
        assert there.members - {there.own} == set(company.expected)
        assert there.own in there.members, "one whom we never added was taken away"
        assert all(name in str(there.people[key]) for key, name in company.expected.items())
        assert world.open_rows() == 0
        assert world.sync().calls == 0

    holds()
