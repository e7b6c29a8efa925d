"""The demo's receiver and the webhook speak the same protocol."""

from __future__ import annotations

import httpx
from world import World

from lifehouse.activation.connection import PlatformConnection
from lifehouse.demo import services


def test_the_demo_receiver_holds_what_the_segment_says(world: World) -> None:
    service = services.receiver(world.ctx)
    try:
        world.connection = PlatformConnection(service.start(), secret=service.token)
        people = world.people(120)
        assert world.sync().confirmed == 120
        world.leave(["c0001"])
        world.sql("update marts.customers set status_stage = 'loyal' where customer_id = 'c0002'")
        result = world.sync()
        assert (result.changes, result.removes, result.confirmed) == (1, 1, 2)
        with httpx.Client(
            base_url=service.url, headers={"Authorization": f"Bearer {service.token}"}
        ) as client:
            held = client.get("/members", params={"sync": "push"}).json()
            member = client.get(f"/members/{people[1]}", params={"sync": "push"}).json()
        assert set(held["keys"]) == set(people[1:])
        assert member["fields"]["stage"] == "loyal"
        assert world.sync().calls == 0
    finally:
        service.stop()
