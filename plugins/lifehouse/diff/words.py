"""A diff in words: what a person should know first comes first. Counts only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from lifehouse.diff.compare import Diff, History, MartDiff

_MOST = 12  # stage moves shown for a lifecycle


def told(diff: Diff) -> str:
    """The whole diff as text."""
    return "\n".join([first_sentence(diff), "", *_sides(diff), *_figures(diff)])


def first_sentence(diff: Diff) -> str:
    """Whether history reads otherwise, and what that can be due to."""
    cause = {
        (True, True): "Code and loads are the same",
        (True, False): "The loads differ, the code does not",
        (False, True): "The code differs, the loads do not",
        (False, False): "Code and loads both differ",
    }[diff.same_code, diff.same_loads]
    past = f"{min(diff.a.as_of, diff.b.as_of):%Y-%m-%d %H:%M} UTC"
    if diff.history.stays is None and diff.history.orders is None:
        return f"{cause}; history was not compared: one side holds neither stage_history nor orders."
    if diff.history.differs:
        changed = "and with it history" if not diff.same_code else "and history with them"
        if diff.same_code and diff.same_loads:
            changed = "yet history differs"
        return f"{cause}, {changed}: of what was over by {past}, {_history(diff.history)}."
    return f"{cause}; history is the same: of what was over by {past}, every stay in a stage and every order agrees."


def as_json(diff: Diff) -> dict[str, Any]:
    """The diff as plain data, with the first sentence as ``summary``."""
    return {"summary": first_sentence(diff), **asdict(diff)}


def _history(history: History) -> str:
    parts = []
    if history.stays_gone or history.stays_new:
        parts.append(
            f"{_count(history.stays_gone, 'stay')} of {history.stays:,} in a stage "
            f"{'is' if history.stays_gone == 1 else 'are'} gone and {history.stays_new:,} "
            f"{'is' if history.stays_new == 1 else 'are'} new ({_count(history.customers, 'customer')})"
        )
    if history.orders_changed or history.orders_gone or history.orders_new:
        parts.append(
            f"of {_count(history.orders, 'order')} {history.orders_changed:,} read otherwise, "
            f"{history.orders_gone:,} are gone and {history.orders_new:,} are new"
        )
    return "; ".join(parts)


def _sides(diff: Diff) -> Iterator[str]:
    for word, side in (("from", diff.a), ("to  ", diff.b)):
        note = f" ({side.note})" if side.note else ""
        yield f"{word} {side.name}, as of {side.as_of:%Y-%m-%d %H:%M} UTC{note}"


def _figures(diff: Diff) -> Iterator[str]:
    yield "\nRows"
    same = [mart.mart for mart in diff.marts if not mart.differs]
    for mart in diff.marts:
        if mart.differs:
            yield f"  {_mart(mart)}"
    if same:
        yield f"  the same: {', '.join(same)}"
    for absent, side in diff.absent.items():
        yield f"  {absent}: only in {side}"
    if diff.revenue:
        yield "\nNet revenue"
        for money in diff.revenue:
            change = money.after - money.before
            yield f"  {money.currency} {money.before:,.2f} -> {money.after:,.2f}" + (
                f" ({change:+,.2f})" if change else ""
            )
    yield from _stages(diff)
    changed = [segment for segment in diff.segments if segment.came or segment.left]
    if changed:
        yield "\nSegments"
        for segment in changed:
            yield (
                f"  {segment.segment}: {segment.before:,} -> {segment.after:,} "
                f"({segment.came:,} came, {segment.left:,} left)"
            )
    for kind, ids in (diff.customers or {}).items():
        if ids:
            yield f"\nCustomers {kind}: {', '.join(ids)}"


def _stages(diff: Diff) -> Iterator[str]:
    for lifecycle in dict.fromkeys(move.lifecycle for move in diff.stages):
        moves = [move for move in diff.stages if move.lifecycle == lifecycle]
        yield f"\nStages of {lifecycle}: {_count(sum(move.customers for move in moves), 'customer')} elsewhere"
        for move in moves[:_MOST]:
            yield f"  {move.from_stage or '(not there)'} -> {move.to_stage or '(not there)'}: {move.customers:,}"
        if len(moves) > _MOST:
            yield f"  and {len(moves) - _MOST} more kinds of moves"


def _mart(mart: MartDiff) -> str:
    columns = sorted(mart.columns.items(), key=lambda item: -item[1])
    where = f" in {', '.join(f'{name} {count:,}' for name, count in columns)}" if columns else ""
    shape = [f"new column {name}" for name in mart.new_columns] + [
        f"lost column {name}" for name in mart.lost_columns
    ]
    rows = f"{mart.before:,} -> {mart.after:,} rows: {mart.added:,} added, {mart.removed:,} removed, {mart.changed:,} changed"
    return f"{mart.mart}: {rows}{where}" + "".join(f"; {what}" for what in shape)


def _count(number: int | None, word: str) -> str:
    return f"{number or 0:,} {word}{'' if number == 1 else 's'}"
