"""A real HTTP server that speaks the webhook's protocol, keyed and idempotent, with faults on demand."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "s3cret-token"


@dataclass
class Request:
    """What came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def key(self) -> str:
        return self.headers["idempotency-key"]

    @property
    def rows(self) -> list[tuple[str, dict[str, Any]]]:
        return [(action, row) for action in ("adds", "changes", "removes") for row in self.json[action]]


@dataclass
class Fault:
    """What to do to one request instead of, or after, applying it.

    ``reset``: close the connection without an answer. ``applied``: the request takes effect all the same.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = "{}"
    reset: bool = False
    applied: bool = False
    delay: float = 0


class Receiver:
    """Runs in a thread of its own. ``held`` is what it holds: sync → key → fields."""

    def __init__(self) -> None:
        self.held: dict[str, dict[str, dict[str, Any]]] = {}
        self.requests: list[Request] = []
        self.faults: deque[Fault] = deque()
        self.refuse: Callable[[str, str, dict[str, Any]], str | None] = lambda action, key, fields: None
        self.refuse_batch: Callable[[Request], bool] = lambda request: False
        self.delay = 0.0
        self.again: list[
            str
        ] = []  # adds of what it holds already, other than repeats under the same Idempotency-Key
        self.most_at_once = 0
        self._at_once = 0
        self._answers: dict[str, tuple[bytes, bytes]] = {}
        self._started = threading.Event()

    def __enter__(self) -> Receiver:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def doubled(self) -> int:
        return len(self.again)

    def keys(self, sync: str) -> set[str]:
        return set(self.held.get(sync, {}))

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        async with server:
            await self._stop.wait()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {
                    name.lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in head[1:] if line)
                }
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self._at_once += 1
                self.most_at_once = max(self.most_at_once, self._at_once)
                try:
                    answer = await self._answer(Request(head[0].split()[1], headers, body))
                finally:
                    self._at_once -= 1
                if answer is None:
                    writer.transport.abort()
                    return
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.close()

    async def _answer(self, request: Request) -> bytes | None:
        self.requests.append(request)
        if self.delay:
            await asyncio.sleep(self.delay)
        fault = self.faults.popleft() if self.faults else None
        if fault:
            await asyncio.sleep(fault.delay)
            if fault.applied:
                self._apply(request)
            if fault.reset:
                return None
            if fault.status:
                return _response(fault.status, fault.body.encode(), fault.headers)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _response(401, b"{}")
        if request.path.startswith("/members?"):
            return _response(200, self._page(parse_qs(urlsplit(request.path).query)))
        if self.refuse_batch(request):
            return _response(400, b'{"reason": "something in it is wrong"}')
        return _response(200, self._apply(request))

    def _page(self, query: dict[str, list[str]]) -> bytes:
        """Ten members, and where the next ten begin."""
        behind = query.get("after", [""])[0]
        keys = sorted(key for key in self.held.get(query["sync"][0], {}) if key > behind)[:10]
        return json.dumps(
            {"members": [{"key": key} for key in keys], "next": keys[-1] if keys else None}
        ).encode()

    def _apply(self, request: Request) -> bytes:
        if request.key in self._answers:
            body, answer = self._answers[request.key]
            assert body == request.body, "another body under the same Idempotency-Key"
            return answer
        held = self.held.setdefault(request.json["sync"], {})
        results = []
        for action, row in request.rows:
            key, fields = row["key"], row.get("fields", {})
            reason = self.refuse(action, key, fields)
            if reason is None:
                if action == "adds" and key in held:
                    self.again.append(key)
                held.pop(key, None)
                if action != "removes":
                    held[key] = fields
            results.append({"key": key, "status": _status(reason), "reason": reason})
        answer = json.dumps({"results": results}).encode()
        self._answers[request.key] = (request.body, answer)
        return answer


def _response(status: int, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _status(reason: str | None) -> str:
    """``refuse`` may also say ``unsubscribed``."""
    if reason == "unsubscribed":
        return reason
    return "refused" if reason else "ok"
