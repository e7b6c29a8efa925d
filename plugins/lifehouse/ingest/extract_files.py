"""Extract from folders of files: only new and changed ones, each read from a copy whose hash is what is recorded."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from lifehouse import folders
from lifehouse.context import Context
from lifehouse.errors import SourceError
from lifehouse.ingest import batches, read_file
from lifehouse.ingest.connections import resolved
from lifehouse.ingest.declaration import FilesSource
from lifehouse.ingest.delivery import Delivery, FileRead
from lifehouse.ingest.table import FileTable

_CHUNK = 1 << 20
_KNOWN = """
select distinct on (file) file, sha256
from control.files
inner join control.loads using (load_id, source)
where source = %s and table_name = %s and loads.status = 'accepted'
order by file, load_id desc
"""


@dataclass(frozen=True)
class Copy:
    """A file as it was when it was copied."""

    name: str
    path: Path
    size: int
    sha256: str


def resources(ctx: Context, source: FilesSource) -> tuple[list[Any], dict[str, Delivery]]:
    """One dlt resource for every table that has new or changed files, and the deliveries they fill.

    :raises SourceError: the folder cannot be read, or a table that refuses to be empty has no file at all.
    """
    import dlt  # noqa: PLC0415

    connection = resolved(source.source, source.connection)
    work = ctx.home.folder("dlt", "work", source.source, "files")
    place = folders.shown(connection.url)
    deliveries = {name: Delivery(name) for name in source.tables}
    copies: dict[str, list[Copy]] = {}
    try:
        with folders.opened(connection.url, connection.options) as (system, root):
            for name, table in source.tables.items():
                found = _found(system, root, f"{source.source}.{name}", place, table)
                known = {
                    row["file"]: row["sha256"] for row in ctx.warehouse.rows(_KNOWN, (source.source, name))
                }
                copies[name] = _fresh(system, root, found, known, work / name)
    except folders.FolderRefused as error:
        raise SourceError(f"{source.source}: {error}") from None
    except (OSError, ImportError, ValueError) as error:
        raise SourceError(
            f"{source.source}: the files at {place} cannot be read ({type(error).__name__})"
        ) from None
    made = [
        dlt.resource(
            _batches(source.source, source.tables[name], fresh, deliveries[name]),
            name=name,
            columns=_columns(source.tables[name]),
        )
        for name, fresh in copies.items()
        if fresh
    ]
    return made, deliveries


def _columns(table: FileTable) -> list[Any]:
    types = {"_line": "bigint"}
    names = batches.schema(table).names
    return [{"name": name, "data_type": types.get(name, "text"), "nullable": True} for name in names]


def _found(system: Any, root: str, name: str, place: str, table: FileTable) -> list[str]:
    """The paths of a table's files, in the order of their names."""
    if not folders.is_there(system, root):
        raise SourceError(f"{name}: the folder {place} does not exist")
    found = sorted(path for path in system.glob(f"{root}/{table.files}") if system.isfile(path))
    if not found and table.refuses_empty:
        raise SourceError(f"{name}: no file matches {table.files} in {place}")
    return found


def _fresh(system: Any, root: str, found: list[str], known: dict[str, str], work: Path) -> list[Copy]:
    """Copies of the files that no accepted load holds in this state. ``known``: a file's SHA-256 by its name."""
    work.mkdir(parents=True, exist_ok=True)
    copies: list[Copy] = []
    for path in found:
        relative = path.removeprefix(root).lstrip("/")
        target = work / f"{len(copies)}-{Path(path).name}"
        size, digest = _copy(system, path, target)
        if known.get(relative) == digest:
            target.unlink()
        else:
            copies.append(Copy(relative, target, size, digest))
    return copies


def _copy(system: Any, path: str, target: Path) -> tuple[int, str]:
    """Bytes and SHA-256 of what was copied."""
    digest, size = hashlib.sha256(), 0
    with system.open(path, "rb") as source, target.open("wb") as copy:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            copy.write(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


def _batches(source: str, table: FileTable, copies: list[Copy], delivery: Delivery) -> Iterator[pa.Table]:
    """The files' rows, small files gathered into batches of a useful size."""
    gathered: list[pa.Table] = []
    waiting = 0
    for copy in copies:
        rows = 0
        for batch in read_file.batches_of(
            f"{source}.{delivery.table}", table, copy.name, copy.path, delivery
        ):
            rows += batch.num_rows
            waiting += batch.num_rows
            gathered.append(batch)
            if waiting >= batches.ROWS:
                yield pa.concat_tables(gathered)
                gathered, waiting = [], 0
        delivery.files.append(FileRead(copy.name, copy.size, copy.sha256, rows))
        copy.path.unlink()
    if waiting:
        yield pa.concat_tables(gathered)
    if copies:
        shutil.rmtree(copies[0].path.parent, ignore_errors=True)
