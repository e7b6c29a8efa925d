"""A project is parsed once: what is kept says of each place what dbt would have said."""

from __future__ import annotations

import pytest

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
