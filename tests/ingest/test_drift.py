"""How a source's columns drift: noted, or closing the gate."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifehouse.ingest.drift import classify, holds, normal

TYPES = (
    "smallint", "integer", "bigint", "numeric(12,2)", "numeric(14,4)", "numeric", "real", "double precision",
    "boolean", "date", "timestamp", "timestamptz", "varchar(20)", "varchar(50)", "text", "jsonb", "uuid",
)  # fmt: skip
CHANGES = (
    # declared, before, found, kind
    ("bigint", "integer", "bigint", "widened"),
    ("bigint", "bigint", "integer", "narrowed"),
    ("integer", "bigint", "integer", "retyped"),
    ("numeric(12,2)", "numeric(12,2)", "numeric(14,4)", "widened"),
    ("numeric(12,2)", "numeric(12,2)", "numeric(12,4)", "narrowed"),  # two digits fewer before the point
    ("numeric(12,2)", "integer", "numeric(12,2)", "widened"),
    ("numeric(12,2)", "numeric(12,2)", "integer", "narrowed"),
    ("numeric(12,2)", "numeric(14,4)", "numeric(12,2)", "retyped"),
    ("numeric", "numeric", "double precision", "narrowed"),
    ("text", "varchar(50)", "varchar(80)", "widened"),
    ("text", "varchar(50)", "varchar(20)", "narrowed"),
    ("bigint", "bigint", "text", "widened"),
    ("text", "text", "bigint", "narrowed"),
    ("timestamptz", "timestamptz", "date", "narrowed"),
    ("timestamptz", "timestamp", "timestamptz", "widened"),
    ("timestamptz", "timestamptz", "timestamp", "narrowed"),
    ("boolean", "boolean", "boolean", None),
    ("integer", None, "text", "widened"),
    ("integer", None, "bigint", None),
    ("numeric", None, "boolean", "narrowed"),
    ("text", None, "integer", None),
    ("jsonb", None, "json", None),
)


@pytest.mark.parametrize(("declared", "before", "found", "kind"), CHANGES)
def test_a_change_of_type_is_classified(
    declared: str, before: str | None, found: str, kind: str | None
) -> None:
    assert classify(found, before, declared) == kind


@given(st.sampled_from(TYPES), st.sampled_from(TYPES), st.sampled_from(TYPES))
def test_holding_is_an_order(a: str, b: str, c: str) -> None:
    assert holds(a, a)
    assert holds("text", a)
    if holds(a, b) and holds(b, c):
        assert holds(a, c)


def test_of_two_types_only_one_holds_the_other() -> None:
    for a, b in permutations(TYPES, 2):
        assert not (holds(a, b) and holds(b, a))


def test_a_type_is_the_same_by_whatever_name() -> None:
    assert normal("VARCHAR(50)") == normal("character varying(50)") == ("varchar", (50,))
    assert normal('VARCHAR COLLATE "C"') == normal("text")
    assert normal("DECIMAL(10)") == normal("numeric(10, 0)")
    assert normal("timestamp without time zone") == normal("DATETIME")
