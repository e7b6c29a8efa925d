"""A declared request with everything filled in, as it goes out."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lifehouse.activation.platforms import template
from lifehouse.activation.platforms.base import BatchRefused
from lifehouse.activation.platforms.calls import Request, Table
from lifehouse.activation.platforms.lean import httpx
from lifehouse.activation.platforms.row_file import write_lines
from lifehouse.errors import ConfigError

_FORM, _JSON, _CSV = "application/x-www-form-urlencoded", "application/json", "text/csv"


@dataclass(frozen=True)
class Prepared:
    """``path`` is below the account's address, or an address of its own, such as where one logs in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    content: bytes | None


def prepare(
    request: Request,
    values: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]] = (),
    *,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> Prepared:
    """The request with everything filled in.

    :param headers: of every request, as ``query``; the request's own win.
    :raises ConfigError: the connection's extra or the row lacks what the declaration asks for.
    :raises BatchRefused: it is larger than the platform takes.
    """

    def filled(texts: Mapping[str, str]) -> dict[str, str]:
        return {name: str(template.fill(text, values)) for name, text in texts.items()}

    try:
        sent, content, kind = filled({**(headers or {}), **request.headers}), None, _JSON
        if request.form is not None:
            content, kind = str(httpx.QueryParams(filled(request.form))).encode(), _FORM
        elif request.csv is not None:
            content, kind = _csv(request.csv, values, rows), _CSV
        elif request.body is not None:
            content = json.dumps(template.fill(request.body, values, rows), ensure_ascii=False).encode()
        if content is not None:
            sent.setdefault("Content-Type", kind)
            if request.largest is not None and len(content) > request.largest:
                raise BatchRefused("it is larger than the platform takes at once")
        is_below = request.path.startswith("/")
        path = (
            template.fill_path(request.path, values) if is_below else str(template.fill(request.path, values))
        )
        return Prepared(request.method, path, filled({**(query or {}), **request.query}), sent, content)
    except KeyError as error:
        raise ConfigError(
            f"the platform's {request.path} needs {error.args[0]!r}: in the connection's extra, or among the sync's fields"
        ) from None


def _csv(table: Table, values: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> bytes:
    columns, lines = template.table(table.columns, values, rows)
    text = io.StringIO(newline="")
    as_text = template.FILTERS["text"]
    written = ([table.empty if value is None else as_text(value) for value in line] for line in lines)
    write_lines(text, columns, written)
    return text.getvalue().encode()
