"""A JSON endpoint of your own: batches of adds, changes and removes, an answer per row.

``POST <url>/batch`` with ``Authorization: Bearer <secret>`` and ``Idempotency-Key``; the body and the answer::

    {"sync": "...", "adds": [{"key": "...", "fields": {...}}], "changes": [...], "removes": [{"key": "..."}]}
    {"results": [{"key": "...", "status": "ok" | "refused", "reason": "..."}]}

It must be keyed: a record that comes again replaces itself, removing what is not there is ``ok``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import httpx
from pydantic import Field

from lifehouse import transport
from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.platforms.base import Answer, Batch, BatchRefused, Capabilities, Row, TryAgain
from lifehouse.activation.platforms.http import address
from lifehouse.activation.platforms.reading import retry_after
from lifehouse.config import Strict
from lifehouse.errors import PlatformError


class WebhookOptions(Strict):
    """``options`` of a sync to a webhook."""

    path: str = Field("/batch", pattern="^/")
    timeout_seconds: float = Field(30, gt=0)


class Webhook:
    """See the module's text for the protocol."""

    capabilities = Capabilities(batch_size=100, in_flight=8, keyed=True)

    def __init__(
        self, options: WebhookOptions, connection: PlatformConnection, in_flight: int | None = None
    ) -> None:
        self.options, self.connection = options, connection
        self.in_flight = in_flight or self.capabilities.in_flight
        self._url = _address(connection, options)
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        headers = {"Content-Type": "application/json", "User-Agent": "lifehouse"}
        if self.connection.secret:
            headers["Authorization"] = f"Bearer {self.connection.secret}"
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=self.options.timeout_seconds,
            trust_env=not transport.is_here(self._url.host),  # no proxy leads to this machine
            limits=httpx.Limits(max_connections=self.in_flight, max_keepalive_connections=self.in_flight),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client:
            await self._client.aclose()

    async def send(self, batch: Batch) -> Answer:
        assert self._client, "enter the platform before sending"  # noqa: S101
        try:
            response = await self._client.post(
                self._url,
                content=body(batch),
                headers={"Idempotency-Key": str(batch.idempotency_key)},
            )
        except httpx.TransportError as error:  # its text may hold the address's secrets
            raise TryAgain(type(error).__name__) from error
        return _read(response, batch, self.connection.place)

    def finish(self, state: Callable[[], Iterator[Row]]) -> int:
        return 0


def _address(connection: PlatformConnection, options: WebhookOptions) -> httpx.URL:
    """The endpoint; a query that the connection's URL has is kept."""
    base = address(connection)
    return base.copy_with(path=base.path.rstrip("/") + options.path)


def body(batch: Batch) -> bytes:
    """The request's body; the fields are passed on as the warehouse wrote them."""
    parts: dict[str, list[str]] = {"add": [], "change": [], "remove": []}
    for row in batch.rows:
        fields = "" if row.action == "remove" else f',"fields":{row.fields_json}'
        parts[row.action].append(f'{{"key":{json.dumps(row.key)}{fields}}}')
    lists = ",".join(f'"{action}s":[{",".join(rows)}]' for action, rows in parts.items())
    return f'{{"sync":{json.dumps(batch.sync)},{lists}}}'.encode()


def _read(response: httpx.Response, batch: Batch, place: str) -> Answer:
    status = response.status_code
    if status == 429:
        raise TryAgain("rate limit", wait=retry_after(response), is_limit=True, status_code=status)
    if status in (408, 425) or status >= 500:
        raise TryAgain(f"HTTP {status}", wait=retry_after(response), status_code=status)
    if status in (401, 403):
        raise PlatformError(f"{place} does not accept our credentials (HTTP {status})")
    if status in (404, 405) or not (response.is_success or response.is_client_error):
        raise PlatformError(f"{place} has no such endpoint (HTTP {status})")
    if response.is_client_error:
        raise BatchRefused(f"HTTP {status}: {_reason(response)}", status)
    return Answer(_refusals(response, batch), status)


def _refusals(response: httpx.Response, batch: Batch) -> dict[int, str]:
    try:
        said = {item["key"]: item for item in response.json()["results"]}
    except (ValueError, KeyError, TypeError):
        raise TryAgain("an answer that cannot be read", status_code=response.status_code) from None
    refused = {}
    for row in batch.rows:
        status = said.get(row.key, {}).get("status")
        if status == "refused":
            refused[row.outbox_id] = str(said[row.key].get("reason") or "no reason given")
        elif status != "ok":
            raise TryAgain("an answer that leaves rows out", status_code=response.status_code)
    return refused


def _reason(response: httpx.Response) -> str:
    try:
        said = response.json()
        return str(said.get("reason") or said.get("detail") or said.get("error") or "refused")
    except (ValueError, AttributeError):
        return "refused"
