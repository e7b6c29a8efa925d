"""What a platform's answer says of every row of a call."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from lifehouse.activation.platforms.answered import Response
from lifehouse.activation.platforms.answers import Answer, Rows
from lifehouse.activation.platforms.base import BatchRefused, Row, TryAgain
from lifehouse.activation.platforms.declaration import Pause
from lifehouse.errors import PlatformError
from lifehouse.masks import mask

_NO_REASON = "no reason given"


@dataclass
class Said:
    """``refused``: place → reason. ``settled``: nothing is left to do for these rows. ``ids``: place → the platform's.

    ``unsubscribed``: of the refused, whose person unsubscribed there.
    """

    refused: dict[int, str] = field(default_factory=dict)
    settled: set[int] = field(default_factory=set)
    ids: dict[int, str] = field(default_factory=dict)
    unsubscribed: set[int] = field(default_factory=set)

    def is_open(self, place: int, only: str | None) -> bool:
        """Whether a call is still to be made for the row. :param only: known or unknown, if it is for such rows alone."""
        is_wanted = only is None or (place in self.ids) == (only == "known")
        return is_wanted and place not in self.refused and place not in self.settled


class Denied(PlatformError):
    """Our credentials are not accepted, or not any longer."""


def verdict(
    response: Response,
    answer: Answer,
    place: str,
    *,
    is_of_row: bool = False,
    pause: Pause | None = None,
) -> Any:
    """The body of an answer that counts.

    :param is_of_row: the address is a row's own: what is not found there is the row, not the endpoint.
    :param pause: where a rate limit says how long it lasts, beside ``Retry-After``.
    :raises TryAgain: it does not count. :raises BatchRefused: nothing was applied. :raises PlatformError: no batch has a chance.
    """
    status, body = response.status_code, json_of(response)
    if status in answer.already:
        return body
    if body is None and response.is_success and _is_asked_of(answer):
        raise TryAgain("an answer that cannot be read", status_code=status)
    if status in answer.limited_statuses or holds(answer.limited, body):
        wait = retry_after(response)
        wait = _pause(response, pause) if wait is None else wait
        raise TryAgain("rate limit", wait=wait, is_limit=True, status_code=status)
    if holds(answer.closed, body):
        reason = mask(str(found(answer.reason, body) or _words(body)))
        raise PlatformError(f"{place} takes nothing from us (HTTP {status}): {reason}")
    if status == 401 or holds(answer.denied, body):
        raise Denied(f"{place} does not accept our credentials (HTTP {status})")
    if holds(answer.again, body):
        reason = mask(str(found(answer.reason, body) or f"HTTP {status}"))
        raise TryAgain(reason, wait=retry_after(response), status_code=status)
    if status in (408, 425) or status >= 500:
        raise TryAgain(f"HTTP {status}", wait=retry_after(response), status_code=status)
    if status == 403:
        raise PlatformError(f"{place} does not accept our credentials for this (HTTP {status})")
    if status == 404 and is_of_row:
        raise BatchRefused(f"HTTP {status}: {found(answer.reason, body) or 'not there'}", status)
    if status in (404, 405) or not (response.is_success or response.is_client_error):
        raise PlatformError(f"{place} has no such endpoint (HTTP {status})")
    if response.is_client_error or holds(answer.refused, body):
        raise BatchRefused(
            f"HTTP {status}: {found(answer.reason, body) or _words(body)}",
            status,
            is_unsubscribed=holds(answer.unsubscribed, body),
        )
    return body


def read(body: Any, answer: Answer, rows: Sequence[Row], ids: Mapping[int, str], status: int) -> Said:
    """What the body says of the rows.

    :raises TryAgain: it leaves rows out of which it must speak. :raises BatchRefused: it does not say which of them it refuses.
    """
    said = Said()
    if holds(answer.split, body):
        raise BatchRefused(
            f"HTTP {status}: {found(answer.reason, body) or 'one of its rows is refused'}", status
        )
    if answer.errors:
        for row, item in _items(body, answer.errors, rows, ids):
            if holds(answer.errors.already, item):
                said.settled.add(row.place)
            else:
                said.refused[row.place] = _reason(answer.errors, item)
                _note_unsubscribed(said, answer.errors, row, item)
    if answer.results:
        _read_results(body, answer.results, rows, ids, status, said)
    return said


def _read_results(
    body: Any, results: Rows, rows: Sequence[Row], ids: Mapping[int, str], status: int, said: Said
) -> None:
    spoken_of = set(said.refused) | said.settled
    for row, item in _items(body, results, rows, ids):
        if results.ok is None or holds(results.ok, item):
            given = None if results.by_id else found(results.id, item)
            if given is not None:
                said.ids[row.place] = str(given)
        elif holds(results.already, item):
            said.settled.add(row.place)
        else:
            said.refused.setdefault(row.place, _reason(results, item))
            _note_unsubscribed(said, results, row, item)
        spoken_of.add(row.place)
    silent = [row.place for row in rows if row.place not in spoken_of]
    if silent and results.absent == "again":
        raise TryAgain("an answer that leaves rows out", status_code=status)
    for place in silent:
        if results.absent == "ok":
            said.settled.add(place)
        elif results.absent == "refused":
            said.refused[place] = "the platform does not know it"


def _items(body: Any, listed: Rows, rows: Sequence[Row], ids: Mapping[int, str]) -> list[tuple[Row, Any]]:
    """The list's items with the rows they speak of; an item that speaks of none of them is left out."""
    items = found(listed.at, body)
    if items is None:
        items = []
    if not isinstance(items, list):
        items = [items]
    if listed.position is not None:
        numbers = [found(listed.position, item) for item in items]
        return [
            (rows[number], item)
            for number, item in zip(numbers, items, strict=True)
            if isinstance(number, int) and 0 <= number < len(rows)
        ]
    if listed.key is not None:
        by_name = {row.key.lower(): row for row in rows}
        name = listed.key
    elif listed.by_id:
        by_name = {ids[row.place].lower(): row for row in rows if row.place in ids}
        name = listed.id or "@"
    else:
        return list(zip(rows, items, strict=False))
    named = [(str(found(name, item)).lower(), item) for item in items]
    return [(by_name[one], item) for one, item in named if one in by_name]


