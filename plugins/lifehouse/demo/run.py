"""``make demo``: three nights of the demo company through Airflow, then what they found and where the time went."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rich.console import Console

from lifehouse.context import Context
from lifehouse.demo import nights, services, shop, watch
from lifehouse.demo.timings import NightTimes, print_times
from lifehouse.errors import LifehouseError
from lifehouse.orchestration.client import AirflowClient
from lifehouse.orchestration.house import House
from lifehouse.orchestration.runs import DagRun
from lifehouse.project import INSTALLATION


class DemoFailed(LifehouseError):
    """The demo cannot go on: a DAG run failed (the message has its tasks' reasons), or this is not the demo company."""


@dataclass
class Demo:
    """One performance: the company's systems, Airflow, and a console to show it on."""

    ctx: Context
    console: Console
    households: int | None = None
    times: list[NightTimes] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    def play(self) -> None:
        """Play the nights that are not published yet; the last one again when all are.

        :raises DemoFailed: a DAG run failed.
        """
        house = House(self.ctx)
        self.environment = house.start_systems(self.households)
        todo = self._nights()
        with (
            self.console.status("The company opens: shop, CRM, Airflow") as status,
            ThreadPoolExecutor(1) as pool,
        ):
            opening = pool.submit(self._advance, todo[0])
            _, client = house.start_airflow(self.environment, status.update)
            status.update("The shop loads its year of history")
            opening.result()
        for night in todo:
            if night != todo[0]:
                with self.console.status("A day passes at the company"):
                    self._advance(night)
            self.times.append(self._night(client, night))

    def _night(self, client: AirflowClient, as_of: datetime) -> NightTimes:
        """One night through Airflow: sources side by side, marts, and the syncs that the release wakes."""
        self.console.print(f"\n[bold]Night of {as_of.astimezone(nights.ZONE):%A, %d %B %Y}[/]")
        started = time.time()
        runs = self._finish(
            client, [client.trigger(f"source_{file.stem}") for file in self.ctx.project.source_files]
        )
        (marts,) = self._finish(client, [client.trigger("marts", {"as_of": as_of.isoformat()})])
        runs.append(marts)
        published = any(task.task_id == "publish" and task.state == "success" for task in client.tasks(marts))
        if published:
            syncs = [f"sync_{file.stem}" for file in self.ctx.project.sync_files]
            runs += self._finish(client, client.await_woken(marts, syncs))
        else:
            self.console.print(
                "  [dim]nothing has changed since the last release: it stays, and nothing is pushed[/]"
            )
        ended = time.time()
        tasks = [task for run in runs for task in client.tasks(run)]
        return NightTimes.of(self.ctx, as_of, tasks, _instant(started), _instant(ended))

    def _finish(self, client: AirflowClient, runs: list[DagRun]) -> list[DagRun]:
        ended = watch.until_finished(client, runs, self.console)
        failed = [run for run in ended if run.state != "success"]
        if failed:
            raise DemoFailed("\n".join(client.reason(run) for run in failed))
        return ended

    def _nights(self) -> list[datetime]:
        published = self.ctx.warehouse.value("select as_of from control.published")
        return [night for night in nights.NIGHTS if not published or night > published] or [nights.NIGHTS[-1]]

    def _advance(self, as_of: datetime) -> None:
        shop.advance(self.environment["LIFEHOUSE_SHOP_URL"], as_of, self.households)
        services.advance(self.ctx, as_of)


def demo(
    ctx: Context, *, households: int | None = None, keep: bool = False, console: Console | None = None
) -> None:
    """Run the demo, print its summary and times, write its report; what it started is stopped, what it knows stays.

    :param households: a sample of so many households; None for all 2,469.
    :param keep: leave Airflow and the company's systems running, as it is done where Airflow ran before.
    :raises LifehouseError: something failed; the message says what.
    """
    from lifehouse.report import html  # noqa: PLC0415  charts: only when there is something to show
    from lifehouse.report.summary import print_summary  # noqa: PLC0415

    house = House(ctx)
    if not house.is_demo:
        raise DemoFailed(f"{ctx.project.root} is not the demo company: run the demo in {INSTALLATION}")
    console = console or Console()
    keep = keep or house.is_up()  # it was there before us
    began = time.monotonic()
    performance = Demo(ctx, console, households)
    try:
        performance.play()
        print_summary(ctx, console)
        page = html.write(ctx)
    finally:
        if not keep:
            with console.status("Stopping Airflow and the company's systems"), suppress(KeyboardInterrupt):
                house.stop(warehouse=False)
    print_times(console, performance.times, time.monotonic() - began)
    console.print(f"\nReport: [bold]{page}[/]", soft_wrap=True)


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
