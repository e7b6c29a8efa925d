"""Airflow on one machine: its parts as detached processes, started together, watched until healthy, stopped exactly."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lifehouse.errors import LifehouseError
from lifehouse.orchestration.client import AirflowClient
from lifehouse.orchestration.processes import Detached, stop
from lifehouse.orchestration.settings import Settings

#: Name and command of each part. The scheduler's log server is off: the API reads the log files itself.
PARTS: dict[str, tuple[str, ...]] = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
}
Progress = Callable[[str], None]


class AirflowError(LifehouseError):
    """Airflow could not be started, or a part of it died."""


@dataclass(frozen=True)
class Standalone:
    """Supervises the Airflow of one home. No triggerer: no task of ours defers."""

    settings: Settings
    parts: Mapping[str, Sequence[str]] = field(default_factory=lambda: PARTS)

    def start(self, progress: Progress = lambda _: None, patience: float = 120) -> AirflowClient:
        """Start what does not run and wait until Airflow is healthy; safe to call twice and from two commands at once.

        :raises AirflowError: a part died or did not get healthy; the message ends with its log's last lines.
        """
        with self._lock():
            if not self.is_current():
                self._stop()
                self.settings.write()
                progress("Airflow: database")
                self.migrate()
                progress("Airflow: processes")
                for name, arguments in self.parts.items():
                    self._launch(name, arguments)
                self._fingerprint.write_text(self.settings.fingerprint)
            self._wait_until_healthy(patience)
        return self.client()

    def _launch(self, name: str, arguments: Sequence[str]) -> None:
        command = [sys.executable, "-m", "airflow", *arguments]
        Detached(name, self.settings.folder).start(command, self.settings.environment())

    def stop(self) -> list[str]:
        """End exactly the processes of this home; returns the names of those that ran."""
        with self._lock():
            return self._stop()

    def is_alive(self) -> bool:
        """Whether any part's process lives."""
        return any(process.pid() for process in self._processes)

    def is_current(self) -> bool:
        """Whether every part's process lives and was started with these settings."""
        living = all(process.pid() for process in self._processes)
        return (
            living
            and self._fingerprint.exists()
            and self._fingerprint.read_text() == self.settings.fingerprint
        )

    def client(self) -> AirflowClient:
        """A client of the running API."""
        return AirflowClient(self.settings.url, self.settings.user, self.settings.password)

    @property
    def _fingerprint(self) -> Path:
        return self.settings.folder / "fingerprint"

    @property
    def _processes(self) -> list[Detached]:
        return [Detached(name, self.settings.folder) for name in self.parts]

    def _stop(self) -> list[str]:
        notes = sorted(self.settings.folder.glob("*.pid"))
        return stop([Detached(note.stem, self.settings.folder) for note in notes])

    def migrate(self) -> None:
        """Bring the metadata database to this Airflow's version, unless it says that it is (the command takes 4 s)."""
        if self.settings.is_migrated():
            return
        log = self.settings.folder / "migrate.log"
        with log.open("ab") as output:
            done = subprocess.run(
                [sys.executable, "-m", "airflow", "db", "migrate"],
                env=self.settings.environment(),
                cwd=self.settings.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            )
        if done.returncode:
            raise AirflowError(f"Airflow's database could not be brought up to date; see {log}")
        self.settings.note_migrated()

    def _wait_until_healthy(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        client, warm = self.client(), False
        while True:
            dead = next((process for process in self._processes if not process.pid()), None)
            if dead:
                raise AirflowError(f"Airflow's {dead.name} ended; see {dead.log}\n{dead.tail()}")
            warm = warm or client.warm()
            unhealthy = client.unhealthy()
            if warm and not unhealthy:
                return
            if time.monotonic() > deadline:
                late = ", ".join(unhealthy) or "the API for tasks"
                raise AirflowError(f"not healthy after {patience:.0f} s: {late}; see {self.settings.folder}")
            time.sleep(0.1)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.settings.folder / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
