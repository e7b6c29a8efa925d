"""An answer over HTTP, as far as platforms are read by it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any, Protocol


class Response(Protocol):
    """What is asked of an answer."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def text(self) -> str: ...
    @property
    def is_success(self) -> bool: ...
    @property
    def is_client_error(self) -> bool: ...
    def json(self) -> Any: ...


@dataclass(frozen=True)
class Answered:
    """``headers`` are found however they are written; ``content`` is decoded of what it was compressed with."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """By the charset that the answer names, else UTF-8; what is none of it is replaced."""
        told = Message()
        told["Content-Type"] = self.headers.get("Content-Type", "")
        try:
            return self.content.decode(told.get_content_charset("utf-8"), "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    @property
    def is_success(self) -> bool:
        return 200 <= self.status_code < 300

    @property
    def is_client_error(self) -> bool:
        return 400 <= self.status_code < 500

    def json(self) -> Any:
        """:raises ValueError: it is no JSON."""
        return json.loads(self.content)
