"""The language of stage rules: what may be asked of a customer's timeline at an instant.

A rule is a mapping with one key. Windows are whole days of 24 hours, half-open: an event at ``e`` is within
``w`` at every instant ``t`` with ``e <= t < e + w``. Every rule is true or false, never unknown.

A window after the latest event may follow the customer's own rhythm (:class:`Rhythm`): ninety quiet days mean
something else for bread than for sofas.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from lifehouse.config import OneKey, Strict
from lifehouse.spelling import did_you_mean

#: The types of ``core.customer_events``.
EVENT_TYPES = (
    *("first_seen", "order", "order_cancelled", "refund", "consent_granted", "consent_withdrawn"),
    *(
        "visit",
        "view",
        "cart",
        "impression",
        "ad_click",
        "call",
        "chat",
        "store_visit",
        "social",
        "interaction",
    ),
    *("message_sent", "message_delivered", "message_opened", "message_clicked"),
    *("message_bounced", "message_unsubscribed", "message_complained", "message"),
    *("campaign_targeted", "offer_made", "offer_redeemed", "crm_stage"),
    *("opportunity_opened", "opportunity_won", "opportunity_lost", "follow_up_planned", "follow_up_held"),
    *("ticket_opened", "ticket_answered", "ticket_solved", "survey_invited", "survey_answered", "review"),
    *(
        "service_cost",
        "points_earned",
        "points_redeemed",
        "points_expired",
        "points_adjusted",
        "tier_changed",
    ),
    *("referral_made", "referral_converted", "referred"),
    *("subscription_started", "subscription_renewed", "subscription_notice_given"),
    *("subscription_notice_withdrawn", "subscription_ended"),
    *("product_installed", "product_used", "product_maintained", "product_upgraded", "product_removed"),
)
_DURATION = re.compile(r"^(\d+)\s*(d|w)$")


def _days(value: Any) -> int:
    """``90d`` or ``12w`` in days."""
    if isinstance(value, dict):
        raise ValueError("a window that follows the customer's rhythm stands in since_last alone")
    match = _DURATION.match(str(value))
    days = int(match[1]) * (7 if match[2] == "w" else 1) if match else 0
    if not 0 < days <= 36_500:
        raise ValueError(
            f"{value!r} is no window; write whole days or weeks such as 90d or 12w, or a name under windows:"
        )
    return days


def _event(value: Any) -> str:
    if value in EVENT_TYPES:
        return str(value)
    hint = did_you_mean(str(value), EVENT_TYPES) or f"; known are {', '.join(EVENT_TYPES)}"
    raise ValueError(f"unknown event type {value!r}{hint}")


def _events(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    if not values:
        raise ValueError("at least one event type is needed")
    return tuple(sorted({_event(item) for item in values}))


def _text(value: Any) -> str:
    if re.search(r"[{}\\]", str(value)):
        raise ValueError(f"{value!r} may not hold braces or backslashes")
    return str(value)


def _days_or_rhythm(value: Any) -> Any:
    return value if isinstance(value, dict) else _days(value)


Days = Annotated[int, BeforeValidator(_days)]
Events = Annotated[tuple[str, ...], BeforeValidator(_events)]
Event = Annotated[str, BeforeValidator(_event)]
Text = Annotated[str, BeforeValidator(_text)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Rhythm(Strict):
    """``times`` the customer's usual gap, in whole days (what is left of a day is cut off), within bounds.

    The usual gap at an event is the mean of the gaps between the customer's last eleven such events up to it. Until
    there are three gaps nobody knows the customer's rhythm, and ``until_known`` holds.
    """

    times: Decimal = Field(gt=0, le=100, decimal_places=2, description="so many usual gaps")
    at_least: Days
    at_most: Days
    until_known: Days

    @model_validator(mode="after")
    def _in_order(self) -> Rhythm:
        if self.at_least > self.at_most:
            raise ValueError("at_least is longer than at_most")
        return self


#: Gaps that make the usual one, and how many are needed.
GAPS, KNOWN = 10, 3
Window = Annotated[int | Rhythm, BeforeValidator(_days_or_rhythm)]


class _Bounded(Strict):
    @model_validator(mode="after")
    def _has_a_bound(self) -> _Bounded:
        bounds = [name for name in _BOUNDS if name in type(self).model_fields]
        if all(getattr(self, name) is None for name in bounds):
            raise ValueError(f"needs a bound: {' or '.join(bounds)}")
        return self


_BOUNDS = ("at_least", "at_most", "less_than", "falls_below", "rises_above")


class Count(_Bounded):
    """How many events, ``within`` the window or ever."""

    of: Events
    within: Days | None = None
    at_least: int | None = Field(None, ge=1)
    at_most: int | None = Field(None, ge=0)


class Sum(_Bounded):
    """The events' amounts added up, no amount = 0; ``currency`` keeps the events in that currency only."""

    of: Events
    within: Days | None = None
    currency: Currency | None = None
    at_least: Decimal | None = None
    less_than: Decimal | None = None


