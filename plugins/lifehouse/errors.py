"""The errors a person may meet. Every message names what, where and how many; none holds a personal value."""

from __future__ import annotations


class LifehouseError(Exception):
    """Base of all errors that Lifehouse raises on purpose; its message is meant for a person."""


class ConfigError(LifehouseError):
    """A YAML file is wrong. The message starts with ``file:line`` and offers the nearest right spelling."""


class SourceError(LifehouseError):
    """A source could not be read: it is down, refuses, or answers nonsense."""


class GateClosed(LifehouseError):
    """A gate stopped the run. ``failures`` has one sentence per failed expectation; ``rows`` were judged, if known."""

    def __init__(self, gate: str, subject: str, failures: list[str], rows: int | None = None) -> None:
        self.gate, self.subject, self.failures, self.rows = gate, subject, failures, rows
        super().__init__(f"{gate} gate closed for {subject}: " + "; ".join(failures))


class ReleaseHeld(GateClosed):
    """The release gate has nothing against the run but that required sources are late: a person may publish it.

    ``sources`` are their names.
    """

    def __init__(
        self, subject: str, sources: list[str], failures: list[str], rows: int | None = None
    ) -> None:
        self.sources = sources
        super().__init__("release", subject, failures, rows)


class BuildError(LifehouseError):
    """A model could not be built; the last release stays."""


class SyncRefused(LifehouseError):
    """A guard stopped a sync before its first call, or the platform refused rows."""


class GuardTripped(SyncRefused):
    """A guard stopped a sync before its first call, and a person may let it run on: ``guards`` are their names."""

    def __init__(self, message: str, guards: list[str]) -> None:
        self.guards = guards
        super().__init__(message)


class PlatformError(LifehouseError):
    """A platform is down, or does not let us in; what was in flight is settled by the next sync."""


class WarehouseError(LifehouseError):
    """The warehouse cannot be started or reached."""
