"""Parquet deliveries and manifests: kinds, counts, checksums, and what stands there when."""

from __future__ import annotations

import datetime
import hashlib
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from crashing import kill_at
from world import World

from lifehouse.activation.platforms import row_file
from lifehouse.activation.reconcile import reconcile
from lifehouse.activation.run import sync
from lifehouse.activation.steps import Step
from lifehouse.errors import ConfigError, PlatformError
from support.remote import Place

PARQUET = {"folder": "drops", "format": "parquet", "full_state": True, "manifest": True}


def declare(world: World, connection: str | None = None, mode: str = "mirror", **options: Any) -> Path:
    world.declare(
        "drop",
        platform="csv_drop",
        connection=connection,
        mode=mode,
        options=options,
        sending={"attempts": 2, "backoff": "1ms"},
    )
    return world.ctx.home.path / "drops"


def manifests(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.manifest.json"))]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_parquet_has_the_kinds_that_are_declared_and_text_for_the_rest(world: World) -> None:
    folder = declare(world, **PARQUET, kinds={"revenue": "decimal"})
    world.people(3)
    world.sql("update marts.customers set net_revenue = 12.34, first_name = null where customer_id = 'c0001'")
    sync(world.ctx, "drop")
    table = pq.read_table(folder / "drop.full.parquet")
    assert {name: str(table.schema.field(name).type) for name in table.column_names} == {
        "key": "string",
        "name": "string",
        "revenue": "decimal128(38, 9)",
        "stage": "string",
    }
    assert table.to_pylist()[0] == {
        "key": "c0001@example.com",
        "name": None,
        "revenue": Decimal("12.34"),
        "stage": "active",
    }
    [delivery] = [pq.read_table(path) for path in folder.glob("*.run-*.parquet")]
    assert delivery["action"].to_pylist() == ["add"] * 3
    found = reconcile(world.ctx, "drop")
    assert (found.there, found.both_hold) == (3, 3)


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        ("integer", 7.0, 7),
        ("integer", "7.5", None),
        ("decimal", 0.1, Decimal("0.1")),
        ("double", "0.5", 0.5),
        ("boolean", True, True),
        ("boolean", "yes", None),
        ("date", "2024-02-29T23:00:00+00:00", datetime.date(2024, 2, 29)),
        ("timestamp", "2024-02-29T23:00:00+01:00", datetime.datetime(2024, 2, 29, 22, tzinfo=datetime.UTC)),
        ("text", False, "false"),
        ("text", 12.5, "12.5"),
    ],
)
def test_a_value_is_read_as_its_kind_or_refused(kind: row_file.Kind, value: Any, read: Any) -> None:
    file = io.BytesIO()
    if read is None:
        with pytest.raises(row_file.Unfit, match=f"^x is no {kind}$"):
            row_file.write(file, "f", ["x"], [[value]], "parquet", {"x": kind})
        return
    row_file.write(file, "f", ["x"], [[value], [None]], "parquet", {"x": kind})
    assert pq.read_table(io.BytesIO(file.getvalue()))["x"].to_pylist() == [read, None]


def test_a_row_that_does_not_fit_is_refused_and_the_others_arrive(world: World) -> None:
    folder = declare(world, **{**PARQUET, "full_state": False}, kinds={"stage": "integer"})
    world.people(4)
    world.sql("update marts.customers set status_stage = '5' where customer_id <> 'c0003'")
    done = sync(world.ctx, "drop")
    assert (done.confirmed, done.refused) == (3, 1)
    found = [key for path in folder.glob("*.parquet") for key in pq.read_table(path)["key"].to_pylist()]
    assert sorted(found) == [f"c000{number}@example.com" for number in (1, 2, 4)]
    [told] = manifests(folder)
    assert (told["rows"], len(told["files"])) == (3, 2)


@pytest.mark.parametrize("step", [Step.SETTLED, Step.DELIVERED])
def test_a_manifest_tells_of_every_file_of_its_run_though_the_sync_was_killed(
    world: World, step: Step
) -> None:
    folder = declare(world, folder="drops", manifest=True)
    world.people(5)
    kill_at(step, lambda: sync(world.ctx, "drop"))
    assert manifests(folder) == []
    sync(world.ctx, "drop")
    [told] = manifests(folder)
    [file] = told["files"]
    content = (folder / file["name"]).read_bytes()
    assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert file["rows"] == told["rows"] == 5
    assert told["columns"][:2] == ["action", "key"]
    assert sync(world.ctx, "drop").calls == 0


def test_a_manifest_stands_there_last(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = declare(world, **PARQUET)
    world.people(2)
    (folder / ".drop.full.parquet.part").mkdir(parents=True)
    with pytest.raises(PlatformError, match=r"while writing drop\.full\.parquet; the next sync writes it"):
        sync(world.ctx, "drop")
    assert manifests(folder) == []
    (folder / ".drop.full.parquet.part").rmdir()
    assert sync(world.ctx, "drop").adds == 0
    [told] = manifests(folder)
    content = (folder / "drop.full.parquet").read_bytes()
    assert told["full"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert told["full"]["rows"] == told["rows"] == 2


def test_every_mode_has_its_layout(world: World) -> None:
    world.people(3)
    seen = {}
    for mode in ("mirror", "upsert", "append"):
        world.sql("update marts.customers set first_name = 'Name'")
        world.join(["c0001", "c0002", "c0003"])
        options = {"folder": f"drops/{mode}", "manifest": True}
        world.declare(f"drop_{mode}", platform="csv_drop", connection=None, mode=mode, options=options)
        sync(world.ctx, f"drop_{mode}")
        world.sql("update marts.customers set first_name = 'Anna'")
        world.leave(["c0001"])
        sync(world.ctx, f"drop_{mode}")
        folder = world.ctx.home.path / "drops" / mode
        last = manifests(folder)[-1]
        [file] = last["files"]
        lines = (folder / file["name"]).read_text().splitlines()[1:]
        seen[mode] = (len(manifests(folder)), last["mode"], sorted(line.split(",")[0] for line in lines))
    assert seen == {
        "mirror": (2, "mirror", ["change", "change", "remove"]),
        "upsert": (2, "upsert", ["change", "change"]),
        "append": (1, "append", ["add", "add", "add"]),
    }


def test_a_kind_of_no_field_or_of_a_text_file_is_refused(world: World) -> None:
    world.people(1)
    declare(world, folder="drops", format="parquet", kinds={"revenu": "decimal"})
    with pytest.raises(ConfigError, match="there is no field 'revenu'"):
        sync(world.ctx, "drop")
    declare(world, folder="drops", kinds={"revenue": "decimal"})
    with pytest.raises(ConfigError, match="a CSV file has none; they go with format: parquet"):
        sync(world.ctx, "drop")


def test_elsewhere_the_sums_are_those_of_the_files(world: World, place: Place) -> None:
    declare(world, "drop", folder="lists", format="parquet", manifest=True, full_state=True)
    world.people(5)
    done = sync(world.ctx, "drop", place.connection)
    assert (done.confirmed, done.calls) == (5, 3)
    files = {name.removeprefix("lists/"): content for name, content in place.files().items()}
    [told] = [json.loads(content) for name, content in files.items() if name.endswith(".manifest.json")]
    for file in [*told["files"], told["full"]]:
        assert hashlib.sha256(files[file["name"]]).hexdigest() == file["sha256"]
        assert pq.read_table(io.BytesIO(files[file["name"]])).num_rows == file["rows"] == 5
