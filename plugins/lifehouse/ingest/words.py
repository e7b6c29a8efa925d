"""The raw gate's figures in words: what was found, what is usual, and on how many earlier days that rests."""

from __future__ import annotations

import math

from lifehouse.ingest.figure import Figure

ADVICE = "if it is right, `lifehouse loads accept` the load with a reason: it then counts as usual"

_NAMES = {
    "rows": "rows of the days that came",
    "age": "hours that the newest record is old",
    "null": "share of nulls",
    "empty": "share of empty texts",
    "garbled": "share of texts with garbled letters (an encoding gone wrong)",
    "misshapen": "share of values that are no e-mail address or phone number",
    "crowd": "share of records that have one and the same value",
    "digits": "share of texts that begin like a number",
    "length": "mean length of the texts",
    "mix": "mix of the values (renamed, swapped or lost ones move it)",
    "mean": "mean of the amounts",
    "size": "typical size",
    "zero": "share of zeros",
    "negative": "share of negatives",
    "hour": "hours by which the times of day are moved",
    "ahead": "share of times later than the record's own",
    "repeated": "share of rows that are there more than once",
    "true": "share of true",
}
_SHARES = (
    "null", "empty", "garbled", "misshapen", "crowd", "digits", "zero", "negative", "ahead", "repeated", "true",
)  # fmt: skip


def meaning(figure: Figure) -> str:
    """A sentence without its place: the figure, what is usual, and what that rests on."""
    rests = f"on {figure.days} earlier {'loads' if figure.measure in ('age', 'crowd') else 'days'}"
    if figure.basis == "same weekday":
        rests += ", this weekday's first"
    if figure.note:
        return f"{figure.note} ({rests})"
    name = _NAMES.get(figure.measure, f"share of {figure.measure.removeprefix('is ')}")
    low, high = show(figure, figure.bounds.low), show(figure, figure.bounds.high)
    return f"{name}: {show(figure, figure.found)} came, usual are {low} to {high} ({rests})"


def show(figure: Figure, value: float) -> str:
    """A figure's value as a person reads it."""
    if figure.measure in _SHARES or figure.measure.startswith("is "):
        return f"{min(max(value, 0), 1):.1%}"
    if figure.measure in ("rows", "age", "hour"):
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{2 if math.fabs(value) >= 1 else 3}f}"
