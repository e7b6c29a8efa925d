"""Detached processes of one home: a pid file each, started once, stopped exactly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_LONG = 20_000_000  # bytes


@dataclass(frozen=True)
class Detached:
    """One process that outlives the command that started it.

    It leads a session of its own, so that everything it forks is found again by the session's id. The pid file
    also holds the process's start time: a pid that the system gave to somebody else is never taken for ours.
    """

    name: str
    folder: Path

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def _note(self) -> Path:
        return self.folder / f"{self.name}.pid"

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Start ``command`` unless it runs; returns the pid. Output is appended to the log, a long one is set aside."""
        running = self.pid()
        if running:
            return running
        if self.log.exists() and self.log.stat().st_size > _LONG:
            self.log.replace(self.log.with_suffix(".log.old"))
        with open(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
            process = subprocess.Popen(  # noqa: S603
                list(command),
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                env=dict(environment),
                cwd=self.folder,
                start_new_session=True,
            )
        draft = self._note.with_suffix(".new")
        draft.write_text(
            json.dumps({"pid": process.pid, "started": psutil.Process(process.pid).create_time()})
        )
        draft.replace(self._note)
        return process.pid

    def pid(self) -> int | None:
        """The pid of the running process, or None."""
        note = self._read()
        return note.pid if note and note.leader() else None

    def members(self) -> list[psutil.Process]:
        """The process and all that it started, alive: also where it died itself and left others behind."""
        note = self._read()
        if note is None or (psutil.pid_exists(note.pid) and not note.leader()):
            return []
        return [
            process for process in psutil.process_iter() if _session(process) == note.pid and _alive(process)
        ]

    def forget(self) -> None:
        """Remove the pid file."""
        self._note.unlink(missing_ok=True)

    def tail(self, lines: int = 5) -> str:
        """The last lines of the log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def _read(self) -> _Note | None:
        try:
            return _Note(**json.loads(self._note.read_text()))
        except (OSError, ValueError, TypeError):
            return None


@dataclass(frozen=True)
class _Note:
    pid: int
    started: float

    def leader(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            return abs(process.create_time() - self.started) < 1 and _alive(process)
        except psutil.Error:
            return False


def stop(processes: Sequence[Detached], patience: float = 10.0) -> list[str]:
    """End the given processes and all that they started: first asked, after ``patience`` seconds killed.

    Returns the names of those that ran.
    """
    ours = {process.name: process.members() for process in processes}
    for process in processes:
        leader = process.pid()
        for member in ours[process.name]:
            if leader in {None, member.pid}:  # a leader ends its own; where it died, each is asked
                _signal(member.pid, signal.SIGTERM)
    _wait([member for members in ours.values() for member in members], patience)
    left = [member for process in processes for member in process.members()]
    for member in left:
        _signal(member.pid, signal.SIGKILL)
    _wait(left, 5)
    for process in processes:
        process.forget()
    return [name for name, members in ours.items() if members]


def _session(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except OSError:
        return None


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _wait(processes: list[psutil.Process], patience: float) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and any(_alive(process) for process in processes):
        time.sleep(0.05)


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
