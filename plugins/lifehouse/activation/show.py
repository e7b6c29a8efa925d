"""Plans and results in the terminal: counts and reasons, no person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lifehouse.activation import inspection
from lifehouse.activation.declaration import Sync
from lifehouse.activation.durations import words
from lifehouse.activation.guards import Finding
from lifehouse.activation.preview import Preview
from lifehouse.activation.reconcile import Reconciled
from lifehouse.activation.run import SyncResult
from lifehouse.warehouse.connection import Warehouse


def show_plan(console: Console, sync: Sync, preview: Preview, findings: Iterable[Finding]) -> None:
    """What would be sent and how long that takes, who stays out and why, and every guard's word."""
    plan = preview.plan
    console.print(
        f"[bold]{sync.sync}[/]: segment [bold]{plan.segment}[/] of release {plan.release.release_id} "
        f"(as of {plan.release.as_of:%Y-%m-%d %H:%M} UTC) to {sync.account_name} ({sync.platform})"
    )
    takes = plan.capabilities
    calls = f"{plan.calls:,} call{'s' if plan.calls != 1 else ''} of at most {takes.batch_size:,} rows"
    rows = [
        ("add", plan.adds, ""),
        ("change", plan.changes, ""),
        ("remove", plan.removes, ""),
        ("= to send", plan.rows, calls if plan.rows else "nothing to do"),
        ("quiet", plan.quiet, f"add or change after the quiet hours, {_clock(plan.quiet_until)}"),
        (
            "zoneless",
            plan.zoneless,
            f"have no known time zone in {sync.zone_column}; the clock of {sync.zone} counts",
        ),
        ("in flight", plan.in_flight, "the platform's answer is missing; sent again first"),
        ("waiting", plan.waiting, "refused before and unchanged; --only-failed tries again"),
        ("should hold", plan.desired, f"it holds {plan.acknowledged:,}"),
        ("without consent", plan.without_consent, ""),
        ("suppressed", plan.suppressed, "`lifehouse suppress list`"),
        ("left out", plan.left_out, f"by hand: `lifehouse sync picks {sync.sync}`"),
        ("capped", plan.capped, _cap_words(sync)),
        ("held out", plan.held_out, ""),
        (
            "unreachable",
            plan.unreachable,
            f"have no {'' if isinstance(sync.key, str) else 'usable '}{sync.key_column}",
        ),
        ("shared key", plan.shared_key, f"another member has the same {sync.key_column}"),
    ]
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column(style="dim")
    for name, count, note in rows:
        if count or name in ("add", "change", "remove", "= to send", "should hold"):
            table.add_row(name, f"{count:,}", note)
    console.print(table)
    if plan.rows:
        _show_details(console, preview)
    for finding in findings:
        mark, verdict = ("[green]✓[/]", ":") if finding.holds else ("[red]✗[/]", ", but")
        console.print(f" {mark} {escape(finding.meaning)}{verdict} {escape(finding.observed)}")


def _clock(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC" if instant else ""


def _cap_words(sync: Sync) -> str:
    if sync.cap is None:
        return ""
    return f"have had {sync.cap.at_most:,} of kind {sync.kind} within {words(sync.cap.within)}, of all syncs together"


def _show_details(console: Console, preview: Preview) -> None:
    """How long it takes, which fields change in how many rows, and some rows by their customer's id."""
    seconds, basis = preview.estimate.seconds, preview.estimate.basis
    told = "" if seconds is None else f"about {words(timedelta(seconds=max(1, seconds)))}: "
    console.print(f" time: {told}{basis}")
    if preview.changed or preview.others:
        counts = [f"{name} in {count:,}" for name, count in preview.changed.items()]
        if preview.others:
            counts.append(
                f"not known of {preview.others:,} (first sent with other fields, or before they were told apart)"
            )
        console.print(f" fields that change: {escape(', '.join(counts))}")
    for example in preview.examples:
        fields = f": {', '.join(example.fields)}" if example.fields else ""
        key = f"[dim](key like {escape(example.key_shape)})[/]"
        console.print(
            f" e.g. {example.action} {escape(example.customer_id)} {key}{escape(fields)}", highlight=False
        )


def show_result(console: Console, warehouse: Warehouse, result: SyncResult) -> None:
    """One line, and the platform's reasons where it refused rows."""
    console.print(
        f"[bold]{result.sync}[/]: +{result.adds:,} ~{result.changes:,} −{result.removes:,}: {result.confirmed:,} confirmed, "
        f"{result.refused:,} refused, {result.withdrawn:,} withdrawn, {result.waiting:,} waiting; "
        f"{result.calls:,} call{'s' if result.calls != 1 else ''}, {result.seconds:.1f} s"
    )
    if result.remark:
        console.print(f"  {escape(result.remark)}", highlight=False)
    for count, reason in inspection.refusals(warehouse, result.sync_run_id, 10):
        console.print(f"  refused {count:,}: {escape(reason)}")


def show_reconciled(console: Console, found: Reconciled, *, is_repaired: bool) -> None:
    """Both sides in counts, with some of those in whom they differ by their customer's id, and what to do."""
    console.print(
        f"[bold]{found.sync}[/]: the platform told {found.there:,} rows, we believe it holds {found.ours:,}"
    )
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column(style="dim")
    gone = found.only_here - found.to_send_again
    for name, count, note in [
        ("both", found.both_hold, "whether their fields agree is not compared"),
        ("only here", found.only_here, f"{found.to_send_again:,} belong there, {gone:,} do not any longer"),
        (
            "only there",
            found.only_there,
            f"not there through this sync, which leaves them alone; {found.to_add:,} belong there",
        ),
        ("in flight", found.in_flight, "not judged: the platform's answer is missing"),
        ("unsubscribed", found.unsubscribed, "there, and not suppressed for it until now"),
    ]:
        if (count or name not in ("in flight", "unsubscribed")) and not (
            name == "only there" and found.is_asked
        ):
            table.add_row(name, f"{count:,}", note if count else "")
    console.print(table)
    if found.is_asked:
        console.print(
            f" the platform has no list to read: it was asked after our {found.ours:,} rows, and others were not seen"
        )
    for one in found.examples:
        whose = f"{escape(one.customer_id)} " if one.customer_id else ""
        console.print(f" e.g. {one.side}: {whose}[dim](like {escape(one.shape)})[/]")
    if is_repaired and found.only_here:
        console.print(
            f" {found.resent:,} are sent again by the next sync, {found.gone:,} are believed to be there no longer"
        )
    elif found.only_here:
        console.print(" --repair has the next sync send again who belongs there, and forgets the others")
    if found.unsubscribed and is_repaired:
        console.print(
            f" {found.unsubscribed:,} who unsubscribed there are suppressed now, until they grant consent anew"
        )
    elif found.unsubscribed:
        console.print(" --repair suppresses those who unsubscribed there, until they grant consent anew")
