"""Who is no member of lifehouse_personal sees masks, and nothing personal lies where it is not tagged."""

from __future__ import annotations

import psycopg
from psycopg import sql

from lifehouse.privacy import columns, tags
from lifehouse.warehouse import rights
from support.founding import Login
from support.tiny import Company

PERSONAL = (
    "ann@example.com",
    "ben@example.com",
    "1234567",
    "7654321",
    "Ann Ash",
    "Ben Birch",
    "Cam Cedar",
    "Ash",
    "Birch",
    "Cedar",
)
_TEXT = """
    select relations.relname::text, schemas.nspname::text, attributes.attname::text
    from pg_attribute as attributes
    inner join pg_class as relations on relations.oid = attributes.attrelid and relations.relkind in ('r', 'p', 'v', 'm')
    inner join pg_namespace as schemas on schemas.oid = relations.relnamespace
    where attributes.attnum > 0 and not attributes.attisdropped and schemas.nspname !~ '^pg_|^information_schema$'
        and attributes.atttypid in ('text'::regtype, 'jsonb'::regtype, 'text[]'::regtype, 'varchar'::regtype, 'json'::regtype)
"""


def test_no_column_without_a_tag_holds_a_personal_value(company: Company) -> None:
    holding, looked = set(), 0
    with company.ctx.warehouse.connect() as connection:
        for table, schema, column in connection.execute(_TEXT).fetchall():
            looked += 1
            query = sql.SQL("select exists (select from {} where {}::text ~* %s)").format(
                sql.Identifier(schema, table), sql.Identifier(column)
            )
            pattern = "|".join(rf"\y{value}\y" for value in PERSONAL)
            if connection.execute(query, (pattern,)).fetchone() == (True,):
                holding.add((schema, table, column))
    assert looked > 300
    untagged = {place for place in holding if tags.kind_of(company.ctx.project, *place) is None}
    assert untagged == set()
    assert ("marts", "customers", "email") in holding  # the search finds what is there
    assert ("raw_tiny", "people", "name") in holding
    listed = {(tag.place, tag.column) for tag in columns.everywhere(company.ctx)}
    assert {(f"{schema}.{table}", column) for schema, table, column in holding} <= listed


def _customers(reader: psycopg.Connection[object]) -> list[tuple[object, ...]]:
    query = "select full_name, email, phone, loyalty_card, orders from marts.customers order by customer_id"
    return reader.execute(query).fetchall()  # type: ignore[return-value]


def test_bi_sees_masks_that_count_and_join(company: Company, login: Login) -> None:
    with login(company, rights.BI) as reader:
        rows = _customers(reader)
        assert {row[0] for row in rows} == {None}
        shown = [value for row in rows for value in row[1:4] if value]
        assert shown
        assert all(str(value).startswith("m_") and len(str(value)) == 22 for value in shown)
        text = str(reader.execute("select array_agg(c::text) from marts.customers as c").fetchone())
        text += str(
            reader.execute("select array_agg(i::text) from marts.customer_identifiers as i").fetchone()
        )
        assert not any(value.lower() in text.lower() for value in PERSONAL)
        joined = reader.execute(
            "select identifier_kind, count(*) from marts.customers inner join marts.customer_identifiers using (customer_id) "
            "where identifier in (email, phone, loyalty_card) group by 1 order by 1"
        ).fetchall()
        assert joined == [("email", 2), ("loyalty_card", 1), ("phone", 2)]


def test_one_grant_unmasks(company: Company, login: Login) -> None:
    with login(company, rights.BI, rights.PERSONAL) as reader:
        assert {row[1] for row in _customers(reader)} == {"ann@example.com", "ben@example.com", None}
    owner = company.rows("select email from marts.customers where email is not null")
    assert sorted(owner) == [("ann@example.com",), ("ben@example.com",)]
    for role in (rights.TRANSFORM, rights.ACTIVATE):
        with company.ctx.warehouse.as_role(role).connect() as connection:
            assert "Ann Ash" in {row[0] for row in _customers(connection)}


def test_a_reader_cannot_ask_for_the_mask_of_a_guess_or_for_the_key(company: Company, login: Login) -> None:
    with login(company, rights.BI) as reader:
        for statement in (
            "select control.mask_secret()",
            "select key from control.mask_key",
        ):
            try:
                reader.execute(statement.encode())
            except psycopg.errors.InsufficientPrivilege:
                continue
            raise AssertionError(statement)


def test_a_look_up_by_customer_still_uses_the_index_and_never_runs_the_idle_branch(
    company: Company, login: Login
) -> None:
    customer = company.ctx.warehouse.value("select min(customer_id) from marts.customers")
    with login(company, rights.BI) as reader:
        reader.execute("set enable_seqscan = off")
        explain = "explain (analyze, costs off, timing off, summary off)"
        query = f"{explain} select * from marts.customers where customer_id = '{customer}'"
        plan = "\n".join(str(line) for (line,) in reader.execute(query.encode()))
    assert "Index" in plan
    assert "customer_id" in plan
    assert "never executed" in plan or "Append" not in plan
    assert "InitPlan" in plan
