"""``lifehouse doctor``: looks at the machine, the warehouse and the project, and says for each finding what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lifehouse.context import Context
from lifehouse.doctor import alerts, machine, project, recorded, roles, state, travel
from lifehouse.doctor.findings import Finding, Verdict
from lifehouse.errors import LifehouseError

__all__ = ["Finding", "Verdict", "examine", "print_findings"]


def examine(ctx: Context) -> list[Finding]:
    """All findings. A check that fails by itself is a finding, never an end of the examination."""
    findings: list[Finding] = []
    checks: tuple[Callable[[Context], Iterator[Finding]], ...] = (
        machine.python,
        machine.packages,
        machine.disk,
        machine.memory,
        state.home,
        state.warehouse,
        roles.access,
        travel.connections,
        project.company,
        project.declarations,
        project.staging,
        recorded.pipelines,
        state.service,
        state.release,
        alerts.channels,
    )
    for check in checks:
        try:
            findings.extend(check(ctx))
        except (LifehouseError, OSError) as error:
            subject = check.__name__
            findings.append(Finding(subject, Verdict.WRONG, str(error), "mend what the message names"))
    return findings


def print_findings(ctx: Context, console: Console, *, fix: bool = False) -> bool:
    """Print the findings; says whether nothing is wrong. With ``fix`` the roles and their grants are mended first."""
    for sentence in roles.mend(ctx) if fix else ():
        console.print(escape(sentence), soft_wrap=True)
    findings = examine(ctx)
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1))
    table.add_column(width=1)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        advice = f"\n[cyan]→ {escape(finding.what_to_do)}[/]" if finding.verdict is not Verdict.FINE else ""
        table.add_row(finding.verdict.value, escape(finding.subject), escape(finding.found) + advice)
    console.print(table)
    wrong = sum(finding.verdict is Verdict.WRONG for finding in findings)
    console.print(f"\n[red bold]{wrong} to mend.[/]" if wrong else "\n[green bold]Nothing is wrong.[/]")
    return not wrong