def _note_unsubscribed(said: Said, listed: Rows, row: Row, item: Any) -> None:
    if holds(listed.unsubscribed, item):
        said.unsubscribed.add(row.place)


def _reason(listed: Rows, item: Any) -> str:
    return str(found(listed.reason, item) or _NO_REASON)


def _words(body: Any) -> str:
    for name in ("message", "reason", "detail", "error", "title", "description"):
        if isinstance(body, dict) and isinstance(body.get(name), str):
            return str(body[name])
    return "refused"


def _is_asked_of(answer: Answer) -> bool:
    """Whether anything is read in the body, so that none at all is no answer."""
    return any((answer.results, answer.errors, answer.refused, answer.again, answer.limited, answer.denied))


def holds(expression: str | None, body: Any) -> bool:
    return expression is not None and body is not None and found(expression, body) is True


def found(expression: str | None, body: Any) -> Any:
    if expression is None:
        return None
    try:
        return _compiled(expression).search(body)
    except JMESPathError:  # a function that cannot take what is there: nothing is found
        return None


@cache
def _compiled(expression: str) -> ParsedResult:
    return jmespath.compile(expression)


def json_of(response: Response) -> Any:
    """The body; a CSV file's lines are objects; None for what cannot be read."""
    try:
        if response.headers.get("Content-Type", "").startswith("text/csv"):
            return list(csv.DictReader(io.StringIO(response.text, newline=""), strict=True))
        return response.json()
    except (ValueError, csv.Error):
        return None


def _pause(response: Response, pause: Pause | None) -> float | None:
    """Seconds that the header says; None where it says nothing."""
    try:
        minutes = found(pause.minutes, json.loads(response.headers.get(pause.header, ""))) if pause else None
    except ValueError:
        return None
    return 60.0 * minutes if isinstance(minutes, int | float) and minutes > 0 else None


def retry_after(response: Response) -> float | None:
    """Seconds, from either form of the header (RFC 9110, 10.2.3)."""
    text = response.headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