class Distinct(_Bounded):
    """How many different values the events have in a column, no value not counted, ``within`` the window or ever."""

    of: Events
    by: Literal["channel", "detail", "source", "campaign_key"]
    within: Days | None = None
    at_least: int | None = Field(None, ge=1)
    at_most: int | None = Field(None, ge=0)


class Since(_Bounded):
    """How long ago; false before the first such event."""

    of: Events
    at_least: Days | None = None
    less_than: Days | None = None


class SinceLast(_Bounded):
    """How long ago the latest was; false before the first such event."""

    of: Events
    at_least: Window | None = None
    less_than: Window | None = None

    @model_validator(mode="after")
    def _one_rhythm(self) -> SinceLast:
        if self.rhythms and len(self.of) > 1:
            raise ValueError("a window that follows the customer's rhythm is of one event type")
        return self

    @property
    def rhythms(self) -> tuple[Rhythm, ...]:
        """The windows that follow the customer's rhythm."""
        return tuple(window for window in (self.at_least, self.less_than) if isinstance(window, Rhythm))


class Trend(_Bounded):
    """The window ``over`` against the one before it, which must hold ``from_at_least``."""

    of: Events
    over: Days
    measure: Literal["count", "sum"] = "count"
    currency: Currency | None = None
    falls_below: Decimal | None = Field(None, gt=0, description="ratio to the window before")
    rises_above: Decimal | None = Field(None, gt=0, description="ratio to the window before")
    from_at_least: Decimal = Field(Decimal(1), gt=0)

    @model_validator(mode="after")
    def _currency_is_of_a_sum(self) -> Trend:
        if self.currency and self.measure == "count":
            raise ValueError("currency belongs to measure: sum")
        return self


class Last(Strict):
    """The detail of the latest event of one type is one of these; false before the first such event."""

    of: Event
    is_in: Annotated[tuple[Text, ...], Field(alias="in", min_length=1)]


class Latest(Strict):
    """The latest of these events is of one of those types; false before the first. The state of a subscription, say."""

    of: Events
    is_of: Annotated[Events, Field(alias="is")]

    @model_validator(mode="after")
    def _among_them(self) -> Latest:
        if odd := [event for event in self.is_of if event not in self.of]:
            raise ValueError(f"{odd[0]!r} is not among the events of: {', '.join(self.of)}")
        return self


class Rule(OneKey):
    """One condition, or several combined: exactly one key."""

    every: Annotated[tuple[Rule, ...] | None, Field(alias="all", min_length=1)] = None
    some: Annotated[tuple[Rule, ...] | None, Field(alias="any", min_length=1)] = None
    negated: Annotated[Rule | None, Field(alias="not")] = None
    ever: Events | None = None
    never: Events | None = None
    count: Count | None = None
    sum: Sum | None = None
    distinct: Distinct | None = None
    since_last: SinceLast | None = None
    since_first: Since | None = None
    trend: Trend | None = None
    last: Last | None = None
    latest: Latest | None = None

    @model_validator(mode="after")
    def _one_key(self) -> Rule:
        if len(self.model_fields_set) != 1:
            count = len(self.model_fields_set)
            raise ValueError(f"a rule has exactly one key, this one has {count}; combine by all or any")
        if self.node is None:
            raise ValueError("the rule is empty")
        return self
