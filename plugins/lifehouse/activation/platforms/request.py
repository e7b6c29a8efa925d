"""A declared request with everything filled in, as it goes out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from lifehouse.activation.platforms import template
from lifehouse.activation.platforms.declaration import Request
from lifehouse.errors import ConfigError

_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"


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
    """

    def filled(texts: Mapping[str, str]) -> dict[str, str]:
        return {name: str(template.fill(text, values)) for name, text in texts.items()}

    try:
        sent, content = filled({**(headers or {}), **request.headers}), None
        if request.form is not None:
            content = str(httpx.QueryParams(filled(request.form))).encode()
        elif request.body is not None:
            content = json.dumps(template.fill(request.body, values, rows), ensure_ascii=False).encode()
        if content is not None:
            sent.setdefault("Content-Type", _JSON if request.form is None else _FORM)
        is_below = request.path.startswith("/")
        path = (
            template.fill_path(request.path, values) if is_below else str(template.fill(request.path, values))
        )
        return Prepared(request.method, path, filled({**(query or {}), **request.query}), sent, content)
    except KeyError as error:
        raise ConfigError(
            f"the platform's {request.path} needs {error.args[0]!r}: in the connection's extra, or among the sync's fields"
        ) from None
