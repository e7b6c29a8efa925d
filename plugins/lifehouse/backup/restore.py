"""``lifehouse restore``: a backup becomes the warehouse, in one transaction; killed before its end, nothing happened."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg import sql

from lifehouse.backup import archive, contents, settle
from lifehouse.backup.archive import Manifest
from lifehouse.context import Context
from lifehouse.errors import LifehouseError, WarehouseError
from lifehouse.redaction import described, without_values
from lifehouse.releases import views
from lifehouse.warehouse import control, roles, tools

_BUILDING = 7_405_020  # the lock of a run that builds, see releases.run
_CHUNK = 1 << 16
_IS_USED = """
    select exists (select from control.loads) or exists (select from control.runs)
        or exists (select from core.customer_registry) or exists (select from activation.sync_runs)
"""


@dataclass(frozen=True)
class Restored:
    """What a restore brought back. ``rejected``: loads whose raw records were not in the backup; their sources are read again."""

    manifest: Manifest
    rejected: int


def restore(ctx: Context, file: Path, *, replace: bool = False) -> Restored:
    """Make the warehouse what the backup says. The served release can be read as soon as this returns.

    Syncs are paused until the next publication. What runs make (staging, core, the other copy) is built by the next one.

    :param replace: also where the warehouse holds something already: all of Lifehouse's schemas are dropped then.
    :raises LifehouseError: the warehouse is in use or not empty, or the file is damaged or of a newer version.
    """
    with archive.opened(file) as (manifest, dump):
        _check(manifest)
        try:
            with ctx.warehouse.connect() as connection:
                rejected = _restore(ctx, connection, manifest, dump, replace=replace)
            with ctx.warehouse.connect(autocommit=True) as connection:
                connection.execute("analyze")
                roles.ensure(connection)  # owners and grants are this server's, not the backup's
        except psycopg.errors.LockNotAvailable:
            raise LifehouseError(
                "sessions are using the warehouse; end them and try again. Nothing was changed"
            ) from None
        except psycopg.Error as error:
            raise WarehouseError(
                f"the backup cannot be restored here: {described(error)}; nothing was changed"
            ) from None
    return Restored(manifest, rejected)


def _check(manifest: Manifest) -> None:
    known = {path.name for path in control.MIGRATIONS.glob("*.sql")}
    if newer := sorted(set(manifest.migrations) - known):
        raise LifehouseError(
            f"the backup was made by a newer version ({manifest.lifehouse}), which has {', '.join(newer)}; install that one"
        )


def _restore(
    ctx: Context, connection: psycopg.Connection[Any], manifest: Manifest, dump: IO[bytes], *, replace: bool
) -> int:
    server = connection.info.server_version // 10000
    if server < manifest.server_version:
        raise LifehouseError(
            f"the backup is of Postgres {manifest.server_version}, this warehouse of {server}: "
            "restore into the same or a newer version"
        )
    program = tools.find(
        "pg_restore", max(manifest.program_version, manifest.server_version), ctx.warehouse.parameters
    )
    connection.execute("set local lock_timeout = '10s'")
    row = connection.execute("select pg_try_advisory_xact_lock(%s)", (_BUILDING,)).fetchone()
    if not row or not row[0]:
        raise LifehouseError("a run is building in this warehouse; wait for its end")
    _clear(connection, manifest, replace=replace)
    _replay(connection, program, dump, server)
    connection.execute("reset all")
    rejected = settle.settle(connection, manifest)
    if manifest.slot:
        views.align(connection, manifest.marts, manifest.slot)
    control.migrate(connection)  # what the backup's version did not know yet; commits
    return rejected


def _clear(connection: psycopg.Connection[Any], manifest: Manifest, *, replace: bool) -> None:
    row = connection.execute(_IS_USED).fetchone()
    if row and row[0] and not replace:
        raise LifehouseError(
            "the warehouse is not empty; `--replace` drops all that it holds and puts the backup in its place"
        )
    present = [name for (name,) in connection.execute("select distinct source from control.loads")]
    connection.execute("set local client_min_messages = warning")
    for schema in contents.every([*present, *manifest.sources]):
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))


def _replay(
    connection: psycopg.Connection[Any], program: tools.Program, dump: IO[bytes], server: int
) -> None:
    """Run pg_restore's script over our connection, so that it and all that follows are one transaction."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603
            [str(program.path), "--file=-", "--no-owner", "--no-privileges"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
        )
        assert process.stdin and process.stdout  # noqa: S101, PT018
        faults: list[BaseException] = []
        feeder = threading.Thread(target=_feed, args=(dump, process.stdin, faults), daemon=True)
        feeder.start()
        try:
            _execute(connection, process.stdout, server)
        finally:
            process.stdout.close()
            code = process.wait()
            feeder.join()
        if faults:
            raise faults[0]
        if code:
            said.seek(0)
            words = without_values(said.read().decode(errors="replace")).strip()
            raise WarehouseError(f"pg_restore failed: {words}; nothing was changed")


def _feed(dump: IO[bytes], program: IO[bytes], faults: list[BaseException]) -> None:
    try:
        with program:
            shutil.copyfileobj(dump, program, _CHUNK)
            while dump.read(_CHUNK):  # to the end: only there the checksum is compared
                pass
    except BrokenPipeError:
        return  # it ended early, and says why
    except (OSError, zipfile.BadZipFile) as error:
        faults.append(error)


def _execute(connection: psycopg.Connection[Any], script: IO[bytes], server: int) -> None:
    statements: list[bytes] = []
    for line in script:
        if line.startswith(b"COPY ") and line.endswith(b" FROM stdin;\n"):
            _flush(connection, statements)
            _copy(connection, line, script)
        elif line.startswith((b"\\restrict", b"\\unrestrict")):
            continue  # psql's own
        elif not (line.startswith(b"SET transaction_timeout") and server < 17):
            statements.append(line)
    _flush(connection, statements)


def _flush(connection: psycopg.Connection[Any], statements: list[bytes]) -> None:
    if statements:
        connection.execute(b"".join(statements))
        statements.clear()


def _copy(connection: psycopg.Connection[Any], statement: bytes, script: IO[bytes]) -> None:
    with connection.cursor().copy(statement) as rows:
        waiting, size = [], 0
        for line in script:
            if line == b"\\.\n":
                break
            waiting.append(line)
            size += len(line)
            if size >= _CHUNK:
                rows.write(b"".join(waiting))
                waiting, size = [], 0
        else:
            raise WarehouseError("pg_restore ended within a table; nothing was changed")
        rows.write(b"".join(waiting))
