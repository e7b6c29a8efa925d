"""After any history of a company and of a declared platform, that holds exactly who it should: found by hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from history import HURRIED, holds_exactly_who_it_should_after_any_history
from simulated import Simulated
from vendors import Hubspot, Klaviyo, Pipedrive
from world import World

from lifehouse.activation.connection import PlatformConnection
from lifehouse.context import Context


@pytest.mark.parametrize(
    ("kind", "examples"),
    [(Hubspot, 6), (Klaviyo, 4), (Pipedrive, 4)],
    ids=["hubspot", "klaviyo", "pipedrive"],
)
def test_after_any_history_a_declared_platform_holds_exactly_who_it_should(
    make_context: Callable[..., Context], tmp_path: Path, kind: type[Simulated], examples: int
) -> None:
    with kind() as vendor:
        connection = PlatformConnection(vendor.url, vendor.login, vendor.secret)
        world = World.founded(make_context, tmp_path / "project", connection)
        (field,) = list(vendor.fields)[:1]
        world.declare(platform=vendor.name, options=vendor.options, fields={field: "first_name"}, **HURRIED)
        holds_exactly_who_it_should_after_any_history(world, vendor, examples)
