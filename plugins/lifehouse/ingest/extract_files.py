"""Extract from folders of files: only new and changed ones, each read from a copy whose hash is what is recorded."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa

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
    made, deliveries = [], {}
    for name, table in source.tables.items():
        deliveries[name] = Delivery(name)
        try:
            copies = _fresh(ctx, source.source, name, table, connection.url, connection.options, work / name)
        except (OSError, ImportError, ValueError) as error:
            raise SourceError(
                f"{source.source}.{name}: the files at {_place(connection.url)} cannot be read "
                f"({type(error).__name__})"
            ) from None
        if copies:
            batch = _batches(source.source, table, copies, deliveries[name])
            made.append(dlt.resource(batch, name=name, columns=_columns(table)))
    return made, deliveries


def _place(url: str) -> str:
    """The address without what may be secret in it."""
    head, separator, tail = url.partition("://")
    return f"{head}://{tail.rsplit('@', 1)[-1]}" if separator else url


def _columns(table: FileTable) -> list[Any]:
    types = {"_line": "bigint"}
    names = batches.schema(table).names
    return [{"name": name, "data_type": types.get(name, "text"), "nullable": True} for name in names]


def _fresh(
    ctx: Context, source: str, name: str, table: FileTable, url: str, options: dict[str, Any], work: Path
) -> list[Copy]:
    """Copies of the files that no accepted load holds in this state, in the order of their names."""
    system, root = fsspec.url_to_fs(url, **options)
    if not system.exists(root):
        raise SourceError(f"{source}.{name}: the folder {_place(url)} does not exist")
    root = root.rstrip("/")
    found = sorted(path for path in system.glob(f"{root}/{table.files}") if system.isfile(path))
    if not found and table.refuses_empty:
        raise SourceError(f"{source}.{name}: no file matches {table.files} in {_place(url)}")
    known = {row["file"]: row["sha256"] for row in ctx.warehouse.rows(_KNOWN, (source, name))}
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
