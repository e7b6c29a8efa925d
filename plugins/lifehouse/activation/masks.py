"""What a platform says about a row, made fit to be kept: short, and without what looks personal."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 200
_EMAIL = re.compile(r"[^\s<>\"'(),:;@]+@[^\s<>\"'(),:;@]+")
_NUMBER = re.compile(r"\+?\d(?:[\s./()-]{0,2}\d){6,}")  # seven digits and more: telephone, card, account


def mask(reason: str, values: Iterable[str] = ()) -> str:
    """``reason`` with e-mail addresses, long numbers and ``values`` (the row's own, of three letters and more) masked.

    At most ``LONGEST`` characters.
    """
    for value in sorted({value for value in values if len(value) >= 3}, key=len, reverse=True):
        reason = re.sub(re.escape(value), "‹value›", reason, flags=re.IGNORECASE)
    reason = _EMAIL.sub("‹e-mail›", reason)
    reason = " ".join(_NUMBER.sub("‹number›", reason).split())
    return reason if len(reason) <= LONGEST else reason[: LONGEST - 1] + "…"
