"""A company, a project folder and a receiver for each test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lifehouse.activation.connection import PlatformConnection
from lifehouse.context import Context

sys.path.insert(0, str(Path(__file__).parent))

from fault_receiver import TOKEN, Receiver
from world import World


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A fresh server on a free port."""
    with Receiver() as running:
        yield running


@pytest.fixture
def world(make_context: Callable[..., Context], receiver: Receiver, tmp_path: Path) -> World:
    """A project with one sync, ``push``, and a published release without customers."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "lifehouse.yml").write_text("company: Test\nreporting_currency: EUR\n", encoding="utf-8")
    connection = PlatformConnection(receiver.url, secret=TOKEN)
    world = World(make_context(project_root=root), connection).build()
    world.publish()
    world.declare()
    return world
