"""Files of changes in a folder that someone else reads: local, ``s3://``, ``sftp://``, whatever fsspec opens.

A delivery is ``<sync>.release-<n>.run-<n>.<part>.<batch>.csv`` with the columns action, key and one per field. It appears whole
or not at all, and one that is written again after a crash replaces itself. ``full_state`` also keeps ``<sync>.full.csv`` up
to date: everyone the platform should hold. ``manifest`` writes ``<sync>.release-<n>.run-<n>.manifest.json`` last. All of them may
be Parquet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from lifehouse import folders
from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.platforms import manifest, row_file
from lifehouse.activation.platforms.base import (
    Answer,
    Batch,
    BatchRefused,
    Capabilities,
    Row,
    TryAgain,
    Unopened,
)
from lifehouse.activation.platforms.listing import Members
from lifehouse.activation.platforms.row_file import Unfit, Written
from lifehouse.config import Strict
from lifehouse.errors import ConfigError, PlatformError


class CsvDropOptions(Strict):
    """``options`` of a sync to a CSV drop. Without a connection, ``folder`` is a URL or a path below the state folder."""

    folder: str | None = Field(None, description="below the connection's URL, if there is one")
    full_state: bool = False
    manifest: bool = Field(False, description="a file that tells of a run's files, written after them")
    format: row_file.Format = "csv"
    kinds: dict[str, row_file.Kind] = Field(
        default_factory=dict, description="of fields in Parquet: integer, decimal, date...; else text"
    )

    @model_validator(mode="after")
    def _kinds_are_of_parquet(self) -> CsvDropOptions:
        if self.kinds and self.format == "csv":
            raise ValueError("kinds: a CSV file has none; they go with format: parquet")
        return self


class CsvDrop(Unopened):
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
        mode: str = "mirror",
    ) -> None:
        self.options, self.sync, self.columns, self.mode = options, sync, list(columns), mode
        for name in options.kinds:
            if name not in self.columns:
                raise ConfigError(f"sync {sync}: options.kinds: there is no field {name!r}")
        self.full = f"{sync}.full.{options.format}"
        self._written: dict[str, Written] = {}
        self.url, self.settings = _place(options, connection, below)

    async def send(self, batch: Batch) -> Answer:
        part = f"{batch.number:04d}.{batch.idempotency_key.hex[:8]}"
        run = f"release-{batch.release_id:06d}.run-{batch.sync_run_id:06d}"
        name = f"{batch.sync}.{run}.{part}.{self.options.format}"
        lines = ([row.action, row.key, *self._values(row)] for row in batch.rows)
        try:
            await asyncio.to_thread(self._write, name, ["action", "key", *self.columns], lines)
        except Unfit as error:
            raise BatchRefused(str(error)) from None
        except OSError as error:
            raise TryAgain(f"{type(error).__name__} while writing {name}") from error
        return Answer({})

    def finish(self, state: Callable[[], Iterator[Row]]) -> int:
        name, calls = self.full, 0
        try:
            if self.options.full_state:
                lines = ([row.key, *self._values(row)] for row in state())
                self._write(name, ["key", *self.columns], lines)
                calls += 1
            if self.options.manifest:
                name = "the manifest"
                calls += self._tell()
        except (OSError, Unfit) as error:
            what = str(error) if isinstance(error, Unfit) else type(error).__name__
            raise PlatformError(f"{what} while writing {name}; the next sync writes it") from error
        return calls

    def _tell(self) -> int:
        """Write the manifests that are due; how many."""
        with folders.opened(self.url, self.settings) as (system, folder):
            found = manifest.due(system, folder, self.sync, self._written)
            for name, names in found.items():
                others = {
                    one: manifest.read_back(system, folder, one, "csv" if one.endswith("csv") else "parquet")
                    for one in names
                    if one not in self._written
                }
                said = {"sync": self.sync, "mode": self.mode, "columns": ["action", "key", *self.columns]}
                full = self._written.get(self.full)
                told = manifest.text(names, self._written, others, **said, full=full and vars(full))
                with folders.whole_file(system, f"{folder}/{name}") as raw:
                    raw.write(told.encode())
        return len(found)

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
            raise TryAgain(f"{type(error).__name__} while reading {self.full}") from error

    async def look_up(self, batch: Batch) -> Mapping[int, str]:
        return {}  # a file knows keys alone

    def _keys(self) -> list[str]:
        with (
            folders.opened(self.url, self.settings) as (system, folder),
            system.open(f"{folder}/{self.full}", "rb") as source,
        ):
            return row_file.column(source, self.options.format, "key")

    def _values(self, row: Row) -> list[Any]:
        fields = row.fields
        return [fields.get(column) for column in self.columns]

    def _write(self, name: str, header: list[str], lines: Iterable[list[Any]]) -> None:
        """:raises PlatformError: the folder is not ours to write. :raises OSError: this time it went wrong."""
        try:
            with (
                folders.opened(self.url, self.settings) as (system, folder),
                folders.whole_file(system, f"{folder}/{name}") as raw,
            ):
                self._written[name] = row_file.write(
                    raw, name, header, lines, self.options.format, self.options.kinds
                )
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
