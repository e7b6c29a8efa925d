"""The language of KPIs: a stage's success as a number at any instant ``t``, from stage history and timeline.

A measure is a mapping with one key. Windows are whole days of 24 hours that end at ``t``: an event at ``e`` is in
the window ``over`` at ``t`` if ``e <= t < e + over``. "Customers in the stage" are those in it at ``t``. Every measure
is a quotient; without anything to divide by it has no value.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lifehouse.config import OneKey, Strict
from lifehouse.lifecycles.rules import Days, Events

Stages = Annotated[tuple[str, ...], Field(min_length=1)]
Figure = Literal["count", "amount"]


class MovedOn(Strict):
    """Share that moved ``to`` the stages: of the stays that ended in the window, or of the customers who stood in the
    stage when it began and have left that stay since."""

    to: Stages
    of: Literal["left", "present"]
    over: Days


class Reached(Strict):
    """Share of the stays that, ``within`` so long of their beginning, ended (``to`` one of the stages, if said), or saw
    another such event; of those begun in the window ``over`` that is ``within`` past, so that all had the same time."""

    within: Days
    over: Days
    to: Stages | None = None
    event: Events | None = None

    @model_validator(mode="after")
    def _one_end(self) -> Reached:
        if self.to and self.event:
            raise ValueError("to and event do not go together: is it a stage or an event that is reached?")
        return self


class Over(Strict):
    """A window alone."""

    over: Days


class Happened(Strict):
    """Events in the window."""

    of: Events
    over: Days


class Figured(Happened):
    """Events counted, or their amounts in the reporting currency added up."""

    figure: Figure = "count"


class PerCustomer(Figured):
    """The customers are those in the stage, or in one of ``stages`` together."""

    stages: Stages | None = None


class CostPer(Strict):
    """What the campaigns of the window cost (an even share for each day they run), for each stay that ended by moving ``to``."""

    to: Stages
    over: Days


class Measure(OneKey):
    """How a KPI is computed: exactly one key."""

    moved_on: MovedOn | None = None
    reached: Reached | None = None
    kept: Annotated[
        Over | None, Field(description="share of those in the stage so long ago that are in it now")
    ] = None
    gained: Annotated[
        Over | None,
        Field(description="share of those elsewhere in the lifecycle so long ago that are in it now"),
    ] = None
    active: Annotated[
        Happened | None, Field(description="share of the customers in the stage with an event")
    ] = None
    per_customer: Annotated[
        PerCustomer | None, Field(description="events of customers in the stage / their number")
    ] = None
    mean: Annotated[
        Happened | None, Field(description="mean value of the events of customers in the stage")
    ] = None
    growth: Annotated[
        Figured | None, Field(description="events of customers in the stage / those of the window before")
    ] = None
    share_of_all: Annotated[
        Figured | None, Field(description="events of customers in the stage / those of everybody")
    ] = None
    cost_per_customer: CostPer | None = None

    @model_validator(mode="after")
    def _one_key(self) -> Measure:
        if len(self.model_fields_set) != 1 or self.node is None:
            raise ValueError(f"a measure has exactly one key, of {', '.join(type(self).model_fields)}")
        return self

    @property
    def named_stages(self) -> tuple[str, ...]:
        """The stages that it names."""
        return (getattr(self.node, "to", None) or ()) + (getattr(self.node, "stages", None) or ())

    @property
    def unit(self) -> str:
        """What its number counts."""
        money = self.kind == "cost_per_customer" or getattr(self.node, "figure", "") == "amount"
        match self.kind:
            case "per_customer" | "cost_per_customer":
                return "money per customer" if money else "events per customer"
            case "mean":
                return "mean value"
            case "growth":
                return "ratio to the window before"
        return "share of the total" if self.kind == "share_of_all" else "share from 0 to 1"

    @property
    def row(self) -> dict[str, str | int | None]:
        """As a row of ``kpi_declarations``: lists are joined by ``|``, what is not said is null."""
        node = self.node
        # an event that is reached and events that are counted are never in one measure
        events = getattr(node, "event", None) or (
            getattr(node, "of", None) if self.kind != "moved_on" else None
        )
        return {
            "measure": self.kind,
            "of_whom": node.of if self.kind == "moved_on" else None,
            "over_days": node.over,
            "within_days": getattr(node, "within", None),
            "to_stages": _joined(getattr(node, "to", None)),
            "in_stages": _joined(getattr(node, "stages", None)),
            "event_types": _joined(events),
            "figure": getattr(node, "figure", None),
            "unit": self.unit,
        }


def _joined(values: tuple[str, ...] | None) -> str | None:
    return "|".join(values) if values else None
