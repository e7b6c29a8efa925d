"""Files of changes in a folder that someone else reads: local, ``s3://``, ``sftp://``, whatever fsspec opens.

A delivery is ``<sync>.release-<n>.run-<n>.<part>.<batch>.csv`` with the columns action, key and one per field. It appears whole
or not at all, and one that is written again after a crash replaces itself. ``full_state`` also keeps ``<sync>.full.csv`` up
to date: everyone the platform should hold.
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import Field

from lifehouse import folders
from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.platforms.base import Answer, Batch, Capabilities, Row, TryAgain
from lifehouse.activation.platforms.listing import Members
from lifehouse.config import Strict
from lifehouse.errors import ConfigError, PlatformError


class CsvDropOptions(Strict):
    """``options`` of a sync to a CSV drop. Without a connection, ``folder`` is a URL or a path below the state folder."""

    folder: str | None = Field(None, description="below the connection's URL, if there is one")
    full_state: bool = False


class CsvDrop:
    """One folder of deliveries."""

    capabilities = Capabilities(batch_size=100_000, in_flight=1, keyed=True)

    def __init__(
        self,
        options: CsvDropOptions,
        connection: PlatformConnection | None,
        *,
        sync: str,
        columns: Iterable[str],
        below: Path,
    ) -> None:
        self.options, self.sync, self.columns = options, sync, list(columns)
        self.url, self.settings = _place(options, connection, below)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def send(self, batch: Batch) -> Answer:
        part = f"{batch.number:04d}.{batch.idempotency_key.hex[:8]}"
        name = f"{batch.sync}.release-{batch.release_id:06d}.run-{batch.sync_run_id:06d}.{part}.csv"
        lines = ([row.action, row.key, *self._values(row)] for row in batch.rows)
        try:
            await asyncio.to_thread(self._write, name, ["action", "key", *self.columns], lines)
        except OSError as error:
            raise TryAgain(f"{type(error).__name__} while writing {name}") from error
        return Answer({})

    def finish(self, state: Callable[[], Iterator[Row]]) -> int:
        if not self.options.full_state:
            return 0
        name = f"{self.sync}.full.csv"
        try:
            self._write(name, ["key", *self.columns], ([row.key, *self._values(row)] for row in state()))
        except OSError as error:
            raise PlatformError(
                f"{type(error).__name__} while writing {name}; the next sync writes it"
            ) from error
        return 1

    @property
    def listing(self) -> Members | None:
        return Members(path="/", at="@", key="@") if self.options.full_state else None

    async def page(self, cursor: str | None) -> Any:
        """The keys in the file with everybody; none if there is no file."""
        try:
            return await asyncio.to_thread(self._keys)
        except FileNotFoundError:
            return []
        except folders.FolderRefused as error:
            raise PlatformError(str(error)) from None
        except OSError as error:
            raise TryAgain(f"{type(error).__name__} while reading {self.sync}.full.csv") from error

    async def look_up(self, batch: Batch) -> Mapping[int, str]:
        return {}  # a file knows keys alone

    def _keys(self) -> list[str]:
        with (
            folders.opened(self.url, self.settings) as (system, folder),
            system.open(f"{folder}/{self.sync}.full.csv", "r", encoding="utf-8", newline="") as text,
        ):
            return [row["key"] for row in csv.DictReader(text)]

    def _values(self, row: Row) -> list[Any]:
        fields = row.fields
        values = (fields.get(column) for column in self.columns)
        return [str(value).lower() if isinstance(value, bool) else value for value in values]

    def _write(self, name: str, header: list[str], lines: Iterable[list[Any]]) -> None:
        """:raises PlatformError: the folder is not ours to write. :raises OSError: this time it went wrong."""
        try:
            with (
                folders.opened(self.url, self.settings) as (system, folder),
                folders.whole_file(system, f"{folder}/{name}") as text,
            ):
                writer = csv.writer(text, lineterminator="\n")
                writer.writerow(header)
                writer.writerows(lines)
        except folders.FolderRefused as error:
            raise PlatformError(f"{error}; {name} is left for the next sync") from None
        except (PermissionError, FileNotFoundError) as error:
            raise PlatformError(
                f"{type(error).__name__} while writing {name} to {folders.shown(self.url)}; "
                "it is left for the next sync"
            ) from error


def _place(
    options: CsvDropOptions, connection: PlatformConnection | None, below: Path
) -> tuple[str, dict[str, Any]]:
    """The folder's URL, and all that opens it."""
    folder = options.folder or ""
    if connection is None:
        if not folder:
            raise ConfigError("a csv_drop needs a connection, or options.folder")
        return (folder if "://" in folder else f"file://{below / folder}"), {}
    url = connection.url.rstrip("/") + (f"/{folder.strip('/')}" if folder else "")
    scheme = url.split("://", 1)[0]
    settings: dict[str, Any] = dict(connection.extra)
    names = ("key", "secret") if scheme in ("s3", "s3a") else ("username", "password")
    for name, value in zip(names, (connection.login, connection.secret), strict=True):
        if value and scheme != "file":
            settings[name] = value
    return url, settings
