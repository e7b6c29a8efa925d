"""Faults on demand in front of a real system: what is not at fault goes through as it is, and so does its answer."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import httpx
from simulated import Fault

from support.serving import Loopback, Quiet

_PASSED_ON = ("authorization", "content-type", "cookie", "vendure-token")


@dataclass
class Front:
    """A server before the one at ``url``. ``before`` is called before the next requests are passed on, one for each."""

    behind: str
    faults: deque[Fault] = field(default_factory=deque)
    before: deque[Callable[[], None]] = field(default_factory=deque)
    _lock: Any = field(default_factory=threading.Lock)
    _open: int = 0

    @property
    def url(self) -> str:
        return self._server.url

    def __enter__(self) -> Self:
        front = self

        class Handler(Quiet):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                with front._lock:
                    front._open += 1
                try:
                    front._talk(self)
                finally:
                    with front._lock:
                        front._open -= 1

        self._client = httpx.Client(base_url=self.behind, trust_env=False, timeout=60)
        self._server = Loopback(Handler).__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()
        self._client.close()

    def wait_until_quiet(self) -> None:
        """Until nothing is under way: the system behind works on, whoever asked is gone or not."""
        until, quiet = time.monotonic() + 60, 0
        while quiet < 3:  # one that is on its way may not have been noticed yet
            assert time.monotonic() < until, "a request does not end"
            time.sleep(0.02)
            quiet = 0 if self._open else quiet + 1

    def _talk(self, handler: Quiet) -> None:
        content = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        with self._lock:
            fault = self.faults.popleft() if self.faults else Fault()
            before = self.before.popleft() if self.before else None
        time.sleep(fault.delay)
        if before:
            before()
        if fault.is_slowness or fault.applied:
            headers = {name: value for name, value in handler.headers.items() if name.lower() in _PASSED_ON}
            answer = self._client.post(handler.path, content=content, headers=headers)
            if fault.is_slowness:
                token = {name: value for name, value in answer.headers.items() if "token" in name}
                handler.answer(answer.status_code, answer.content, headers=token)
                return
        if fault.reset:
            handler.close_connection = True
            handler.connection.close()
            return
        handler.answer(fault.status, b"{}", headers=fault.headers)
