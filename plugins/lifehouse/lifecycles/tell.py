"""A customer's story as text for people at a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import datetime, timedelta

from rich.cells import cell_len

from lifehouse.lifecycles import event_words
from lifehouse.lifecycles.explain import Happened, Stay, Story

_MARKS = {"past": " ", "now": ">", "later": " ", "scheduled": "?"}
_MOST, _WIDTH = 12, 110


def heading(customer_id: str, story: Story) -> Iterator[str]:
    """Who, as of when, and what the release that answers can know of it."""
    yield f"Customer {customer_id} as of {_time(story.as_of)} UTC"
    if story.as_of < story.known_at:
        yield f"(as the release of {_time(story.known_at)} UTC knows it)"
    elif story.as_of > story.known_at:
        yield f"(to come: what follows if nothing happens after {_time(story.known_at)} UTC, the release's instant)"


def events(found: list[Happened]) -> Iterator[str]:
    """What happened so far, a line for each type, the one seen last first."""
    if not found:
        yield "Nothing has happened yet."
        return
    total = sum(one.count for one in found)
    yield f"What happened: {total:,} event{'' if total == 1 else 's'} since {min(one.first_at for one in found):%Y-%m-%d}"
    told = [event_words.many(one.event_type, one.count) for one in found[:_MOST]]
    width = max(map(len, told))
    for text, one in zip(told, found, strict=False):
        first, last = f"{one.first_at:%Y-%m-%d}", f"{one.last_at:%Y-%m-%d}"
        yield f"  {text:<{width}}  {last if first == last else f'{first} to {last}'}"
    if len(found) > _MOST:
        rest = found[_MOST:]
        kinds = f"{len(rest)} other kind{'' if len(rest) == 1 else 's'}"
        yield f"  and {sum(one.count for one in rest):,} more of {kinds}, the last on {rest[0].last_at:%Y-%m-%d}"


def lines(story: Story) -> Iterator[str]:
    """One lifecycle: where the customer stands and why, what comes next, then every stay on a line."""
    yield story.title
    yield from (f"  {sentence}" for sentence in _sentences(story))
    stages = max(cell_len(stay.stage) for stay in story.stays)
    for stay in story.stays:
        stage = stay.stage + " " * (stages - cell_len(stay.stage))
        yield f"  {_MARKS[stay.when]} {_time(stay.entered_at)}  {stage}  {_dwell(stay):>15}  {stay.cause}"


def _sentences(story: Story) -> Iterator[str]:
    now, following = story.now, story.next
    if now is None:
        yield f"Not known yet; the first stage begins on {_time(story.stays[0].entered_at)}."
        return
    for_ = _length(story.as_of - now.entered_at)
    yield f"{now.stage} since {_time(now.entered_at)}, for {for_}. Why: {now.cause}."
    for word, told in (("It means", now.definition), ("Rule", now.rule)):
        if told:
            yield from textwrap.wrap(f"{word}: {told.rstrip('.')}.", _WIDTH, subsequent_indent="  ")
    if following is None:
        yield "No move is scheduled."
        return
    word = "If nothing happens" if following.is_expiry and following.is_scheduled else "Then"
    at = f"{_time(following.entered_at)}, in {_length(following.entered_at - story.as_of)}"
    yield f"{word}: {following.stage} on {at}. Why: {following.cause}."


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _dwell(stay: Stay) -> str:
    if stay.exited_at is None:
        return "no end in sight"
    span = stay.exited_at - stay.entered_at
    return f"{stay.days:,.1f} days" if span >= timedelta(days=1) else _length(span)


def _length(span: timedelta) -> str:
    """``88 days``, ``5 hours``, ``12 minutes``: the largest unit of which there are two."""
    seconds = span.total_seconds()
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.0f} {unit}s"
    return f"{seconds:,.0f} seconds"
