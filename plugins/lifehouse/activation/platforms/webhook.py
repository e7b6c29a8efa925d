"""A JSON endpoint of your own: batches of adds, changes and removes, an answer per row.

``POST <url>/batch`` with ``Authorization: Bearer <secret>`` and ``Idempotency-Key``; the body and the answer::

    {"sync": "...", "adds": [{"key": "...", "fields": {...}}], "changes": [...], "removes": [{"key": "..."}]}
    {"results": [{"key": "...", "status": "ok" | "refused" | "unsubscribed", "reason": "..."}]}

``unsubscribed`` is a refusal for good: the person is not sent there again until they grant consent anew.
It must be keyed: a record that comes again replaces itself, removing what is not there is ``ok``.

With ``options: {members: /members}`` it also tells who it holds, for `lifehouse sync reconcile`: ``GET <url>/members?sync=...``,
and ``&after=<next>`` for the page behind one whose answer named a ``next``::

    {"members": [{"key": "..."}, ...], "next": "..." | null}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field

from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.platforms import answers, client, reading
from lifehouse.activation.platforms.base import Answer, Batch, Capabilities, Row, TryAgain
from lifehouse.activation.platforms.lean import httpx
from lifehouse.activation.platforms.listing import Members, Page
from lifehouse.config import Strict

if TYPE_CHECKING:
    from lifehouse.activation.platforms.carrier import Client

_ANSWER = answers.Answer(reason="reason || detail || error")
_json = json.encoder.encode_basestring_ascii
_LISTING = Members(path="/", at="members", key="key", page=Page(parameter="after", cursor="next"))


class WebhookOptions(Strict):
    """``options`` of a sync to a webhook."""

    path: str = Field("/batch", pattern="^/")
    timeout_seconds: float = Field(30, gt=0)
    members: str | None = Field(None, pattern="^/", description="where it tells who it holds")


class Webhook:
    """See the module's text for the protocol."""

    capabilities = Capabilities(batch_size=100, in_flight=8, keyed=True)

    def __init__(
        self,
        options: WebhookOptions,
        connection: PlatformConnection,
        in_flight: int | None = None,
        sync: str = "",
    ) -> None:
        self.options, self.connection, self.sync = options, connection, sync
        self.in_flight = in_flight or self.capabilities.in_flight
        self._url = _address(connection, options.path)
        self._client: Client | None = None

    async def __aenter__(self) -> Self:
        headers = {"Content-Type": "application/json"}
        if self.connection.secret:
            headers["Authorization"] = f"Bearer {self.connection.secret}"
        self._client = client.opened(
            self._url, self.in_flight, timeout=self.options.timeout_seconds, headers=headers
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client:
            await self._client.aclose()

    async def send(self, batch: Batch) -> Answer:
        response = await client.answered(
            self._client,
            "POST",
            self._url,
            content=body(batch),
            headers={"Idempotency-Key": str(batch.idempotency_key)},
        )
        said = reading.verdict(response, _ANSWER, self.connection.place)
        refused, unsubscribed = _refusals(said, batch, response.status_code)
        return Answer(refused, response.status_code, unsubscribed=unsubscribed)

    def finish(self, state: Callable[[], Iterator[Row]]) -> int:
        return 0

    @property
    def listing(self) -> Members | None:
        return _LISTING if self.options.members else None

    async def page(self, cursor: str | None) -> Any:
        """A page of those it holds."""
        url = _address(self.connection, self.options.members or "").copy_merge_params(
            {"sync": self.sync, **({} if cursor is None else {"after": cursor})}
        )
        response = await client.answered(self._client, "GET", url)
        return reading.verdict(response, _ANSWER, self.connection.place)

    async def look_up(self, batch: Batch) -> Mapping[int, str]:
        return {}  # it knows people by their keys


def _address(connection: PlatformConnection, path: str) -> httpx.URL:
    """The endpoint; a query that the connection's URL has is kept."""
    base = client.address(connection)
    return base.copy_with(path=base.path.rstrip("/") + path)


def body(batch: Batch) -> bytes:
    """The request's body; the fields are passed on as the warehouse wrote them."""
    lists = ",".join(
        f'"{action}s":[{",".join(_told(action, batch.rows))}]' for action in ("add", "change", "remove")
    )
    return f'{{"sync":{_json(batch.sync)},{lists}}}'.encode()


def _told(asked: str, rows: Iterable[Row]) -> list[str]:
    """The rows of one action."""
    if asked == "remove":
        return [f'{{"key":{_json(row.key)}}}' for row in rows if row.action == asked]
    return [
        f'{{"key":{_json(key)},"fields":{fields}}}' for _, key, action, fields, _ in rows if action == asked
    ]


def _refusals(answer: Any, batch: Batch, status_code: int) -> tuple[dict[int, str], frozenset[int]]:
    """Place → reason, and which of these unsubscribed."""
    try:
        said = {item["key"]: item for item in answer["results"]}
        taken = {key for key, item in said.items() if item.get("status") == "ok"}
    except (AttributeError, KeyError, TypeError):
        raise TryAgain("an answer that cannot be read", status_code=status_code) from None
    if taken.issuperset([row.key for row in batch.rows]):
        return {}, frozenset()
    refused, unsubscribed = {}, set()
    for row in batch.rows:
        if row.key in taken:
            continue
        status = said.get(row.key, {}).get("status")
        if status not in ("refused", "unsubscribed"):
            raise TryAgain("an answer that leaves rows out", status_code=status_code)
        refused[row.place] = str(said[row.key].get("reason") or "no reason given")
        if status == "unsubscribed":
            unsubscribed.add(row.place)
    return refused, frozenset(unsubscribed)
