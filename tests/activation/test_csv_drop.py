"""Files of changes for someone else."""

from __future__ import annotations

import csv
from pathlib import Path

import fsspec
import pytest
from crashing import kill_at
from world import World

from lifehouse.activation import run
from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.platforms.csv_drop import CsvDrop
from lifehouse.activation.run import sync
from lifehouse.activation.steps import Step
from lifehouse.errors import ConfigError, PlatformError


@pytest.fixture
def drop(world: World) -> Path:
    """The folder of a sync ``drop`` that keeps the full state too."""
    world.declare(
        "drop", platform="csv_drop", connection=None, options={"folder": "drops/here", "full_state": True}
    )
    return world.ctx.home.path / "drops" / "here"


def lines(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def deliveries(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.run-*.csv"))


def test_a_delivery_has_an_action_a_key_and_the_fields(world: World, drop: Path) -> None:
    world.people(2)
    odd = 'A, "B"\nÜ'
    world.sql(
        "update marts.customers set first_name = %s, net_revenue = null where customer_id = 'c0001'", odd
    )
    result = sync(world.ctx, "drop")
    [delivery] = deliveries(drop)
    assert lines(delivery) == [
        ["action", "key", "name", "revenue", "stage"],
        ["add", "c0001@example.com", 'A, "B"\nÜ', "", "active"],
        ["add", "c0002@example.com", "Name 2", "2", "active"],
    ]
    assert lines(drop / "drop.full.csv")[1][0] == "c0001@example.com"
    assert (result.confirmed, result.calls) == (2, 2)


def test_the_next_delivery_has_only_the_changes_and_the_full_state_everyone(world: World, drop: Path) -> None:
    world.people(3)
    sync(world.ctx, "drop")
    world.leave(["c0001"])
    world.sql("update marts.customers set status_stage = 'loyal' where customer_id = 'c0002'")
    sync(world.ctx, "drop")
    assert [line[:2] for line in lines(deliveries(drop)[-1])[1:]] == [
        ["remove", "c0001@example.com"],
        ["change", "c0002@example.com"],
    ]
    assert [line[0] for line in lines(drop / "drop.full.csv")] == [
        "key",
        "c0002@example.com",
        "c0003@example.com",
    ]
    assert sync(world.ctx, "drop").calls == 0
    assert len(deliveries(drop)) == 2


@pytest.mark.parametrize(
    "step", [Step.CLAIMED, Step.ANSWERED, Step.SETTLING, Step.SETTLED, Step.DELIVERED, Step.CLOSING]
)
def test_a_delivery_written_again_after_a_crash_replaces_itself(world: World, drop: Path, step: Step) -> None:
    world.people(5)
    kill_at(step, lambda: sync(world.ctx, "drop"))
    sync(world.ctx, "drop")
    assert len(deliveries(drop)) == 1
    assert len(lines(deliveries(drop)[0])) == 6
    assert len(lines(drop / "drop.full.csv")) == 6
    assert not list(drop.glob(".*"))


def test_a_half_written_file_is_never_seen_under_its_name(
    world: World, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.people(1)
    seen: list[list[str]] = []

    def watched(self: CsvDrop, row: object) -> list[object]:
        seen.append([path.name for path in drop.glob("*.csv")])
        return []

    monkeypatch.setattr(CsvDrop, "_values", watched)
    sync(world.ctx, "drop")
    assert seen[0] == []


def test_a_folder_that_cannot_be_written_leaves_the_delivery_for_the_next_sync(
    world: World, drop: Path
) -> None:
    world.declare(
        "drop",
        platform="csv_drop",
        connection=None,
        options={"folder": "drops/here"},
        sending={"attempts": 2, "backoff": "1ms"},
    )
    world.people(1)
    drop.parent.mkdir()
    drop.write_text("in the way")
    with pytest.raises(PlatformError, match="does not answer after 2 calls"):
        sync(world.ctx, "drop")
    drop.unlink()
    assert sync(world.ctx, "drop").confirmed == 1


def test_a_full_state_that_could_not_be_written_is_written_by_the_next_sync(world: World, drop: Path) -> None:
    world.people(2)
    in_the_way = drop / ".drop.full.csv.part"
    in_the_way.mkdir(parents=True)
    with pytest.raises(PlatformError, match=r"while writing drop\.full\.csv; the next sync writes it"):
        sync(world.ctx, "drop")
    in_the_way.rmdir()
    assert sync(world.ctx, "drop").adds == 0
    assert len(lines(drop / "drop.full.csv")) == 3


def test_a_url_of_any_file_system_will_do(world: World) -> None:
    world.people(2)
    world.declare("drop", platform="csv_drop", connection="bucket", options={"folder": "lists"})
    sync(world.ctx, "drop", PlatformConnection("memory://company"))
    [name] = fsspec.filesystem("memory").ls("/company/lists", detail=False)
    assert ".release-" in name


def test_a_drop_without_a_place_is_told_so(world: World) -> None:
    world.declare("drop", platform="csv_drop", connection=None)
    with pytest.raises(ConfigError, match=r"needs a connection, or options\.folder"):
        run.sync(world.ctx, "drop")
