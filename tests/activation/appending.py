"""A platform that takes events and knows nobody: what comes twice is there twice."""

from __future__ import annotations

from collections import Counter
from typing import Any

import yaml
from simulated import Asked, Simulated
from world import World

EVENTS = {
    "platform": "events",
    "description": "events, appended",
    "tested": "a simulator",
    "keyed": False,
    "limits": {"in_flight": 8},
    "calls": {
        "append": {
            "path": "/events",
            "batch_size": 100,
            "body": {"events": {"each": {"email": "{key}", "name": "{fields.first_name}"}}},
        }
    },
    "actions": {"add": ["append"], "change": ["append"]},
}


class Events(Simulated):
    """``received`` counts what came, by address; ``sizes`` are those of the calls that were applied."""

    name = "events"

    def __init__(self) -> None:
        super().__init__()
        self.received: Counter[str] = Counter()

    def answer(self, asked: Asked) -> tuple[int, Any]:
        self.received.update(event["email"] for event in asked.body["events"])
        return 200, {}

    @property
    def doubled(self) -> int:
        """Rows that came more often than once, each time but the first."""
        return self.received.total() - len(self.received)


def declare_events(world: World, **changes: object) -> None:
    """The sync ``push`` appends the champions."""
    folder = world.ctx.project.root / "dags" / "platforms"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "events.yml").write_text(yaml.safe_dump(EVENTS), encoding="utf-8")
    world.declare(platform="events", mode="append", fields=Events.fields, **changes)
