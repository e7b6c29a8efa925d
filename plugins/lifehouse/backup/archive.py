"""The file of a backup: a ZIP with ``manifest.json`` and ``warehouse.dump`` (pg_dump's custom format), checked by checksums."""

from __future__ import annotations

import fcntl
import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import IO

from lifehouse.errors import LifehouseError

FORMAT = 1
_MANIFEST, _DUMP = "manifest.json", "warehouse.dump"


@dataclass(frozen=True)
class Manifest:
    """What a backup holds. ``migrations`` are those its warehouse had; versions are Postgres' major ones."""

    format: int
    made_at: str
    lifehouse: str
    server_version: int
    program_version: int
    migrations: list[str]
    sources: list[str]
    with_raw: bool
    slot: str | None
    release_id: int | None
    as_of: str | None
    marts: list[str]
    left_out: list[str]  # a person's own views on what is not in the backup


@contextmanager
def written(file: Path, manifest: Manifest) -> Iterator[IO[bytes]]:
    """Where the dump goes. The file appears, for its owner only, when it is complete; a killed backup leaves ``.<name>.part``."""
    part = file.with_name(f".{file.name}.part")
    _sweep(file.parent)
    handle = os.open(part, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with os.fdopen(handle, "w+b") as raw:
            raw.truncate()
            with zipfile.ZipFile(raw, "w", zipfile.ZIP_STORED) as archive:
                archive.writestr(_MANIFEST, json.dumps(asdict(manifest), indent=2))
                with archive.open(_DUMP, "w", force_zip64=True) as dump:
                    yield dump
            raw.flush()
            os.fsync(raw.fileno())
            part.replace(file)
    except BlockingIOError:
        raise LifehouseError(f"another backup is being written to {file}") from None
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _sweep(folder: Path) -> None:
    """Remove what killed backups left in the folder: nobody holds their lock any more."""
    for part in folder.glob(".lifehouse-*.part"):
        with suppress(OSError), part.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink()


@contextmanager
def opened(file: Path) -> Iterator[tuple[Manifest, IO[bytes]]]:
    """The manifest, and the dump to be read once from its beginning to its end; a damaged one fails at its end at the latest.

    :raises LifehouseError: there is no such file, it is damaged, or it is no backup that this version reads.
    """
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(file))
            manifest = _manifest(json.loads(archive.read(_MANIFEST)), file)
            dump = stack.enter_context(archive.open(_DUMP))
        except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
            raise _unreadable(file, getattr(error, "strerror", None)) from None
        try:
            yield manifest, dump
        except zipfile.BadZipFile:
            raise _unreadable(file) from None


def _unreadable(file: Path, reason: str | None = None) -> LifehouseError:
    reason = reason or "it is damaged, or no backup of Lifehouse"
    return LifehouseError(f"{file} cannot be read: {reason}; nothing was changed")


def _manifest(found: dict[str, object], file: Path) -> Manifest:
    if found["format"] != FORMAT:
        raise LifehouseError(f"{file} has format {found['format']}; this version of Lifehouse reads {FORMAT}")
    return Manifest(**{field.name: found[field.name] for field in fields(Manifest)})  # type: ignore[arg-type]
