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
    connection = PlatformConnection(receiver.url, secret=TOKEN)
    world = World.founded(make_context, tmp_path / "project", connection)
    world.declare()
    return world
