"""Identifiers in one shape. What has none is kept as it is written, with the reason, and is not matched on."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import translate
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

import phonenumbers

from lifehouse.identity.declaration import KINDS, EmailRule, Identity, Kind

LONGEST = 254  # signs: the longest e-mail address there can be
_EMAIL = re.compile(r"[^\s@,;:<>()\"]+@[^\s@,;:<>()\".]+(\.[^\s@,;:<>()\".]+)+")

NO_EMAIL = "no e-mail address"
NO_PHONE = "no telephone number"
NO_REGION = "a telephone number without country code, and the source declares no phone_region"
NOT_GIVEN_OUT = "a telephone number that is not given out"
EXTENSION = "a telephone number with an extension: its line is shared"
NO_SIGNS = "no letters or digits"
ONE_SIGN = "one sign repeated"
TOO_LONG = f"longer than {LONGEST} signs"
BLOCKED = "on the block list"


class Normal(NamedTuple):
    """``value`` in the one shape (null: it has none); ``reason`` why it is not matched on (null: it is)."""

    value: str | None
    reason: str | None = None


@dataclass(frozen=True)
class Normaliser:
    """The rules of one company. ``regions``: source -> the region (ISO 3166) of its numbers without country code."""

    identity: Identity
    regions: Mapping[str, str | None]

    def __call__(self, source: str, kind: str, written: str) -> Normal:
        """An identifier as ``source`` writes it; ``kind`` is one of KINDS, of external ids ``id:<source>``.

        :raises ValueError: there are no rules for the kind.
        """
        family = family_of(kind)
        is_as_written = family in ("id", "cookie") or written.isascii()  # what is ASCII has one shape
        text = written.strip() if is_as_written else unicodedata.normalize("NFKC", written).strip()
        if len(text) > LONGEST:
            return Normal(None, TOO_LONG)
        if family == "email":
            found = self._email(text)
        elif family == "phone":
            found = _phone(text, self.regions.get(source))
        elif family == "loyalty_card":
            found = _card(text)
        else:
            found = Normal(text or None, None if text else NO_SIGNS)
        if found.value is not None and found.reason is None and self._is_blocked(family, found.value):
            return Normal(found.value, BLOCKED)
        return found

    def rule(self, source: str, kind: str) -> str:
        """A name for the rules of a kind in a source: other rules have another name."""
        family = family_of(kind)
        told = (self._rules, family, self.regions.get(source) if family == "phone" else None)
        return hashlib.sha256(repr(told).encode()).hexdigest()[:8]

    @cached_property
    def _rules(self) -> str:
        parts = [
            Path(__file__).read_bytes(),
            phonenumbers.__version__.encode(),
            json.dumps(self.identity.model_dump(include={"block", "emails"}), sort_keys=True).encode(),
            repr([self.identity.blocked(kind) for kind in KINDS]).encode(),
        ]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()

    @cached_property
    def _providers(self) -> dict[str, EmailRule]:
        return {domain: rule for rule in self.identity.emails for domain in rule.domains}

    @cached_property
    def _blocked(self) -> dict[Kind, tuple[frozenset[str], re.Pattern[str] | None]]:
        """By kind: the values, and all patterns as one. A value is written in any spelling of its kind."""
        found: dict[Kind, tuple[frozenset[str], re.Pattern[str] | None]] = {}
        for kind in KINDS:
            entries = self.identity.blocked(kind)
            whole = {
                entry: Normaliser(_BARE, self.regions)("", kind, entry)
                for entry in entries
                if "*" not in entry
            }
            values = {value for entry, normal in whole.items() for value in (entry, normal.value) if value}
            patterns = [entry.lower() if kind == "email" else entry for entry in entries if "*" in entry]
            found[kind] = (
                frozenset(values),
                re.compile("|".join(map(translate, patterns))) if patterns else None,
            )
        return found

    def _is_blocked(self, family: Kind, value: str) -> bool:
        values, patterns = self._blocked[family]
        return value in values or bool(patterns and patterns.match(value))

    def _email(self, text: str) -> Normal:
        text = text.lower()
        if not _EMAIL.fullmatch(text):
            return Normal(None, NO_EMAIL)
        local, domain = text.rsplit("@", 1)
        rule = self._providers.get(domain)
        if rule:
            local = local.split("+", 1)[0] if rule.plus and not local.startswith("+") else local
            local = local.replace(".", "") or local if rule.dots else local
            domain = rule.written_as or domain
        return Normal(f"{local}@{domain}")


_BARE = Identity.model_validate({})


@cache
def family_of(kind: str) -> Kind:
    """The kind whose rules count: of ``id:<source>`` it is ``id``.

    :raises ValueError: there are no rules for the kind.
    """
    for family in KINDS:
        if kind == family or kind.startswith(f"{family}:"):
            return family
    raise ValueError(f"there are no rules for identifiers of the kind {kind}")


def _phone(text: str, region: str | None) -> Normal:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        lacks_region = (
            error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE and not region
        )
        return Normal(None, NO_REGION if lacks_region else NO_PHONE)
    if not phonenumbers.is_valid_number(number):
        return Normal(None, NOT_GIVEN_OUT)
    normal = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Normal(normal, EXTENSION if number.extension else None)


def _card(text: str) -> Normal:
    value = re.sub(r"[\W_]", "", text).upper()
    if not value:
        return Normal(None, NO_SIGNS)
    return Normal(value, ONE_SIGN if len(value) > 1 and len(set(value)) == 1 else None)
