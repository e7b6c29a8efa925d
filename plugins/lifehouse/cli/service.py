"""``lifehouse up``, ``down``, ``clean`` and ``demo``: the house as processes."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(up)
    app.command()(down)
    app.command()(clean)
    app.command()(demo)
    app.command(
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
    )(airflow)


def up() -> None:
    """Start the warehouse and Airflow (UI and scheduler) and leave them running; a second call changes nothing."""
    from lifehouse.context import Context
    from lifehouse.orchestration.house import House

    house, console = House(Context.current()), Console()
    with console.status("Warehouse") as status:
        settings, client = house.start_airflow(house.open_systems(status.update), status.update)
    console.print(f"[bold green]Airflow[/] runs at {client.url}")
    console.print(f"  user      {client.user}")
    console.print(f"  password  in {settings.password_file}", soft_wrap=True)
    if house.is_demo:
        console.print(
            "The demo company's clock stands in 2017: trigger its DAGs by hand, or run [bold]lifehouse demo[/]."
        )
    console.print("[bold]lifehouse down[/] stops it; what it knows stays.")


def airflow(context: typer.Context) -> None:
    """Airflow's own command line on this installation, e.g. `lifehouse airflow dags list`."""
    import os
    import sys

    from lifehouse.context import Context
    from lifehouse.orchestration.settings import Settings

    settings = Settings(Context.current())
    if not (settings.folder / "airflow.cfg").exists():
        settings.write()
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, "-m", "airflow", *context.args], settings.environment())  # noqa: S606


def down() -> None:
    """Stop what `up` or `demo` started; the state stays."""
    from lifehouse.context import Context
    from lifehouse.orchestration.house import House

    with Console().status("Stopping"):
        ended = House(Context.current()).stop()
    typer.echo(f"Stopped: {', '.join(ended)}." if ended else "Nothing ran.")


def clean(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Stop everything and delete the state: the warehouse's data, Airflow's, the work folders."""
    from lifehouse.context import Context
    from lifehouse.orchestration.house import House

    ctx = Context.current()
    if not yes:
        typer.confirm(f"Delete {ctx.home.path} with the warehouse and all that it knows?", abort=True)
    House(ctx).remove()
    typer.echo(f"Removed {ctx.home.path}.")


def demo(
    households: Annotated[
        int | None,
        typer.Option(min=1, help="Only a sample of so many of the 2,469 households. Default: all."),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave Airflow running afterwards, to look around.")
    ] = False,
) -> None:
    """Three nights of a whole company through Airflow, and what they found."""
    from lifehouse.context import Context
    from lifehouse.demo import run as performance

    performance.demo(Context.current(), households=households, keep=keep)
