"""A channel's declaration, an entry of ``alerts:`` in ``lifehouse.yml``: who is told of what, and through which connection."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator, model_validator

from lifehouse.config import Strict

_ADDRESS = re.compile(r"^[^@\s,;<>]+@[^@\s,;<>]+$")


class Event(StrEnum):
    """What may be told of a run."""

    GATE_CLOSED = "gate_closed"
    FAILED = "failed"
    LATE = "late"
    WARNINGS = "warnings"
    RECOVERED = "recovered"


#: After one of these the same thing's next success is told as ``recovered``.
TROUBLE = (Event.GATE_CLOSED, Event.FAILED, Event.LATE)


class Channel(Strict):
    """One way to people. Its credentials are an Airflow Connection, never in this file."""

    kind: Literal["mail", "slack", "webhook"]
    connection: str = Field(pattern=r"^[\w.-]+$", description="id of an Airflow Connection")
    name: str | None = Field(
        None, min_length=1, description="default: kind and connection; must differ between channels"
    )
    to: list[str] = Field(default_factory=list, description="mail: who receives it")
    sender: str | None = Field(
        None, description="mail: the From address; default: the connection's from_email"
    )
    severity: Literal["warning", "critical"] = Field(
        "critical",
        description="the least that is told: warning also tells the warnings of a run that succeeded",
    )
    events: list[Event] = Field(
        default_factory=lambda: list(Event),
        min_length=1,
        description="default: all that the severity lets through",
    )

    @field_validator("to")
    @classmethod
    def _addresses(cls, to: list[str]) -> list[str]:
        wrong = [number for number, address in enumerate(to, 1) if not _ADDRESS.match(address)]
        if wrong:
            raise ValueError(f"entry {wrong[0]} is no mail address")
        return to

    @model_validator(mode="after")
    def _complete(self) -> Channel:
        if self.kind == "mail" and not self.to:
            raise ValueError("kind: mail needs to: [address, ...]")
        if self.kind != "mail" and (self.to or self.sender):
            raise ValueError(
                f"to and sender go only with kind: mail; where a {self.kind} goes is said by its connection"
            )
        return self

    @property
    def key(self) -> str:
        """What its sendings are kept by."""
        return self.name or f"{self.kind} {self.connection}"

    def wants(self, event: Event) -> bool:
        return event in self.events and (event is not Event.WARNINGS or self.severity == "warning")
