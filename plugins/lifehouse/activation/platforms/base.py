"""The contract between the engine and a platform."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Literal, NamedTuple, Protocol, Self

Action = Literal["add", "change", "remove"]
#: The lane of all actions, where they may share a batch.
ALL = "all"


@dataclass(frozen=True)
class Capabilities:
    """What a platform takes.

    ``batch_size`` rows a batch at most; ``in_flight`` batches at once; ``keyed``: a repeated record replaces itself, so
    that a batch whose answer was lost may be sent again.

    :param lanes: action → its lane, where not all actions may share a batch. :param sizes: lane → rows a batch.
    :param calls: lane → calls that a batch takes. :param per_second: calls a second that the platform allows.
    """

    batch_size: int
    in_flight: int
    keyed: bool
    lanes: dict[Action, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    per_second: float | None = None


class Row(NamedTuple):
    """One record on its way, at its ``place`` in the batch, from 1.

    ``fields_json`` is the object as text: most platforms pass it on as it is. "{}" for a removal, unless the platform needs
    its fields.
    """

    place: int
    key: str
    action: Action
    fields_json: str
    platform_id: str | None = None

    @property
    def fields(self) -> dict[str, Any]:
        return json.loads(self.fields_json)

    def __repr__(self) -> str:
        return f"Row({self.place}, {self.action})"


@dataclass(frozen=True)
class Batch:
    """The rows of one call. ``idempotency_key`` stays the same as long as the rows do, across crashes.

    ``is_recovered``: an earlier sync sent it, or was about to, and never heard the answer.
    """

    batch_id: int
    idempotency_key: uuid.UUID
    sync: str
    sync_run_id: int
    release_id: int
    number: int
    rows: tuple[Row, ...]
    is_recovered: bool = False

    def halves(self) -> tuple[Batch, Batch]:
        """Both halves, with keys of their own that are always the same for the same batch."""
        middle = len(self.rows) // 2
        return self._part("a", self.rows[:middle]), self._part("b", self.rows[middle:])

    def _part(self, name: str, rows: tuple[Row, ...]) -> Batch:
        return replace(self, idempotency_key=uuid.uuid5(self.idempotency_key, name), rows=rows)


@dataclass(frozen=True)
class Answer:
    """The platform's word on every row of a batch: those not in ``refused`` (place → reason) are confirmed.

    ``requests`` were made for it; ``ids`` are the platform's own (place → id), kept for later calls.
    ``unsubscribed``: those of the refused whose person unsubscribed there.
    """

    refused: dict[int, str]
    status_code: int | None = None
    requests: int = 1
    ids: dict[int, str] = field(default_factory=dict)
    unsubscribed: frozenset[int] = frozenset()


class TryAgain(Exception):
    """The batch may or may not have been applied; the same call is worth repeating.

    ``wait`` is what the platform asked for, in seconds. ``is_limit``: a rate limit, so nothing was applied and all calls wait.
    """

    def __init__(
        self, what: str, *, wait: float | None = None, is_limit: bool = False, status_code: int | None = None
    ) -> None:
        self.wait, self.is_limit, self.status_code = wait, is_limit, status_code
        super().__init__(what)


class BatchRefused(Exception):
    """The platform took nothing of the batch because of something in it; a smaller one may pass.

    ``is_unsubscribed``: it says that the person unsubscribed there.
    """

    def __init__(self, reason: str, status_code: int | None = None, *, is_unsubscribed: bool = False) -> None:
        self.reason, self.status_code, self.is_unsubscribed = reason, status_code, is_unsubscribed
        super().__init__("refused as a whole")


class Platform(Protocol):
    """One platform account. Entered as a context before the first call, left after the last."""

    @property
    def capabilities(self) -> Capabilities: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def send(self, batch: Batch) -> Answer:
        """One call.

        :raises TryAgain: no answer, or none that counts. :raises BatchRefused: nothing was applied, something in it is wrong.
        :raises PlatformError: no batch has a chance (credentials, address).
        """
        ...

    def finish(self, state: Callable[[], Iterator[Row]]) -> int:
        """Closing work once a sync's rows are settled; ``state`` reads all that the platform holds. Returns the calls made."""
        ...


class Unopened:
    """A platform that keeps nothing open between its calls: there is nothing to enter or to leave."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None
