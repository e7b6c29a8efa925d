"""What cannot be computed again survives the loss of the warehouse."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lifehouse.backup import contents
from lifehouse.backup.make import backup
from lifehouse.backup.restore import restore
from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.releases import catalog
from support.tiny import Company

IDENTITIES = "select source, customer_key, customer_id from core.customer_refs order by 1, 2"
REGISTRY = "select customer_id, first_run_id, retired_into from core.customer_registry order by 1"


def rows(ctx: Context, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in ctx.warehouse.rows(query)]


def marts(ctx: Context) -> dict[str, list[str]]:
    """Every mart that reads a slot, row by row."""
    with ctx.warehouse.connect() as connection:
        names = sorted(catalog.views(connection))
        return {
            name: [row[0] for row in connection.execute(f"select t::text from marts.{name} t order by 1")]
            for name in names
        }


def of(company: Company, ctx: Context) -> Company:
    return Company(ctx, company.folder)


def test_the_served_release_is_read_at_once_and_is_the_same(
    company: Company, contexts: Callable[[], Context], file: Path
) -> None:
    there = contexts()
    done = restore(there, file)
    assert done.manifest.release_id == 2
    assert done.rejected == 2
    before, after = marts(company.ctx), marts(there)
    assert len(before) > 15
    assert before["customers"]
    assert after == before
    for query in (IDENTITIES, REGISTRY, "select release_id, published_at from marts.releases order by 1"):
        assert rows(there, query) == rows(company.ctx, query)
    for view in ("marts.quality_results", "marts.runs", "history.segment_history", "activation.records"):
        query = f"select count(*) from {view}"
        assert rows(there, query) == rows(company.ctx, query) != [(0,)]


def test_the_next_run_reads_the_sources_again_keeps_every_id_and_sends_nothing_twice(
    company: Company, contexts: Callable[[], Context], file: Path
) -> None:
    there = of(company, contexts())
    restore(there.ctx, file)
    ids, customers = rows(there.ctx, IDENTITIES), rows(there.ctx, "select * from marts.customers order by 1")
    paused = there.ctx.warehouse.value("select syncs_paused from control.published")
    assert paused is True
    night = there.night("2024-01-07")
    assert night.problems == []
    assert night.status == "published"
    assert rows(there.ctx, IDENTITIES) == ids
    assert rows(there.ctx, "select * from marts.customers order by 1") == customers
    assert rows(there.ctx, "select count(*) from raw_tiny.lines") == [(9,)]
    sync = night.syncs["actives"]
    assert (sync.adds, sync.changes, sync.removes, sync.calls) == (0, 0, 0, 0)
    later = there.night("2024-01-08")
    assert later.status == "published"  # the restored copy takes its turn
    assert rows(there.ctx, IDENTITIES) == ids


def test_with_raw_nothing_is_read_again_and_the_rebuild_gives_the_same_marts(
    company: Company, contexts: Callable[[], Context], tmp_path: Path
) -> None:
    there = of(company, contexts())
    done = restore(there.ctx, backup(company.ctx, tmp_path, with_raw=True).file)
    assert done.rejected == 0
    for table in ("raw_tiny.lines", "raw_tiny.people", "quarantine.tiny_lines", "control.load_tables"):
        query = f"select t::text from {table} t order by 1"
        assert rows(there.ctx, query) == rows(company.ctx, query) != []
    before = marts(there.ctx)["customers"]
    night = there.night("2024-01-08")
    assert night.loads == {"tiny": None}
    assert night.status == "published"
    columns = "customer_id, orders, net_revenue"
    query = f"select {columns} from marts.customers order by 1"
    assert rows(there.ctx, query) == rows(company.ctx, query)
    assert len(before) == len(marts(there.ctx)["customers"])


def test_without_raw_no_record_of_a_source_is_in_the_file(
    company: Company, file: Path, tmp_path: Path
) -> None:
    whole = backup(company.ctx, tmp_path / "whole.backup", with_raw=True).file

    def listed(archive: Path) -> str:
        from lifehouse.warehouse.server import BINARIES

        with zipfile.ZipFile(archive) as opened:
            dump = tmp_path / "dump"
            dump.write_bytes(opened.read("warehouse.dump"))
        command = [str(BINARIES / "pg_restore"), "--list", str(dump)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert "TABLE DATA raw_tiny lines" in listed(whole)
    assert "TABLE DATA raw_tiny" not in listed(file)
    assert "TABLE DATA quarantine" not in listed(file)
    assert "TABLE raw_tiny lines" in listed(file)  # its shape, so that models find it
    assert "TABLE DATA core customer_refs" in listed(file)
    for computed in ("core customer_orders", "staging ", "contract "):
        assert computed not in listed(whole)


def test_a_file_is_for_its_owner_and_never_replaces_another(company: Company, file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(LifehouseError, match="never replaces"):
        backup(company.ctx, file)
    with pytest.raises(LifehouseError, match="does not exist"):
        backup(company.ctx, file.parent / "nowhere" / "x.backup")
    made = backup(company.ctx, file.parent)
    assert made.file.name.startswith("lifehouse-release-2-")


def test_a_used_warehouse_is_replaced_only_on_demand(
    company: Company, contexts: Callable[[], Context], file: Path
) -> None:
    there = of(company, contexts())
    there.night("2024-01-09")
    before = marts(there.ctx)
    with pytest.raises(LifehouseError, match=r"not empty.*--replace"):
        restore(there.ctx, file)
    assert marts(there.ctx) == before
    restore(there.ctx, file, replace=True)
    assert marts(there.ctx) == marts(company.ctx)
    assert there.ctx.warehouse.value("select to_regclass('core.customer_orders')") is None


def test_a_damaged_a_foreign_and_a_newer_file_change_nothing(
    company: Company, contexts: Callable[[], Context], file: Path, tmp_path: Path
) -> None:
    ctx = contexts()
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    broken = tmp_path / "broken.backup"
    broken.write_bytes(content)
    with pytest.raises(LifehouseError, match="nothing was changed"):
        restore(ctx, broken)
    broken.write_bytes(bytes(content[: len(content) // 2]))
    with pytest.raises(LifehouseError, match="damaged"):
        restore(ctx, broken)
    with pytest.raises(LifehouseError, match="cannot be read"):
        restore(ctx, tmp_path / "missing.backup")
    with zipfile.ZipFile(file) as known, zipfile.ZipFile(tmp_path / "newer.backup", "w") as newer:
        manifest = known.read("manifest.json").replace(b'"001_control.sql"', b'"999_later.sql"')
        newer.writestr("manifest.json", manifest)
        newer.writestr("warehouse.dump", known.read("warehouse.dump"))
    with pytest.raises(LifehouseError, match=r"newer version.*999_later"):
        restore(ctx, tmp_path / "newer.backup")
    assert rows(ctx, "select count(*) from control.loads") == [(0,)]
    assert rows(ctx, "select count(*) from control.migrations") == rows(
        company.ctx, "select count(*) from control.migrations"
    )


def test_a_run_that_builds_is_not_restored_over(contexts: Callable[[], Context], file: Path) -> None:
    from lifehouse.releases.run import building

    ctx = contexts()
    with building(ctx), pytest.raises(LifehouseError, match="a run is building"):
        restore(ctx, file)


def killed(ctx: Context, code: str) -> int:
    """Run ``code`` in a process of its own, where something kills it; returns its exit code."""
    head = """
        import os, signal, sys
        from pathlib import Path
        from lifehouse.context import Context
        from lifehouse.backup import archive, make, restore, settle
        die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        ctx = Context.current()
    """
    environment = {
        **os.environ,
        "LIFEHOUSE_WAREHOUSE_URL": ctx.warehouse.url,
        "LIFEHOUSE_HOME": str(ctx.home.path),
        "LIFEHOUSE_PROJECT": str(ctx.project.root),
    }
    text = textwrap.dedent(head) + textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", text], env=environment, timeout=120, check=False).returncode


@pytest.mark.parametrize("moment", ["restore._flush", "settle.settle", "restore.control.migrate"])
def test_a_restore_killed_at_any_moment_leaves_the_warehouse_as_it_was(
    contexts: Callable[[], Context], company: Company, file: Path, moment: str
) -> None:
    ctx = contexts()
    code = f"{moment} = die\nrestore.restore(ctx, Path({str(file)!r}))"
    assert killed(ctx, code) == -signal.SIGKILL
    assert rows(ctx, "select count(*) from control.loads") == [(0,)]
    assert ctx.warehouse.value("select to_regclass('blue.customers')") is None
    restore(ctx, file)
    assert marts(ctx) == marts(company.ctx)


def test_a_backup_killed_on_its_way_leaves_no_file_and_the_next_one_sweeps(
    company: Company, tmp_path: Path
) -> None:
    code = f"make.shutil.copyfileobj = die\nmake.backup(ctx, Path({str(tmp_path)!r}))"
    assert killed(company.ctx, code) == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".lifehouse-")
    made = backup(company.ctx, tmp_path)
    assert list(tmp_path.iterdir()) == [made.file]


def test_a_persons_own_view_on_a_mart_is_named_and_does_not_stop_the_restore(
    company: Company, contexts: Callable[[], Context], tmp_path: Path
) -> None:
    company.ctx.warehouse.execute("create view marts.mine as select customer_id from marts.customers")
    company.ctx.warehouse.execute("create view marts.on_mine as select * from marts.mine")
    try:
        made = backup(company.ctx, tmp_path)
        assert made.manifest.left_out == ["marts.mine", "marts.on_mine"]
        restore(contexts(), made.file)
    finally:
        company.ctx.warehouse.execute("drop view marts.mine cascade")


def test_open_outbox_rows_come_back_open_and_the_next_sync_settles_them(
    company: Company, contexts: Callable[[], Context], tmp_path: Path
) -> None:
    """A batch in flight when the backup was made is sent again under its own Idempotency-Key."""
    origin = of(company, contexts())
    restore(origin.ctx, backup(company.ctx, tmp_path, with_raw=True).file)
    origin.ctx.warehouse.execute("delete from activation.records")
    origin.ctx.warehouse.execute("update control.published set syncs_paused = false")
    code = "from lifehouse.activation.run import sync\nsync(ctx, 'actives')"
    os.environ["LIFEHOUSE_CRASH_AT"] = "answered"
    try:
        assert killed(origin.ctx, code) == -signal.SIGKILL
    finally:
        del os.environ["LIFEHOUSE_CRASH_AT"]
    key = origin.ctx.warehouse.value("select idempotency_key from activation.batches where status = 'sent'")
    assert key is not None
    there = of(company, contexts())
    restore(there.ctx, backup(origin.ctx, tmp_path / "in-flight.backup", with_raw=True).file)
    there.night("2024-01-08")
    settled = rows(there.ctx, f"select status from activation.batches where idempotency_key = '{key}'")
    assert settled == [("settled",)]
    assert rows(there.ctx, "select count(*) from activation.records") == [(2,)]
    assert rows(there.ctx, "select count(*) from activation.outbox where settled_at is null") == [(0,)]


def test_every_schema_that_a_migration_makes_is_kept_or_rebuilt(ctx: Context) -> None:
    made = {
        name
        for (name,) in rows(
            ctx, "select nspname from pg_namespace where nspname !~ '^(pg_|information_|public)'"
        )
    }
    assert made <= set(contents.every([]))
