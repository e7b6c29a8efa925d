"""The demo's two background processes, the simulated CRM and the receiver: started detached, stopped by pid."""

from __future__ import annotations

import fcntl
import os
import secrets
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from lifehouse.context import Context
from lifehouse.demo import shop
from lifehouse.errors import SourceError
from lifehouse.home import Home
from lifehouse.warehouse.server import EmbeddedServer

_PATIENCE = 60  # seconds until a process must listen
_GRACE = 10  # seconds until a process that was asked to end is killed


@dataclass(frozen=True)
class Service:
    """One process, with its files under ``<home>/demo/``."""

    name: str
    module: str
    home: Home

    @property
    def variable(self) -> str:
        return f"LIFEHOUSE_{self.name.upper()}"

    @property
    def token(self) -> str:
        """The bearer token, drawn once for this home."""
        file = self._file("token")
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(24))
        return file.read_text().strip()

    @property
    def url(self) -> str | None:
        """Where it listens; None if it does not run."""
        port = self._file("port")
        return f"http://127.0.0.1:{port.read_text().strip()}" if self.pid() and port.exists() else None

    def pid(self) -> int | None:
        """The running process. A pid that now belongs to another program does not count."""
        try:
            pid = int(self._file("pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return (
            pid if self.module.encode() in command and str(self._file("port")).encode() in command else None
        )

    def start(self, *arguments: str) -> str:
        """Its address; it is started if it does not run.

        :raises SourceError: it ended at once, or does not listen within a minute.
        """
        with self._lock():
            running = self.url
            if running:
                return running
            self._file("port").unlink(missing_ok=True)
            files = ("--port-file", str(self._file("port")), "--state", str(self._file("state")))
            with self._file("log").open("ab") as log:
                process = subprocess.Popen(  # noqa: S603
                    [sys.executable, "-m", self.module, *files, *arguments],
                    env={**os.environ, f"{self.variable}_TOKEN": self.token},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    start_new_session=True,
                )
            self._file("pid").write_text(str(process.pid))
            deadline = time.monotonic() + _PATIENCE
            while not self._file("port").exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise SourceError(f"the demo's {self.name} did not start; see {self._file('log')}")
                time.sleep(0.05)
        return str(self.url)

    def stop(self) -> bool:
        """End exactly this process and wait until it is gone; says whether it ran."""
        pid = self.pid()
        ended = pid is not None and self._end(pid)
        self._file("pid").unlink(missing_ok=True)
        self._file("port").unlink(missing_ok=True)
        return ended

    def _end(self, pid: int) -> bool:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return False
        try:
            if self.pid() != pid:  # ended, and its number may be another's by now
                return False
            gone = select.poll()
            gone.register(handle, select.POLLIN)
            for ending in (signal.SIGTERM, signal.SIGKILL):
                signal.pidfd_send_signal(handle, ending)
                if gone.poll(_GRACE * 1000):
                    break
        finally:
            os.close(handle)
        with suppress(ChildProcessError):  # our own child would stay a zombie
            os.waitpid(pid, os.WNOHANG)
        return True

    def _file(self, kind: str) -> Path:
        return self.home.file("demo", f"{self.name}.{kind}")

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with self._file("lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def crm(ctx: Context) -> Service:
    """The simulated CRM of this home."""
    return Service("crm", "lifehouse.demo.crm_server", ctx.home)


def receiver(ctx: Context) -> Service:
    """The receiver of this home."""
    return Service("receiver", "lifehouse.demo.receiver", ctx.home)


def start(ctx: Context, households: int | None = None) -> dict[str, str]:
    """Start what does not run yet; the environment variables by which the sources and the sync find it.

    The shop is the database that ``LIFEHOUSE_SHOP_URL`` names, else ``shop`` on the embedded server.
    """
    sample = () if households is None else ("--households", str(households))
    return {
        "LIFEHOUSE_SHOP_URL": os.environ.get("LIFEHOUSE_SHOP_URL")
        or shop.create_database(EmbeddedServer(ctx.home).url),
        "LIFEHOUSE_CRM_URL": crm(ctx).start(*sample),
        "LIFEHOUSE_CRM_TOKEN": crm(ctx).token,
        "LIFEHOUSE_RECEIVER_URL": receiver(ctx).start(),
        "LIFEHOUSE_RECEIVER_TOKEN": receiver(ctx).token,
    }


def advance(ctx: Context, as_of: datetime) -> None:
    """Turn the CRM's clock on to ``as_of``; it never goes back.

    :raises SourceError: the CRM does not run, or does not answer.
    """
    service = crm(ctx)
    url = service.url
    if url is None:
        raise SourceError("the demo's CRM does not run")
    try:
        answer = httpx.post(
            f"{url}/demo/as_of",
            json={"as_of": as_of.isoformat()},
            headers={"Authorization": f"Bearer {service.token}"},
            timeout=30,
        )
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise SourceError(f"the demo's CRM does not answer: {error}") from None


def stop(ctx: Context) -> list[str]:
    """End the processes of this home; the names of those that ran. The shop's database stays."""
    return [service.name for service in (crm(ctx), receiver(ctx)) if service.stop()]
