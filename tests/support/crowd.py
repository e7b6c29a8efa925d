"""A seeded crowd straight in the input contract: rows of every table, made by Postgres from their declared columns.

Times fall on whole days, a microsecond beside them, or on the hour: so events tie, and windows end where other events
are. Words hold what engines may read differently. Identity is given: a customer's keys in both sources, many merged.
"""

from __future__ import annotations

import zlib
from typing import Any

import psycopg

from lifehouse.build import contract
from lifehouse.lifecycles.declaration import Lifecycle
from lifehouse.lifecycles.measures import LastDetail, leaves, measures

#: Empty, blank, another blank, quotes, signs of CSV and of templates, letters past ASCII, NULL's and CSV's own words.
WORDS = ["", " ", "\u00a0", "  Bonn ", "Bonn", "bonn", "Köln", "東京", "O'Neil", 'a "b", c', "two\nlines"]
WORDS += ["\\N", "null", "{{ x }}", "\t", "🙂", "price", "leaving", "nps", "habit"]
#: Rows of a table for each customer; the others have one for every fourth.
MANY = {"profiles": 1.5, "orders": 1.5, "order_lines": 2.0, "interactions": 1.0}
_FEW = 0.25
_ALWAYS = {("profiles", "customer_key"), ("consents", "status")}
_FUNCTIONS = """
    create function public.dice(i bigint, salt int, sides int) returns int immutable parallel safe language sql return
        abs(hashint8extended(i, salt) % sides)::int;
    create function public.pick(i bigint, salt int, words text[]) returns text immutable parallel safe language sql
        return words[1 + public.dice(i, salt, cardinality(words))];
"""


def gather(connection: psycopg.Connection[Any], customers: int, lifecycles: list[Lifecycle]) -> None:
    """Lay out the contract's tables with a crowd in them, and who is who."""
    connection.execute(_FUNCTIONS)
    connection.execute("create schema if not exists contract")
    words = {"stage_changes": _recorded_stages(lifecycles), "consents": ["email", "marketing"]}
    for table, model in contract.tables().items():
        declared = {column["name"]: column for column in model["columns"]}
        types = ", ".join(f'"{name}" {column["data_type"]}' for name, column in declared.items())
        values = ", ".join(
            _value(table, column, customers, words.get(table, WORDS)) for column in declared.values()
        )
        rows = round(MANY.get(table, _FEW) * customers)
        connection.execute(f"create table contract.{table} ({types})")
        connection.execute(
            f"insert into contract.{table} select {values} from generate_series(1, {rows}) as i".encode()
        )
    _identify(connection, customers)
    connection.execute("analyze")


def _value(table: str, column: dict[str, Any], customers: int, words: list[str]) -> str:
    """SQL of one column for row number ``i``; salted by its name, so that columns differ from one another."""
    name, kind = column["name"], column["data_type"]
    salt = zlib.crc32(f"{table}.{name}".encode()) % 10_000
    source = "case when i % 2 = 0 then 'crm' else 'shop' end"
    regulars = (
        f"case when i % 4 < 2 then {customers // 200} else {customers} end"
        if table == "orders"
        else customers
    )
    person = f"dice(i, {salt}, {regulars}) + 1"
    fixed = {
        "source": source,
        "source_key": "i::text",
        "order_key": f"(2 * dice(i, {salt}, {round(MANY['orders'] * customers / 2)}) + i % 2)::text",
        "customer_key": "((i + 1) / 2)::text" if table == "profiles" else f"({person})::text",
        "referred_key": f"({person})::text",
        "cookie": f"'c' || dice(i, {salt}, {customers})",
        "currency": f"pick(i, {salt}, array['USD', 'USD', 'USD', 'EUR'])",
    }
    if name in fixed:
        found = fixed[name]
    elif kind == "text":
        found = f"pick(i, {salt}, array[{', '.join(map(_literal, _accepted(column) or words))}])"
    elif kind == "numeric":
        scale = f"(array[1, 10, 100, 100, 100, 10000000])[1 + dice(i, {salt + 1}, 6)]"
        found = f"(dice(i, {salt}, 30000) - 3000)::numeric / {scale}"
    elif kind == "date":
        found = f"date '2022-01-01' + dice(i, {salt}, 900)"
    else:
        day = (
            f"case dice(i, {salt + 3}, 2) when 0 then 30 * dice(i, {salt}, 30) else dice(i, {salt}, 900) end"
        )
        beside = "array[interval '0', '0', '0', '0', '1 microsecond', '-1 microsecond', '7 hours']"
        found = f"timestamptz '2022-01-01 12:00+00' + {day} * interval '24 hours' + ({beside})[1 + dice(i, {salt + 1}, 7)]"
    if (
        name in ("source", "source_key")
        or (table, name) in _ALWAYS
        or "not_null" in column.get("data_tests", [])
    ):
        return found
    return f"case when dice(i, {salt + 2}, 20) > 0 then {found} end"


def _accepted(column: dict[str, Any]) -> list[str]:
    for test in column.get("data_tests", []):
        if isinstance(test, dict) and "accepted_values" in test:
            return [*test["accepted_values"]["arguments"]["values"]]
    return []


def _recorded_stages(lifecycles: list[Lifecycle]) -> list[str]:
    """The details that rules ask for, among others."""
    rules = [stage.rule for declared in lifecycles for stage in declared.stages if stage.rule]
    asked = [measure for rule in rules for leaf in leaves(rule) for measure in measures(leaf)]
    named = [value for measure in asked if isinstance(measure, LastDetail) for value in measure.values]
    return [*dict.fromkeys(named), *WORDS[:4]]


def _identify(connection: psycopg.Connection[Any], customers: int) -> None:
    """Who is 7 in the CRM is 7 in the shop; of every ten one is the same person as the one before."""
    connection.execute(
        """
        insert into core.customer_refs (source, customer_key, customer_id)
        select source, key::text, md5((case when key %% 10 = 3 then key - 1 else key end)::text)
        from generate_series(1, %(customers)s) as key, (values ('crm'), ('shop')) as sources (source)
        """,
        {"customers": customers},
    )
    connection.execute(
        """
        insert into core.identifiers (source, customer_key, holder, kind, written, value, reason, rule)
        select
            source, customer_key, coalesce(kind, 'person'), 'phone', phone,
            case when length(phone) % 2 = 0 then '+49' || length(phone) end,
            case when length(phone) % 2 = 1 then 'not a number' end, ''
        from contract.profiles where phone is not null
        """
    )
    connection.execute(
        "insert into core.cut_identifiers select distinct holder, kind, value, 'shared', 9 from core.identifiers "
        "where value = '+494'"
    )


def _literal(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"
