"""A project is parsed once: what is kept says of each place what dbt would have said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from dbt.contracts.graph.manifest import Manifest

from lifehouse.build import dbt, parsed, project
from lifehouse.build.place import scratch
from lifehouse.context import Context


def test_a_kept_project_is_in_each_place_what_dbt_would_say_there(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = scratch("then", work=True)
    dbt.invoke(ctx, "ls", place, ["--select", "nothing"])  # kept, by this or an earlier process
    root, digest = project.assemble(ctx)
    kept = parsed.project(ctx, digest, lambda: pytest.fail("parsed again"))
    parsed.move(kept, place, ctx.warehouse.parameters["dbname"], root)

    monkeypatch.delenv(parsed.SHARED)  # the home's own
    monkeypatch.setattr(parsed, "NOWHERE", place)
    dbt.invoke(ctx, "ls", place, ["--select", "nothing"])
    direct = parsed.project(ctx, digest, lambda: pytest.fail("not kept"))
    assert len(kept.nodes) == len(direct.nodes) > 500
    for found, wanted in ((kept.nodes, direct.nodes), (kept.sources, direct.sources)):
        for name, node in wanted.items():
            said, told = (one.to_dict() for one in (found[name], node))
            for one in (said, told):
                del one["created_at"]
            assert said == told
    assert {node.schema for node in kept.nodes.values() if node.resource_type == "model"} == {
        f"scratch_then__{schema}" for schema in ("work", "staging", "contract", "core")
    }


def test_a_damaged_file_is_parsed_again(
    ctx: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(parsed.SHARED, str(tmp_path / "parsed"))
    kept: list[str] = []

    def parse() -> Manifest:
        kept.append("parsed")
        return Manifest()

    parsed.project(ctx, "files", parse)
    parsed.project(ctx, "files", parse)
    (file,) = (tmp_path / "parsed").iterdir()
    file.write_bytes(file.read_bytes()[:-9])
    parsed.project(ctx, "files", parse)
    parsed.project(ctx, "other files", parse)
    assert kept == ["parsed"] * 3


def test_what_a_model_asks_of_the_environment_is_asked_again(
    ctx: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(parsed.SHARED, str(tmp_path / "parsed"))
    kept: list[str] = []

    def parse() -> Manifest:
        kept.append(os.environ.get("REGION", "none"))
        return Manifest(env_vars={"REGION": os.environ.get("REGION", "DBT_DEFAULT_PLACEHOLDER")})

    for region in (None, None, "north", "north", "south", None):
        monkeypatch.delenv("REGION", raising=False)
        if region:
            monkeypatch.setenv("REGION", region)
        parsed.project(ctx, "files", parse)
    assert kept == ["none", "north", "south", "none"]
