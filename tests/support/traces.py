"""People whose values cannot be overlooked, the secrets of a company, and a search that knows every way to write them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

PEOPLE = {
    "alma": (
        "Alma Quillfeather",
        "Alma.Quillfeather@Nowhere-Mail.example",
        "+49 30 5551-2340",
        "Zwetschkenweg 77",
    ),
    "joerg": (
        "Jörg Überzwerch",
        "joerg.ueberzwerch@nowhere-mail.example",
        "030 / 5551 2999",
        "Ölmühlgasse 12b",
    ),
    "tamsin": ("Tamsin Oxenbridge", "tamsin@oxenbridge.example", "+44 20 7946 0777", "3 Pudding Mews"),
    "piers": ("Piers Wintergreen", "piers@wintergreen.example", "+1 (212) 555-0188", "88 Larkspur Court"),
}
VALUES = [value for person in PEOPLE.values() for value in person] + [
    "Quillfeather", "Überzwerch", "ueberzwerch", "Oxenbridge", "Wintergreen", "Zwetschkenweg", "Ölmühlgasse", "Larkspur",
]  # fmt: skip
SECRETS = {
    "TEST_API_TOKEN": "tok-Vierundzwanzig-7f3a",
    "platform": "plat-Nachtigall-91cc",
    "source password": "pw-Kupferkessel-44d0",
    "userinfo": "ui-Hagebutte-5be2",
}


def forms(value: str) -> set[bytes]:
    """The ways in which a value may be written down; long enough not to be met by chance."""
    folded = {value, value.lower(), value.upper(), value.casefold()}
    written = set(folded)
    for text in folded:
        written |= {quote(text), quote(text, safe=""), quote_plus(text)}
        written |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]}
        written |= {text.encode().hex(), text.replace(" ", "_"), text.replace(" ", "")}
        written |= set(_base64(text))
    digits = re.sub(r"\D", "", value)
    if len(digits) >= 8:
        written |= {digits, digits.lstrip("0"), digits[2:]}
    return {form.encode() for form in written if len(form) >= 6}


def _base64(text: str) -> Iterator[str]:
    """What is the same in Base64 whatever stands around the text."""
    raw = text.encode()
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + raw).decode()
        start, end = (0 if shift == 0 else 4), len(whole) - (4 if (len(raw) + shift) % 3 else 0)
        yield whole[start:end]


def search(values: Iterable[str]) -> re.Pattern[bytes]:
    """One pattern for all forms of all values."""
    every = {form for value in values for form in forms(value)}
    return re.compile(b"|".join(re.escape(form) for form in sorted(every, key=len, reverse=True)))


def in_files(pattern: re.Pattern[bytes], root: Path, without: Iterable[str] = ()) -> list[str]:
    """``path: what was found around`` for each file below ``root`` that holds, or is named by, one of the values."""
    found = []
    for path in sorted(root.rglob("*")):
        relative = str(path.relative_to(root))
        if any(relative == name or relative.startswith(f"{name}/") for name in without):
            continue
        if not path.is_file() or path.is_symlink():
            continue
        for text in (relative.encode(), path.read_bytes()):
            if match := pattern.search(text):
                around = text[max(0, match.start() - 200) : match.end() + 60]
                found.append(f"{relative}: {around!r}")
    return found
