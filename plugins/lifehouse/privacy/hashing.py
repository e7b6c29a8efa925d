"""Identifiers as advertising platforms match them: normalised, then SHA-256 in hex. In Python, and as SQL for syncs.

Rules: Google's customer match (as its own formatter of the Data Manager API has them) and Meta's customer information.
E-mail: trimmed, lower case; Google also takes dots and what follows a plus out of addresses at Gmail. Phone: E.164 with
country code; Google hashes it with the plus sign, Meta without. Names: trimmed, lower case, single spaces; Meta's
without punctuation. Where people live is hashed for Meta alone (Google takes it as it is): cities and regions as letters
and digits alone, postal codes without spaces and dashes (of a US code five digits), countries as two letters.
"""

from __future__ import annotations

import hashlib
import re
from typing import Literal, cast

from psycopg import sql

from lifehouse.privacy.kinds import Personal

Platform = Literal["google", "meta"]
Place = Literal["city", "region", "postal_code", "country"]
Kind = Personal | Place
HASHED: tuple[Personal, ...] = ("email", "phone", "name")
PLACES: tuple[Place, ...] = ("city", "region", "postal_code", "country")
#: Spaces and punctuation.
_SIGNS = r"[\s!-/:-@\[-`{-~]+"
_GMAIL = ("gmail.com", "googlemail.com")


def normalised(
    value: str, kind: Kind, platform: Platform = "google", country_code: str | None = None
) -> str | None:
    """The value as the platform wants it before hashing; None where it cannot be brought to that shape.

    :param country_code: of phone numbers that are written without one (not as ``+49...`` or ``0049...``), digits.
    :raises ValueError: the kind is not hashed for platforms.
    """
    value = value.strip().lower()
    if kind == "email":
        user, _, domain = value.rpartition("@")
        if platform == "google" and domain in _GMAIL:
            user = user.partition("+")[0].replace(".", "")
        value = f"{user}@{domain}"
        return value if re.fullmatch(r"[^\s@]+@[^\s@]+\.[^\s@]+", value) else None
    if kind == "phone":
        digits = re.sub(r"[^0-9]", "", value).lstrip("0")
        if not value.startswith(("+", "00")):
            digits = f"{country_code}{digits}" if country_code else ""
        if not 8 <= len(digits) <= 15:
            return None
        return f"+{digits}" if platform == "google" else digits
    if kind == "name":
        bare = re.sub(r"[!-/:-@\[-`{-~]", "", value) if platform == "meta" else value
        return re.sub(r"\s+", " ", bare).strip() or None
    if kind in PLACES and platform == "meta":
        return _place(value, cast(Place, kind))
    raise ValueError(f"{kind} is not hashed for {platform}; these are: {', '.join(HASHED)}")


def _place(value: str, kind: Place) -> str | None:
    bare = re.sub(_SIGNS, "", value)
    if kind == "postal_code" and re.fullmatch(r"[0-9]{5}-[0-9]{4}", value):
        bare = bare[:5]
    if kind == "country":
        return bare if re.fullmatch(r"[a-z]{2}", bare) else None
    return bare or None


def hashed(
    value: str, kind: Kind, platform: Platform = "google", country_code: str | None = None
) -> str | None:
    """SHA-256 of the normalised value, in hex; None where it cannot be normalised."""
    normal = normalised(value, kind, platform, country_code)
    return None if normal is None else hashlib.sha256(normal.encode()).hexdigest()


def expression(
    column: sql.Composable, kind: Kind, platform: Platform = "google", country_code: str | None = None
) -> sql.Composable:
    """The same in SQL, of a text column; null where the value cannot be normalised."""
    normal = sql.SQL(_NORMAL[kind, platform]).format(
        column=column, plus=sql.Literal("+" if platform == "google" else ""), code=sql.Literal(country_code)
    )
    return sql.SQL("encode(sha256(convert_to({}, 'UTF8')), 'hex')").format(normal)


_PHONE = (
    r"(select {plus} || value from concat("
    r"case when trim({column}) !~ '^(\+|00)' then coalesce({code}, '?') end,"
    r" ltrim(regexp_replace({column}, '[^0-9]', '', 'g'), '0')) as value where value ~ '^[0-9]{{8,15}}$')"
)
_BARE = r"regexp_replace(lower({column}), '[\s!-/:-@[-`{{-~]+', '', 'g')"
_NORMAL: dict[tuple[Kind, Platform], str] = {
    ("email", "meta"): (
        r"(select value from trim(lower({column}), E' \t\r\n') as value where value ~ '^[^\s@]+@[^\s@]+\.[^\s@]+$')"
    ),
    ("email", "google"): (
        r"(select value from trim(lower({column}), E' \t\r\n') as given,"
        r" concat(case when given ~ '@(gmail|googlemail)\.com$'"
        r" then replace(regexp_replace(given, '([+].*)?@[^@]*$', ''), '.', '') || substring(given from '@[^@]*$')"
        r" else given end) as value where value ~ '^[^\s@]+@[^\s@]+\.[^\s@]+$')"
    ),
    ("phone", "google"): _PHONE,
    ("phone", "meta"): _PHONE,
    ("name", "google"): r"nullif(trim(regexp_replace(lower({column}), '\s+', ' ', 'g')), '')",
    ("name", "meta"): (
        r"nullif(trim(regexp_replace(regexp_replace(lower({column}), '[!-/:-@[-`{{-~]', '', 'g'), '\s+', ' ', 'g')), '')"
    ),
    ("city", "meta"): rf"nullif({_BARE}, '')",
    ("region", "meta"): rf"nullif({_BARE}, '')",
    ("postal_code", "meta"): (
        r"nullif(case when trim({column}, E' \t\r\n') ~ '^[0-9]{{5}}-[0-9]{{4}}$' then substring({column} from '[0-9]{{5}}')"
        rf" else {_BARE} end, '')"
    ),
    ("country", "meta"): rf"substring({_BARE} from '^[a-z][a-z]$')",
}
