"""Identifiers in one shape, or kept with the reason why not."""

from __future__ import annotations

import unicodedata
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifehouse import config
from lifehouse.errors import ConfigError
from lifehouse.identity import normalise
from lifehouse.identity.declaration import Identity
from lifehouse.identity.normalise import Normal, Normaliser
from lifehouse.project import Company, Project

RULES = Identity.model_validate(
    {
        "block": {"phone": ["+49 30 901820", "+1800*"], "loyalty_card": ["12-34"], "id": ["0000"]},
        "emails": [
            {
                "domains": ["gmail.com", "googlemail.com"],
                "dots": True,
                "plus": True,
                "written_as": "gmail.com",
            }
        ],
    }
)
NORMAL = Normaliser(RULES, {"berlin": "DE", "ohio": "US", "nowhere": None})


@pytest.mark.parametrize(
    ("written", "value", "reason"),
    [
        (" Ann@Example.COM\t", "ann@example.com", None),
        ("Ann.Ash+shop@GoogleMail.com", "annash@gmail.com", None),
        ("ann.ash+shop@example.com", "ann.ash+shop@example.com", None),
        ("ａｎｎ@example.com", "ann@example.com", None),
        ("no address", None, normalise.NO_EMAIL),
        ("a@b@c.org", None, normalise.NO_EMAIL),
        ("ann@localhost", None, normalise.NO_EMAIL),
        ("INFO@example.com", "info@example.com", normalise.BLOCKED),
        ("x" * 300 + "@example.com", None, normalise.TOO_LONG),
    ],
)
def test_an_email(written: str, value: str | None, reason: str | None) -> None:
    assert NORMAL("ohio", "email", written) == Normal(value, reason)


@pytest.mark.parametrize(
    ("source", "written", "value", "reason"),
    [
        ("ohio", "(202) 555-0101", "+12025550101", None),
        ("ohio", "1-202-555-0101", "+12025550101", None),
        ("berlin", "+1 202 555 0101", "+12025550101", None),
        ("berlin", "030 / 765 43 21", "+49307654321", None),
        ("berlin", "0049 (0)30 7654321", "+49307654321", None),
        ("nowhere", "030 7654321", None, normalise.NO_REGION),
        ("nowhere", "+49 30 7654321", "+49307654321", None),
        ("ohio", "0000000000", None, normalise.NOT_GIVEN_OUT),
        ("ohio", "555-0101", None, normalise.NOT_GIVEN_OUT),
        ("ohio", "call me", None, normalise.NO_PHONE),
        ("ohio", "202 555 0101 ext. 12", "+12025550101", normalise.EXTENSION),
        ("berlin", "030 901820", "+4930901820", normalise.BLOCKED),
        ("ohio", "1 800 356 9377", "+18003569377", normalise.BLOCKED),
    ],
)
def test_a_telephone_number_goes_by_the_region_of_its_source(
    source: str, written: str, value: str | None, reason: str | None
) -> None:
    assert NORMAL(source, "phone", written) == Normal(value, reason)


@pytest.mark.parametrize(
    ("kind", "written", "value", "reason"),
    [
        ("loyalty_card", "ab 12-c", "AB12C", None),
        ("loyalty_card", "000000", "000000", normalise.ONE_SIGN),
        ("loyalty_card", "--", None, normalise.NO_SIGNS),
        ("loyalty_card", "1234", "1234", normalise.BLOCKED),
        ("id:crm", " 77 ", "77", None),
        ("id:crm", "0000", "0000", normalise.BLOCKED),
        ("id:crm", "1111", "1111", None),
    ],
)
def test_a_card_and_an_external_id(kind: str, written: str, value: str | None, reason: str | None) -> None:
    assert NORMAL("ohio", kind, written) == Normal(value, reason)


@given(
    st.sampled_from(["email", "phone", "loyalty_card", "id:crm"]),
    st.text(max_size=300),
    st.sampled_from(["ohio", "nowhere"]),
)
def test_whatever_is_written_gets_a_value_or_a_reason_and_a_value_is_its_own_normal_shape(
    kind: str, written: str, source: str
) -> None:
    normal = NORMAL(source, kind, written)
    assert normal.value is not None or normal.reason
    if normal.value is not None and normal.reason is None:
        assert NORMAL(source, kind, normal.value) == normal


def test_other_rules_have_another_name_and_another_region_only_for_phones() -> None:
    other = Normaliser(Identity.model_validate({}), NORMAL.regions)
    assert other.rule("ohio", "email") != NORMAL.rule("ohio", "email")
    assert NORMAL.rule("ohio", "phone") != NORMAL.rule("berlin", "phone")
    assert NORMAL.rule("ohio", "email") == NORMAL.rule("berlin", "email")


def test_what_is_declared_wrongly_is_told_with_file_line_and_the_nearest_right_word(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("company")
    file = folder / "lifehouse.yml"
    file.write_text("company: X\nreporting_currency: EUR\nidentity:\n  fields:\n    e_mail: [crm]\n")
    with pytest.raises(
        ConfigError, match=r"lifehouse.yml:4: identity.fields: e_mail is no field.*did you mean 'email'"
    ):
        Project(folder).company  # noqa: B018  the property reads the file
    file.write_text("company: X\nreporting_currency: EUR\nidentity:\n  capp: 3\n")
    with pytest.raises(
        ConfigError, match=r"lifehouse.yml:4: identity: unknown key 'capp'; did you mean 'cap'"
    ):
        config.load(file, Company)


@given(
    st.text(alphabet="ab*?[]!@.-x", max_size=12),
    st.lists(st.text(alphabet="ab*?[]!@.-", max_size=6), max_size=6),
)
def test_a_block_list_as_one_pattern_blocks_what_its_entries_block(value: str, entries: list[str]) -> None:
    patterns = [f"{entry}*" for entry in entries]
    found = Normaliser(Identity.model_validate({"block": {"id": patterns}}), {})("ohio", "id", f"x{value}x")
    expected = any(fnmatchcase(f"x{value}x", pattern) for pattern in patterns)
    assert (found.reason == normalise.BLOCKED) == expected


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_has_one_shape(written: str) -> None:
    assert unicodedata.normalize("NFKC", written) == written
