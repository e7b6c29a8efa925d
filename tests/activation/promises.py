"""What every platform keeps, simulated or real: one suite for all of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from typing import Any, Protocol

import pytest
from simulated import Fault
from world import World

from lifehouse.activation.plan import plan
from lifehouse.errors import PlatformError


class There(Protocol):
    """A platform from its own side. ``people``: address → fields; ``created``: every address that it ever took in.

    ``refused`` are the addresses that a simulated one refuses; a real one refuses ``unwelcome`` by itself.
    """

    unwelcome: str
    refused: set[str]
    faults: deque[Fault]

    @property
    def members(self) -> set[str]: ...

    @property
    def people(self) -> Mapping[str, Any]: ...

    @property
    def created(self) -> Collection[str]: ...


def mirrors_a_segment_through_changes_refusals_and_faults(company: World, there: There) -> None:
    keys = set(company.people(12))
    there.refused = {there.unwelcome}
    moved = "update marts.customers set email = %s where customer_id = 'c0003'"
    company.sql(moved, there.unwelcome)
    proposed = plan(company.ctx, "push")
    assert (proposed.adds, proposed.rows) == (12, 12)

    first = company.sync()
    assert (first.confirmed, first.refused) == (11, 1)
    assert there.members == there.people.keys() == keys - {"c0003@example.com"}
    reason = company.ctx.warehouse.value("select reason from activation.ledger where status = 'refused'")
    assert reason
    assert "@" not in reason
    assert company.sync().calls == 0

    company.sql("update marts.customers set first_name = 'Anna' where customer_id = 'c0001'")
    company.leave(["c0002"])
    company.sql(moved, "Moved@Example.com")
    there.faults.extend(
        [
            Fault(429, {"Retry-After": "0"}),
            Fault(429),
            Fault(delay=0.05),
            Fault(500),
            Fault(reset=True),
            Fault(503, applied=True),
            Fault(reset=True, applied=True),
        ]
    )
    second = company.sync()
    assert (second.confirmed, second.refused) == (3, 0)
    assert there.members == keys - {"c0002@example.com", "c0003@example.com"} | {"moved@example.com"}
    assert "Anna" in str(there.people["c0001@example.com"])
    assert len(there.created) == len(set(there.created)) == 12, "somebody was made twice"
    assert company.sync().calls == 0


def takes_back_who_withdrew_while_in_flight_and_sends_them_no_more(company: World, there: There) -> None:
    company.people(4)
    company.sync()
    company.sql("update marts.customers set first_name = 'Anna' where customer_id in ('c0001', 'c0002')")
    there.faults.extend([Fault(reset=True, applied=True)] * 40)
    with pytest.raises(PlatformError, match="does not answer"):
        company.sync()
    company.consent("c0001", "withdrawn")
    there.faults.clear()
    company.sync()
    assert there.members == {f"c{number:04d}@example.com" for number in (2, 3, 4)}
    assert "Anna" in str(there.people["c0002@example.com"])
    assert company.sync().calls == 0
