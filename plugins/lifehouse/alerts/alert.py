"""What an alert says: counts, names of sources, tables and marts, and what to do; never a value of a customer."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from lifehouse.alerts.declaration import Event


@dataclass(frozen=True)
class Alert:
    """One thing to be told of one run.

    ``subject`` is ``marts``, ``source <name>`` or ``sync <name>``; ``links`` is label to URL.
    """

    event: Event
    subject: str
    title: str
    company: str
    reasons: list[str] = field(default_factory=list)
    what_to_do: list[str] = field(default_factory=list)
    owner: str | None = None
    facts: list[str] = field(default_factory=list)
    served: str | None = None
    links: dict[str, str] = field(default_factory=dict)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def severity(self) -> str:
        return {Event.WARNINGS: "warning", Event.RECOVERED: "info"}.get(self.event, "critical")

    def content(self) -> dict[str, Any]:
        """As JSON: what the ledger keeps, and the body of a webhook."""
        return {
            **asdict(self),
            "event": self.event.value,
            "severity": self.severity,
            "at": self.at.isoformat(),
        }

    @classmethod
    def of(cls, content: dict[str, Any]) -> Alert:
        """The alert whose :meth:`content` this is."""
        known = {name: value for name, value in content.items() if name != "severity"}
        return cls(**{**known, "event": Event(content["event"]), "at": datetime.fromisoformat(content["at"])})
