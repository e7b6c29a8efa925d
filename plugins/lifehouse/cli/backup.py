"""``lifehouse backup`` and ``lifehouse restore``: what cannot be computed again, kept and brought back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(backup)
    app.command()(restore)


def backup(
    target: Annotated[
        Path, typer.Argument(help="The file to write, or a folder in which it gets a name of its own.")
    ],
    with_raw: Annotated[
        bool,
        typer.Option(
            "--with-raw", help="Raw records and quarantine too, if a source does not keep its past."
        ),
    ] = False,
) -> None:
    """Keep decisions, releases, identities, what platforms hold, and the published marts; holds personal data."""
    from lifehouse.backup.make import backup as make
    from lifehouse.context import Context

    made = make(Context.current(), target, with_raw=with_raw)
    what = f"release {made.manifest.release_id}" if made.manifest.slot else "nothing published"
    raw = (
        "with raw records" if with_raw else "without raw records: after a restore the sources are read again"
    )
    typer.echo(f"{made.file}: {what}, {made.size / 1e6:,.1f} MB, {raw}.")
    if made.manifest.left_out:
        typer.echo(f"Left out, since they read what is not in it: {', '.join(made.manifest.left_out)}.")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `lifehouse backup` wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Also if the warehouse is not empty: what it holds is dropped.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Bring a backup back into an empty warehouse: its release is served at once, the next run builds the rest."""
    from lifehouse.backup.restore import restore as bring_back
    from lifehouse.context import Context

    if replace and not yes:
        typer.confirm("Drop everything that the warehouse holds and put the backup in its place?", abort=True)
    done = bring_back(Context.current(), file, replace=replace)
    found = done.manifest
    served = (
        f"release {found.release_id} (as of {found.as_of}) is served"
        if found.slot
        else "nothing was published"
    )
    typer.echo(f"Restored the backup of {found.made_at}: {served}.")
    if done.rejected:
        typer.echo(
            f"{done.rejected:,} loads have no raw records here: the next run reads their sources again."
        )
    typer.echo("The syncs are paused until the next publication.")
