"""The server that both engines send to: raw asyncio in a process of its own, so that it is not what is measured.

It reads every body, answers every row as the webhook and as HubSpot do, and counts. ``GET /`` tells the counts and forgets them.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import httpx
import orjson


@dataclass
class Seen:
    """Of the requests since the last look; ``seconds`` from the first one's beginning to the last one's answer."""

    requests: int = 0
    rows: int = 0
    seconds: float = 0.0
    at_once: int = 0
    in_a_second: int = 0
    paths: dict[str, int] = field(default_factory=dict)

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds

    @property
    def requests_per_second(self) -> float:
        return self.requests / self.seconds


@dataclass
class _Counts:
    began: list[float] = field(default_factory=list)
    paths: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    ended: float = 0.0
    now: int = 0
    most: int = 0

    def told(self) -> Seen:
        seconds = self.ended - self.began[0] if self.began else 0.0
        first, in_a_second = 0, 0
        for index, moment in enumerate(self.began):
            while moment - self.began[first] >= 1:
                first += 1
            in_a_second = max(in_a_second, index - first + 1)
        return Seen(len(self.began), self.rows, seconds, self.most, in_a_second, self.paths)


def _results(said: Any) -> list[dict[str, Any]]:
    """Every row is well: of the webhook's protocol, of HubSpot's upsert, of its list's memberships."""
    keys = [row["key"] for action in ("adds", "changes", "removes") for row in said.get(action, ())]
    contacts = [
        {"id": row["id"], "objectWriteTraceId": row["objectWriteTraceId"]} for row in said.get("inputs", ())
    ]
    return [*({"key": key, "status": "ok"} for key in keys), *contacts]


class _Talk(asyncio.Protocol):
    """One connection; its requests are answered in turn."""

    counts = _Counts()
    delay = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._heard = transport, bytearray()

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while (end := self._heard.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._heard[:end])
            path, head = head.split(b" ", 2)[1].decode(), head.lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._heard) < end + 4 + length:
                return
            body = bytes(self._heard[end + 4 : end + 4 + length])
            del self._heard[: end + 4 + length]
            self._answer(path, body)

    def _answer(self, path: str, body: bytes) -> None:
        if not body:
            told, _Talk.counts = self.counts.told(), _Counts()
            self._say(orjson.dumps(told))
            return
        counts = self.counts
        counts.began.append(time.monotonic())
        counts.now += 1
        counts.most = max(counts.most, counts.now)
        results = _results(orjson.loads(body))
        counts.rows += len(results)
        counts.paths[path] = counts.paths.get(path, 0) + 1
        answer = orjson.dumps({"results": results})
        if self.delay:
            asyncio.get_running_loop().call_later(self.delay, self._end, counts, answer)
        else:
            self._end(counts, answer)

    def _end(self, counts: _Counts, answer: bytes) -> None:
        counts.now -= 1
        counts.ended = time.monotonic()
        self._say(answer)

    def _say(self, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Receiver:
    url: str

    def seen(self) -> Seen:
        return Seen(**httpx.get(self.url, trust_env=False).json())


@contextmanager
def receiving(delay: float = 0.0) -> Iterator[Receiver]:
    """A receiver that takes ``delay`` seconds for an answer."""
    command = [sys.executable, "-m", "benchmarks._receiver", str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield Receiver(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.terminate()


def ceiling(receiver: Receiver, requests: int = 2_000) -> float:
    """Rows a second that it answers when a bare socket asks, batch after batch, eight under way."""
    rows = [
        {"key": f"c{n:07}@example.com", "fields": {"name": f"Name {n}", "revenue": n}} for n in range(100)
    ]
    body = orjson.dumps({"sync": "push", "adds": rows, "changes": [], "removes": []})
    request = f"POST /batch HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    whole = httpx.URL(receiver.url)
    with (
        socket.create_connection((whole.host, whole.port or 0)) as connection,
        connection.makefile("rb") as heard,
    ):
        for number in range(requests + 8):
            if number < requests:
                connection.sendall(request)
            if number >= 8:
                lengths = [
                    int(line.split(b":")[1]) for line in iter(heard.readline, b"\r\n") if b"Length" in line
                ]
                heard.read(lengths[0])
    return receiver.seen().rows_per_second


def asked_bare(receiver: Receiver, requests: int, width: int) -> Seen:
    """What it sees of ``width`` loops that ask and do nothing else: what is left of its delay on this machine."""
    rows = [
        {"key": f"c{n:07}@example.com", "fields": {"name": f"Name {n}", "revenue": n}} for n in range(100)
    ]
    body = orjson.dumps({"sync": "push", "adds": rows, "changes": [], "removes": []})

    async def one(session: aiohttp.ClientSession) -> None:
        for _ in range(requests // width):
            async with session.post(f"{receiver.url}/batch", data=body) as answer:
                await answer.read()

    async def all_of_them() -> None:
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
            for _ in range(width):
                tasks.create_task(one(session))

    asyncio.run(all_of_them())
    return receiver.seen()


async def _serve(delay: float) -> None:
    _Talk.delay = delay
    server = await asyncio.get_running_loop().create_server(_Talk, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
