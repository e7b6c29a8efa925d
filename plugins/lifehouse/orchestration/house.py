"""The whole house on one machine: the warehouse, Airflow and, for the demo company, its simulated systems."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.orchestration.airflow.pools import pools
from lifehouse.orchestration.client import AirflowClient
from lifehouse.orchestration.settings import CLOCK_VARIABLE, Settings
from lifehouse.orchestration.standalone import Standalone
from lifehouse.project import INSTALLATION
from lifehouse.warehouse.server import EmbeddedServer


@dataclass(frozen=True)
class House:
    """The processes that belong to one home."""

    ctx: Context

    @property
    def is_demo(self) -> bool:
        """Whether the project is the demo company, whose systems are simulated and whose clock stands in 2017."""
        return self.ctx.project.root == INSTALLATION

    def start_systems(self, households: int | None = None) -> dict[str, str]:
        """Start the demo company's systems; returns the environment in which its sources and syncs find them.

        :param households: a sample of so many; None for all.
        """
        if not self.is_demo:
            return {}
        from lifehouse.demo import services  # noqa: PLC0415

        environment = {**services.start(self.ctx, households), CLOCK_VARIABLE: "off"}
        receiver = {
            "conn_type": "http",
            "host": environment["LIFEHOUSE_RECEIVER_URL"],
            "password": environment["LIFEHOUSE_RECEIVER_TOKEN"],
        }
        environment["AIRFLOW_CONN_LIFEHOUSE_RECEIVER"] = json.dumps(receiver)
        os.environ.update(environment)  # this process reads the declarations too
        return environment

    def open_systems(self, progress: Callable[[str], None] = lambda _: None) -> dict[str, str]:
        """Start the demo company's systems and see that they hold at least the first night's history."""
        environment = self.start_systems()
        if self.is_demo:
            from lifehouse.demo import nights, services, shop  # noqa: PLC0415

            progress("The demo company's shop loads its history")
            shop.advance(environment["LIFEHOUSE_SHOP_URL"], nights.NIGHTS[0])
            services.advance(self.ctx, nights.NIGHTS[0])
        return environment

    def start_airflow(
        self, environment: dict[str, str], progress: Callable[[str], None] = lambda _: None
    ) -> tuple[Settings, AirflowClient]:
        """Start Airflow unless it runs, make its pools, and wait until it has read the project's DAGs."""
        _ = self.ctx.warehouse  # one migration, before several tasks want it at once
        settings = Settings(self.ctx, environment)
        since = datetime.now(UTC)
        standalone = Standalone(settings)
        running = standalone.is_current()
        client = standalone.start(progress)
        for pool in pools(self.ctx.project):
            client.ensure_pool(pool.name, pool.slots, pool.description)
        progress("Airflow: DAGs")
        client.await_dags(self.dag_ids(), datetime.min.replace(tzinfo=UTC) if running else since)
        return settings, client

    def is_up(self) -> bool:
        """Whether any part of this home's Airflow runs."""
        return Standalone(Settings(self.ctx)).is_alive()

    def dag_ids(self) -> list[str]:
        """The DAGs that the project's files should give."""
        project = self.ctx.project
        return [
            *(f"source_{file.stem}" for file in project.source_files),
            "marts",
            *(f"sync_{file.stem}" for file in project.sync_files),
        ]

    def stop(self, *, warehouse: bool = True) -> list[str]:
        """End exactly what this home started; returns what ran."""
        from lifehouse.demo import services  # noqa: PLC0415

        ended = [f"Airflow's {name}" for name in Standalone(Settings(self.ctx)).stop()]
        ended += [f"the demo's {name}" for name in services.stop(self.ctx)]
        if warehouse and EmbeddedServer(self.ctx.home).stop():
            ended.append("the embedded Postgres")
        return ended

    def remove(self) -> list[str]:
        """Stop everything and delete the home: warehouse, Airflow, work folders. Another Postgres is left alone.

        :raises LifehouseError: the folder does not look like a home.
        """
        home = self.ctx.home.path
        precious = (Path.home(), self.ctx.project.root, INSTALLATION, Path.cwd())
        if any(place == home or home in place.parents for place in precious):
            raise LifehouseError(f"{home} holds more than Lifehouse's state; remove it yourself")
        if any(home.iterdir()) and not any(
            (home / part).is_dir() for part in ("postgres", "airflow", "dbt", "logs")
        ):
            raise LifehouseError(f"{home} does not look like Lifehouse's state; remove it yourself")
        ended = self.stop()
        EmbeddedServer(self.ctx.home).remove()
        shutil.rmtree(home)
        return ended
