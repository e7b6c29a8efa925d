"""A simulated platform: a real HTTP server with the vendor's behaviour behind it, keyed, with faults on demand."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from support.serving import Loopback, Quiet

_ADDRESS = re.compile(r"[^\s\"'<>(),;:]+@[^\s\"'<>(),;:]+")


@dataclass(frozen=True)
class Asked:
    """A request: the query's first values, the body as it was read (a CSV file as its lines)."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Fault:
    """What happens to one request: nothing is applied, or it is and the answer is lost. A ``delay`` alone is a slow answer."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    applied: bool = False
    reset: bool = False
    delay: float = 0

    @property
    def is_slowness(self) -> bool:
        return not (self.status or self.reset)


class Csv(list[dict[str, Any]]):
    """An answer that is a file: a line each."""


class Wrong(Exception):
    """An answer other than success: status and body."""

    def __init__(self, status: int, body: Any) -> None:
        self.status, self.body = status, body
        super().__init__(status)


class Simulated:
    """``people`` is what it holds: address → fields; ``members`` are in the segment there. It tells who ``unsubscribed``
    there when it is read back, and refuses who is ``barred`` with a word of theirs.

    :cvar extra: of a connection to it. :cvar options: of a sync. :cvar fields: of a sync. :cvar sync: what else a sync says.
    """

    name: str
    login = "login"
    secret = "secret"
    extra: dict[str, Any] = {}
    options: dict[str, Any] = {}
    fields: dict[str, str] = {"first_name": "first_name"}
    sync: dict[str, Any] = {}
    unwelcome = "unwelcome@example.com"
    own = "own@platform.example"

    def __init__(self) -> None:
        self.people: dict[str, dict[str, Any]] = {}
        self.members: set[str] = set()
        self.refused: set[str] = set()
        self.unsubscribed: set[str] = set()
        self.barred: set[str] = set()
        self.faults: deque[Fault] = deque()
        self.asked: list[Asked] = []
        self.created: list[str] = []
        self.page_size = 5
        self.between_pages: deque[Callable[[], None]] = deque()
        self._ids: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        self._numbers = itertools.count(1001)
        self._lock = threading.Lock()

    def answer(self, asked: Asked) -> tuple[int, Any]:
        """Status and body. :raises Wrong: it is refused."""
        raise NotImplementedError

    def take(self, key: str, fields: dict[str, Any], *, member: bool | None = None) -> str:
        """Hold a person, as a keyed platform does: the same address is the same person. Returns the platform's id."""
        if key not in self.people:
            self.created.append(key)
        self.people.setdefault(key, {}).update(fields)
        if member is not None:
            (self.members.add if member else self.members.discard)(key)
        return self.id_of(key)

    def id_of(self, key: str) -> str:
        if key not in self._ids:
            self._ids[key] = str(next(self._numbers))
            self._keys[self._ids[key]] = key
        return self._ids[key]

    def clear(self) -> None:
        """As if nothing had ever happened."""
        for held in (
            self.people,
            self.members,
            self.refused,
            self.faults,
            self.created,
            self._ids,
            self._keys,
        ):
            held.clear()

    def take_in(self, key: str) -> None:
        """By hand, past every sync."""
        self.take(key, {}, member=True)

    def take_off(self, key: str) -> None:
        """By hand: they are there, and no longer in the list."""
        self.members.discard(key)

    def wait_until_quiet(self) -> None:
        """It is done with what it was asked once the asking ends."""

    def forget(self, key: str) -> None:
        """Somebody deleted the person there."""
        self.people.pop(key)
        self._keys.pop(self._ids.pop(key))
        self.members.discard(key)

    def by_id(self, platform_id: str) -> str | None:
        return self._keys.get(str(platform_id))

    def page(self, start: int, size: str | None) -> list[str]:
        """Members from ``start`` on, in the order of their ids, at most a page; afterwards somebody may change the list."""
        return self._part(self.members, start, size)

    def page_of_all(self, start: int, size: str | None) -> list[str]:
        """Likewise, of everybody."""
        return self._part(self.people.keys(), start, size)

    def behind(self, number: str, of: Iterable[str]) -> int:
        """How many of them have an id up to ``number``: where a page behind it starts."""
        return sum(int(self.id_of(key)) <= int(number) for key in of)

    def _part(self, of: Iterable[str], start: int, size: str | None) -> list[str]:
        listed = sorted(of, key=lambda key: int(self.id_of(key)))
        found = listed[start : start + min(self.page_size, int(size or 10))]
        if self.between_pages:
            self.between_pages.popleft()()
        return found

    @property
    def url(self) -> str:
        return self._server.url

    def __enter__(self) -> Self:
        simulated = self

        class Handler(Quiet):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                simulated._talk(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any

        self._server = Loopback(Handler).__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()

    def _talk(self, handler: Quiet) -> None:
        raw = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)).decode()
        kind = handler.headers.get("Content-Type") or ""
        parts = urlsplit(handler.path)
        asked = Asked(
            handler.command,
            unquote(parts.path),
            _in_its_form(_firsts(parts.query)),
            {name.lower(): value for name, value in handler.headers.items()},
            _in_its_form(_read(kind, raw)),
        )
        with self._lock:
            self.asked.append(asked)
            fault = self.faults.popleft() if self.faults else None
        if fault:
            time.sleep(fault.delay)
            fault = None if fault.is_slowness else fault
        with self._lock:
            try:
                status, body = (0, None) if fault and not fault.applied else self.answer(asked)
            except Wrong as wrong:
                status, body = wrong.status, wrong.body
        if fault and fault.reset:
            handler.close_connection = True
            handler.connection.close()
            return
        if fault:
            status, body = fault.status, {}
        is_file = isinstance(body, Csv)
        said = b"" if body is None else _csv(body) if isinstance(body, Csv) else json.dumps(body).encode()
        kind = "text/csv" if is_file else "application/json"
        handler.answer(status, said, headers=fault.headers if fault else {}, kind=kind)


def _in_its_form(told: Any) -> Any:
    """Addresses as platforms keep and repeat them, whatever they were sent: in small letters."""
    if isinstance(told, str):
        return _ADDRESS.sub(lambda match: match[0].lower(), told)
    if isinstance(told, dict):
        return {name: _in_its_form(value) for name, value in told.items()}
    return [_in_its_form(item) for item in told] if isinstance(told, list) else told


def _firsts(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}


def _read(kind: str, raw: str) -> Any:
    if kind.startswith("application/x-www-form"):
        return _firsts(raw)
    if kind.startswith("text/csv"):
        return list(csv.DictReader(io.StringIO(raw, newline=""), strict=True))
    return json.loads(raw) if raw else None


def _csv(lines: Csv) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(
        text, list(dict.fromkeys(name for line in lines for name in line)), lineterminator="\n"
    )
    if lines:
        writer.writeheader()
        writer.writerows(lines)
    return text.getvalue().encode()
