"""Hashes for advertising platforms, against the examples that the platforms publish."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from lifehouse.context import Context
from lifehouse.privacy import tags
from lifehouse.privacy.hashing import Kind, Platform, expression, hashed, normalised
from lifehouse.project import Project
from support.tiny import TINY

_ALEX = "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a"
_CALL = "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30"
#: Of Meta's page on customer information parameters, and of the tests of Google's own formatter (Data Manager API).
PUBLISHED: list[tuple[str, Kind, Platform, str | None, str]] = [
    (
        "John_Smith@gmail.com",
        "email",
        "meta",
        None,
        "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f",
    ),
    (
        "(650)555-1212",
        "phone",
        "meta",
        "1",
        "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176",
    ),
    (
        "+1 (650) 555-1212",
        "phone",
        "meta",
        None,
        "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176",
    ),
    ("Mary", "name", "meta", None, "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec"),
    ("정", "name", "meta", None, "8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14"),
    ("Valéry", "name", "meta", None, "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c"),
    ("US", "country", "meta", None, "79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621"),
    ("alexz@example.com", "email", "google", None, _ALEX),
    ("  ALEXZ@EXAMPLE.com   ", "email", "google", None, _ALEX),
    ("+18005550100", "phone", "google", None, _CALL),
    ("   +1-800-555-0100", "phone", "google", None, _CALL),
    (
        "  GivenName  ",
        "name",
        "google",
        None,
        "128a07bfe2df877c52076e60d7774cf5baaa046c5a6c48daf30ff43ecca2f814",
    ),
    (
        "  FamilyName ",
        "name",
        "google",
        None,
        "77762c287e61ce065bee5c15464012c6fbe088398b8057627d5577249430d574",
    ),
]
SHAPES: list[tuple[str, Kind, str | None, str | None]] = [
    ("  Ann@Example.COM\t", "email", None, "ann@example.com"),
    ("no address", "email", None, None),
    ("+49 30 1234567", "phone", None, "+49301234567"),
    ("0049 (30) 123-4567", "phone", None, "+49301234567"),
    ("030 1234567", "phone", "49", "+49301234567"),
    ("030 1234567", "phone", None, None),
    ("+1 23", "phone", None, None),
    (" O'Neil-Smith  Jr. ", "name", None, "o'neil-smith jr."),
    (" ", "name", None, None),
    ("QuinnY@EXAMPLE.com", "email", None, "quinny@example.com"),
    ("Jefferson.Loves.hiking@gmail.com", "email", None, "jeffersonloveshiking@gmail.com"),
    ("Jefferson.LOVES.Hiking@googlemail.com", "email", None, "jeffersonloveshiking@googlemail.com"),
    ("Cloudy.SanFrancisco+shopping@gmail.com", "email", None, "cloudysanfrancisco@gmail.com"),
    ("user.name+NYC@Example.com", "email", None, "user.name+nyc@example.com"),
    (" ...@gmail.com", "email", None, None),
    (" @googlemail.com", "email", None, None),
    ("a@b@gmail.com", "email", None, None),
    ("+1 800-555-0100", "phone", None, "+18005550100"),
    ("+44-113-496-0987", "phone", None, "+441134960987"),
    (" +A BCD EFG ", "phone", None, None),
    ("", "email", None, None),
    ("", "phone", "49", None),
]
#: Where people live, as Meta's page shows it normalised (paris, newyork, ca, 94035, 75018, m11ae), and by its words.
PLACES: list[tuple[str, Kind, str | None]] = [
    ("Paris", "city", "paris"),
    (" New York ", "city", "newyork"),
    ("Saint-Étienne", "city", "saintétienne"),
    ("CA", "region", "ca"),
    ("Baden-Württemberg", "region", "badenwürttemberg"),
    ("94035", "postal_code", "94035"),
    ("94035-1234", "postal_code", "94035"),
    ("75018", "postal_code", "75018"),
    ("M1 1AE", "postal_code", "m11ae"),
    ("SW1A-1AA", "postal_code", "sw1a1aa"),
    ("DE", "country", "de"),
    ("Germany", "country", None),
    (" - ", "city", None),
    ("", "postal_code", None),
]


@pytest.mark.parametrize(("value", "kind", "platform", "code", "expected"), PUBLISHED)
def test_a_published_example_has_its_published_hash(
    value: str, kind: Kind, platform: Platform, code: str | None, expected: str
) -> None:
    assert hashed(value, kind, platform, code) == expected


@pytest.mark.parametrize(("value", "kind", "code", "expected"), SHAPES)
def test_a_value_is_normalised_or_refused(
    value: str, kind: Kind, code: str | None, expected: str | None
) -> None:
    assert normalised(value, kind, "google", code) == expected


def test_meta_takes_gmail_as_it_is_written_and_names_without_punctuation() -> None:
    assert normalised("Ann.Ash+shop@gmail.com", "email", "meta") == "ann.ash+shop@gmail.com"
    assert normalised(" O'Neil-Smith  Jr. ", "name", "meta") == "oneilsmith jr"
    assert normalised("...", "name", "meta") is None


@pytest.mark.parametrize(("value", "kind", "expected"), PLACES)
def test_where_people_live_is_normalised_for_meta(value: str, kind: Kind, expected: str | None) -> None:
    assert normalised(value, kind, "meta") == expected


def test_google_hashes_nothing_of_where_people_live() -> None:
    with pytest.raises(ValueError, match="city is not hashed for google"):
        normalised("Paris", "city", "google")


def test_the_warehouse_hashes_alike(ctx: Context) -> None:
    cases = [(value, kind, platform, code) for value, kind, platform, code, _ in PUBLISHED]
    cases += [
        (value, kind, platform, code) for value, kind, code, _ in SHAPES for platform in ("google", "meta")
    ]  # type: ignore[misc]
    cases += [(value, kind, "meta", None) for value, kind, _ in PLACES]
    with ctx.warehouse.connect() as connection:
        for value, kind, platform, code in cases:
            query = sql.SQL("select {} from (values ({})) as given (value)").format(
                expression(sql.Identifier("given", "value"), kind, platform, code), sql.Literal(value)
            )
            assert _one(connection, query) == hashed(value, kind, platform, code), (value, kind, platform)


def _one(connection: psycopg.Connection[object], query: sql.Composable) -> object:
    row = connection.execute(query).fetchone()
    return row[0] if row else None  # type: ignore[index]


def test_a_record_is_made_fit_to_be_logged() -> None:
    record = {"person_id": "p1", "name": "Ann Ash", "email": None, "created_at": "2024-01-01"}
    assert tags.fit_to_log(Project(TINY), "raw_tiny", "people", record) == {
        "person_id": "‹id›",
        "name": "‹name›",
        "email": None,
        "created_at": "2024-01-01",
    }
