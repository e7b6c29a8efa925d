"""What others say (a platform about a row, a file about its columns), made fit to be kept: short, without what looks personal."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

LONGEST = 200
_EMAIL = re.compile(r"[^\s<>\"'(),:;@]+@[^\s<>\"'(),:;@]+")
_NUMBER = re.compile(r"\+?\d(?:[\s./()-]{0,2}\d){6,}")  # seven digits and more: telephone, card, account


def shape(value: object) -> str:
    """The shape of a value: letters as a or A, digits as 9, other signs as they are; long ones cut."""
    text = re.sub(r"[^\W\d_]", lambda match: "A" if match[0].isupper() else "a", str(value))
    text = re.sub(r"\d", "9", text)
    return text if len(text) <= 40 else text[:37] + "..."


def _forms(values: Iterable[str]) -> set[str]:
    """What an echo may make of the values: whole, word by word, as a part of a URL, in Base64."""
    forms: set[str] = set()
    for value in values:
        forms |= {value, quote(value), quote_plus(value), base64.b64encode(value.encode()).decode()}
        forms |= {word for word in re.split(r"[\s,;@]+", value) if not word.isdigit()}
    return {form for form in forms if len(form) >= 3}


def mask(reason: str, values: Iterable[str] = ()) -> str:
    """``reason`` with e-mail addresses, long numbers and ``values`` (the row's own) masked.

    At most ``LONGEST`` characters.
    """
    for value in sorted(_forms(values), key=len, reverse=True):
        reason = re.sub(re.escape(value), "‹value›", reason, flags=re.IGNORECASE)
    reason = _EMAIL.sub("‹e-mail›", reason)
    reason = " ".join(_NUMBER.sub("‹number›", reason).split())
    return reason if len(reason) <= LONGEST else reason[: LONGEST - 1] + "…"
