"""A real database's messages, less what they quote."""

from __future__ import annotations

import psycopg
import pytest

from lifehouse.context import Context
from lifehouse.masks import mask
from lifehouse.redaction import described, without_values

ANN = 'Ann "the Ash" O\'Hara\nDETAIL: of Elm Street'
STATEMENTS = [
    ("select %s::integer", "invalid input syntax for type integer"),
    ("select %s::timestamptz", "invalid input syntax for type timestamp"),
    ("select %s::jsonb", "invalid input syntax for type json"),
    ("select %s::text[]", "malformed array literal"),
    ("select now() at time zone %s", "time zone"),
    ("select ('9' || length(%s) || '999999999999')::integer", "value"),
    ("insert into people values (%s), (%s)", "one_person"),
    ("insert into people values ('x' || %s, -1)", "positive"),
    (
        "insert into people (name, age) values (null, length(%s))",
        'null value in column "name" of relation "people"',
    ),
    ("do $$ begin perform 'Ann'::integer; end $$", "invalid input syntax for type integer"),
]


@pytest.mark.parametrize(("statement", "kept"), STATEMENTS)
def test_what_went_wrong_stays_and_who_it_was_goes(ctx: Context, statement: str, kept: str) -> None:
    with ctx.warehouse.connect() as connection:
        connection.execute(
            "create temporary table people (name text constraint one_person primary key, "
            "age int default 1 constraint positive check (age > 0))"
        )
        cursor = psycopg.ClientCursor(connection)
        with pytest.raises(psycopg.Error) as raised:
            cursor.execute(statement, (ANN,) * statement.count("%s") or None)
        connection.rollback()
    for told in (without_values(str(raised.value)), described(raised.value)):
        for word in ("Ann", "the Ash", "Hara", "Elm", "99999"):
            assert word not in told
    assert kept in without_values(str(raised.value))


def test_names_of_things_stay() -> None:
    said = 'column "email" of relation "customers" does not exist'
    assert without_values(
        f"Database Error in model stg (models/stg.sql)\n  {said}\n  LINE 3: select 'Ann'"
    ) == (f"Database Error in model stg (models/stg.sql) {said}")
    assert without_values(None) == ""


def test_an_echo_is_masked_in_whatever_form_it_comes() -> None:
    said = mask(
        "ANN@example.com, ann%40example.com, YW5uQGV4YW1wbGUuY29t, quillfeather (+49 30 555-12340) is no subscriber",
        ["ann@example.com", "Alma Quillfeather"],
    )
    for trace in ("ann", "YW5", "quill", "555"):
        assert trace not in said.lower()
    assert said.endswith("is no subscriber")
