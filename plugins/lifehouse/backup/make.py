"""``lifehouse backup``: one file, of one instant, made by pg_dump."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from lifehouse.backup import archive, contents
from lifehouse.context import Context
from lifehouse.errors import LifehouseError, WarehouseError
from lifehouse.redaction import without_values
from lifehouse.warehouse import tools

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Backup:
    """A backup that was made; ``size`` in bytes."""

    file: Path
    size: int
    manifest: archive.Manifest


def backup(ctx: Context, target: Path, *, with_raw: bool = False) -> Backup:
    """Write the control tables, identities, what platforms hold, and the published marts to a file.

    Everything is of one instant; loads, runs and syncs go on meanwhile. Nothing is at the target until it is complete.

    :param target: the file, or a folder in which it gets a name with its release and time.
    :param with_raw: raw and quarantine too.
    :raises LifehouseError: the target is there already, or its folder is not. :raises WarehouseError: pg_dump failed.
    """
    with ctx.warehouse.connect() as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        found = contents.read(ctx, connection, with_raw=with_raw)
        file = _file(target, found.release_id)
        major = connection.info.server_version // 10000
        program = tools.find("pg_dump", major, ctx.warehouse.parameters)
        migrations = connection.execute("select name from control.migrations order by name").fetchall()
        manifest = archive.Manifest(
            format=archive.FORMAT,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            lifehouse=version("lifehouse"),
            server_version=major,
            program_version=program.major,
            migrations=[name for (name,) in migrations],
            sources=found.sources,
            with_raw=with_raw,
            slot=found.slot,
            release_id=found.release_id,
            as_of=found.as_of,
            marts=found.marts,
            left_out=found.left_out,
        )
        snapshot = connection.execute("select pg_export_snapshot()").fetchone()
        assert snapshot  # noqa: S101  a select of one value
        arguments = [
            *(
                "--format=custom",
                "--no-owner",
                "--no-privileges",
                "--no-unlogged-table-data",
                "--no-password",
            ),
            *("--no-publications", "--no-subscriptions", "--no-security-labels", f"--snapshot={snapshot[0]}"),
            *found.arguments,
        ]
        _dump(ctx, program, arguments, file, manifest)
    return Backup(file, file.stat().st_size, manifest)


def _dump(
    ctx: Context, program: tools.Program, arguments: list[str], file: Path, manifest: archive.Manifest
) -> None:
    with tempfile.TemporaryFile() as said, archive.written(file, manifest) as dump:
        process = subprocess.Popen(  # noqa: S603
            [str(program.path), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            env=tools.environment(ctx.warehouse.parameters),
        )
        try:
            assert process.stdout  # noqa: S101
            shutil.copyfileobj(process.stdout, dump, _CHUNK)
        finally:
            if process.stdout:
                process.stdout.close()  # where we fail, pg_dump ends at its next write
            code = process.wait()
        if code:
            said.seek(0)
            raise WarehouseError(f"pg_dump failed: {without_values(said.read().decode(errors='replace'))}")


def _file(target: Path, release_id: int | None) -> Path:
    if target.is_dir():
        name = f"release-{release_id}" if release_id is not None else "nothing-published"
        target = target / f"lifehouse-{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.backup"
    if target.exists():
        raise LifehouseError(f"{target} is there already; a backup never replaces another one")
    if not target.parent.is_dir():
        raise LifehouseError(f"the folder {target.parent} does not exist")
    return target.absolute()
