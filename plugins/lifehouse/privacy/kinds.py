"""The kinds of personal values. What names or reaches a person by itself is personal; city, age band and the like are not."""

from __future__ import annotations

from typing import Literal, get_args

Personal = Literal["email", "phone", "name", "address", "id", "birth", "text"]
KINDS: tuple[Personal, ...] = get_args(Personal)
#: Identifiers: their masks are keyed hashes, so that they can be counted and joined.
IDENTIFIERS: tuple[Personal, ...] = ("email", "phone", "id")
