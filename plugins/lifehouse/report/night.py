"""One night from the command line: progress while it runs, then the summary."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from datetime import time as clock
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape

from lifehouse.context import Context
from lifehouse.errors import ConfigError, LifehouseError
from lifehouse.report import words
from lifehouse.report.summary import print_summary
from lifehouse.run import night


def instant(text: str | None, zone: str, option: str = "--as-of") -> datetime:
    """The as-of instant in UTC: a day means its beginning in ``zone``; a time without offset is meant in ``zone``; None is now.

    :raises ConfigError: the text is neither a day nor a time.
    """
    if text is None:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        if len(text) == len("2017-12-31"):
            value = datetime.combine(date.fromisoformat(text), clock())
        else:
            value = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"{option} {text!r}: use a day such as 2017-12-31 or a time such as 2017-12-31T06:00Z"
        ) from None
    return (value if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def run(
    ctx: Context,
    console: Console,
    as_of: str | None,
    sources: list[str] | None,
    *,
    full_refresh: bool,
    summary: bool,
    hold: bool = False,
    past: bool = False,
) -> None:
    """Run one night, telling each station as it begins and how long it took.

    :raises LifehouseError: the night ended without a release, or a source or sync failed beside it.
    """
    zone = ctx.project.company.time_zone
    at = instant(as_of, zone)
    console.print(
        f"[bold]{escape(ctx.project.company.company)}[/], as of {words.instant(at, zone)}", highlight=False
    )
    progress = Progress(console)
    with console.status("") as spinner:
        progress.spinner = spinner
        try:
            outcome = night(
                ctx, at, sources=sources, full_refresh=full_refresh, hold=hold, past=past, say=progress.say
            )
        finally:
            progress.end()
    if summary and outcome.status == "published":
        console.print()
        print_summary(ctx, console, times=True)
    if outcome.status == "held":
        console.print(
            f"Run {outcome.run_id} passed its gate and is held. `lifehouse diff published candidate` says what it would "
            "change, `lifehouse publish` serves it.",
            highlight=False,
        )
    if outcome.problems:
        raise LifehouseError("the night ended, but not everything went well:\n" + "\n".join(outcome.problems))


class Progress:
    """Prints each step with its seconds once the next one begins."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.spinner = console.status("")
        self._step, self._since = "", 0.0

    def say(self, step: str) -> None:
        """The next step begins."""
        self.end()
        self._step, self._since = step, time.monotonic()
        self.spinner.update(f"{escape(step)} …")

    def end(self) -> None:
        """The step at hand is over, well or not."""
        if self._step:
            taken = words.seconds(time.monotonic() - self._since)
            self.console.print(f"  {self._step:<36} [dim]{taken:>10}[/]", highlight=False)
        self._step = ""
