"""Detached processes of one home: a pid file each, started once, stopped exactly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil


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
        """Start ``command`` unless it runs; returns the pid. Output is appended to the log."""
        running = self.pid()
        if running:
            return running
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
        note = {"pid": process.pid, "started": psutil.Process(process.pid).create_time()}
        draft = self._note.with_suffix(".new")
        draft.write_text(json.dumps(note))
        draft.replace(self._note)
        return process.pid

    def pid(self) -> int | None:
        """The pid of the running process, or None."""
        try:
            note = json.loads(self._note.read_text())
            process = psutil.Process(note["pid"])
            same = abs(process.create_time() - note["started"]) < 1
            return process.pid if same and process.status() != psutil.STATUS_ZOMBIE else None
        except (OSError, ValueError, KeyError, psutil.Error):
            return None

    def tail(self, lines: int = 5) -> str:
        """The last lines of the log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


def stop(processes: Sequence[Detached], patience: float = 10.0) -> list[str]:
    """End the given processes and all that they started: first asked, after ``patience`` seconds killed.

    Returns the names of those that ran.
    """
    sessions = {process: pid for process in processes if (pid := process.pid())}
    members = {pid: _session(pid) for pid in sessions.values()}
    for pid in sessions.values():
        _signal(pid, signal.SIGTERM)
    everyone = [member for found in members.values() for member in found]
    _wait(everyone, patience)
    for pid in sessions.values():
        for member in _session(pid):
            _signal(member.pid, signal.SIGKILL)
    _wait(everyone, 5)
    for process in processes:
        process._note.unlink(missing_ok=True)
    return [process.name for process in sessions]


def _session(leader: int) -> list[psutil.Process]:
    """All living processes of the session that ``leader`` made."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (OSError, psutil.Error):
            continue
    return found


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _wait(processes: list[psutil.Process], patience: float) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and any(_alive(process) for process in processes):
        time.sleep(0.05)


def _alive(process: psutil.Process) -> bool:
    try:
        if process.pid in _children():
            os.waitpid(process.pid, os.WNOHANG)
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except (OSError, psutil.Error):
        return False


def _children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}
