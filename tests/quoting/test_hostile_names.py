"""Names at a source are not ours to choose: whatever they are, they load right or are refused, and touch nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from lifehouse.activation import plan as planning
from lifehouse.activation.declaration import Sync, load_sync
from lifehouse.context import Context
from lifehouse.errors import ConfigError, LifehouseError
from lifehouse.ingest import run
from lifehouse.ingest.declaration import load_source
from lifehouse.warehouse.literal import literal

PARTS = ('"', "'", ";", "--", "/*", "*/", "%", "%s", "%(load)s", "{", "}", "{{", "{%", "\\", "$$", "$1", ":x", "::int",
         "drop table victim", " ", ".", ",", "(", ")", "ä", "名", "😀", "select", "Order", "\n", "\t", "@", "#", "?")  # fmt: skip
NAMES = st.lists(st.sampled_from([*PARTS, "a", "Z", "0"]), min_size=1, max_size=7).map("".join)
FIT = NAMES.filter(lambda name: len(name.encode()) <= 60 and name.strip())
#: Those that hurt other tools before.
WORST = [
    'weird"name; drop table victim',
    "a%(load)sb",
    "100 %",
    "x'); drop table victim; --",
    "{{ env_var('HOME') }}",
    'a"b.c"d',
]


def declared(columns: dict[str, str], table: str, schema: str) -> dict[str, Any]:
    return {
        "source": "shop", "owner": "x", "description": "x", "kind": "sql", "schedule": "0 2 * * *",
        "connection": {"url": "${TEST_SHOP_URL}", "schema": schema},
        "tables": {"things": {
            "table": table, "key": "id", "cursor": "changed",
            "columns": {name: {"type": "bigint" if name != "word" else "text", "from": at_source}
                        for name, at_source in columns.items()},
        }},
    }  # fmt: skip


@pytest.fixture(scope="module")
def house(databases: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from lifehouse.home import Home
    from lifehouse.project import Project
    from lifehouse.warehouse.connection import Warehouse

    root = tmp_path_factory.mktemp("company")
    (root / "dags" / "sources").mkdir(parents=True)
    (root / "lifehouse.yml").write_text("company: Test\nreporting_currency: USD\n")
    ours, theirs = databases.create(), databases.create(template=None)
    context = Context(Home(tmp_path_factory.mktemp("home")), Project(root))
    vars(context)["warehouse"] = Warehouse(ours)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_SHOP_URL", theirs)
        yield context, theirs
    databases.drop(ours)
    databases.drop(theirs)


def state(url: str, without: tuple[str, ...] = ()) -> set[str]:
    """Every relation of a database and its columns."""
    query = """
        select table_schema || '.' || table_name || '.' || column_name from information_schema.columns
        where table_schema !~ '^(pg_|information_schema)'
    """
    with psycopg.connect(url) as connection:
        return {name for (name,) in connection.execute(query) if not name.startswith(without)}


def loads_or_is_refused(house: Any, schema: str, table: str, names: list[str], extra: str) -> None:
    context, theirs = house
    key, word, changed = names
    context.warehouse.execute("create table if not exists public.victim (id bigint)")
    context.warehouse.execute("drop schema if exists raw_shop cascade")
    context.warehouse.execute("truncate control.loads cascade")
    with psycopg.connect(theirs) as connection:
        connection.execute("create table if not exists public.victim (id bigint)")
        connection.execute("drop schema if exists house_of_names cascade")
        place = sql.Identifier(schema, table)
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
        connection.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
        columns = zip((key, word, changed, extra), ("bigint", "text", "bigint", "text"), strict=True)
        listed = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in columns
        )
        connection.execute(sql.SQL("create table {} ({})").format(place, listed))
        rows = sql.SQL("(1, {}, 10, 'x'), (2, null, 20, null)").format(sql.Literal(word))
        connection.execute(sql.SQL("insert into {} values {}").format(place, rows))
    before = state(context.warehouse.url, ("raw_shop", "quarantine.shop")), state(theirs)
    file = context.project.root / "dags" / "sources" / "shop.yml"
    file.write_text(
        yaml.safe_dump(
            declared({"id": key, "word": word, "changed": changed}, table, schema), allow_unicode=True
        )
    )
    try:
        for _ in range(2):  # the second time the cursor's column is in a condition
            run.ingest(context, "shop")
            context.warehouse.execute(
                "update control.loads set status = 'accepted', decided_at = now(), change_seq = 1 where status = 'open'"
            )
    except LifehouseError as refusal:
        refused.append((schema, table, names, extra, str(refusal)))
        loaded = None
    else:
        loaded = [
            (*row.values(),)
            for row in context.warehouse.rows(
                "select id, word, changed, _extra from raw_shop.things order by id"
            )
        ]
    finally:
        after = state(context.warehouse.url, ("raw_shop", "quarantine.shop")), state(theirs)
        with psycopg.connect(theirs) as connection:
            connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema)))
    assert after == before
    assert loaded in (None, [(1, word, 10, {extra: "x"}), (2, None, 20, None)])


refused: list[Any] = []


@pytest.mark.parametrize("worst", WORST)
def test_the_worst_names_load_right_or_are_refused(house: Any, worst: str) -> None:
    refused.clear()
    loads_or_is_refused(house, f"s {worst}", worst, [worst, f"{worst} 2", f"3 {worst}"], f"{worst} more")
    is_carried = not set(worst) & set("\"',")
    assert [len(each) for each in refused] == ([] if is_carried else [5])


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
          derandomize=True)  # fmt: skip
@given(schema=FIT, table=FIT, names=st.lists(FIT, min_size=4, max_size=4, unique=True))
def test_any_names_load_right_or_are_refused(house: Any, schema: str, table: str, names: list[str]) -> None:
    loads_or_is_refused(house, f"s{schema}", table, names[:3], names[3])


HOSTILE = ['a"b', "a;b", "A", "1a", "a-b", "a b", "a" * 70, "ä", "a\n", "", "a'", "a%s", "a.b"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_of_ours_is_refused_with_its_line(tmp_path: Path, name: str) -> None:
    good = {
        "source": "shop", "owner": "x", "description": "x", "kind": "sql", "schedule": "0 2 * * *",
        "connection": {"url": "x"}, "tables": {"things": {"key": "id", "columns": {"id": {"type": "bigint"}}}},
    }  # fmt: skip
    spoilt = [
        {**good, "source": name},
        {**good, "tables": {name: good["tables"]["things"]}},  # type: ignore[index]
        {**good, "tables": {"things": {"key": name, "columns": {name: {"type": "bigint"}}}}},
        {**good, "tables": {"things": {"key": "id", "columns": {"id": {"type": f"bigint{name}'"}}}}},
        {**good, "tables": {"things": {"key": "id", "cursor": name, "columns": {"id": {"type": "bigint"}}}}},
    ]
    file = tmp_path / "shop.yml"
    for declaration in spoilt:
        file.write_text(yaml.safe_dump(declaration, allow_unicode=True, sort_keys=False))
        with pytest.raises(ConfigError, match=r"shop\.yml:\d+"):
            load_source(file)
    sync = {
        "sync": name,
        "owner": "x",
        "description": "x",
        "segment": "s",
        "platform": "csv_drop",
        "consent": "none",
    }
    if name != "a" * 70 or len(name) > 63:
        file = tmp_path / "shop.yml"
        file.write_text(
            yaml.safe_dump({**sync, "reason_without_consent": "x"}, allow_unicode=True, sort_keys=False)
        )
        with pytest.raises(ConfigError, match=r"shop\.yml"):
            load_sync(file)


@pytest.mark.parametrize("text", [*WORST, "%(salt)s", "50%", "\\' or true --", "%%"])
def test_a_text_of_the_configuration_is_one_literal_beside_parameters(ctx: Context, text: str) -> None:
    with ctx.warehouse.connect() as connection:
        query = sql.SQL("select {} , %(salt)s").format(literal(text))
        for cursor in (connection.cursor(), psycopg.ClientCursor(connection)):
            assert cursor.execute(query, {"salt": "y"}).fetchone() == (text, "y")


@pytest.mark.parametrize("hostile", WORST)
def test_a_syncs_names_reach_the_platform_as_they_are(ctx: Context, hostile: str) -> None:
    """The published marts are reduced to what a plan reads."""
    with ctx.warehouse.connect() as connection:
        for statement in (
            "create view marts.segments as select %s::text as segment",
            "create view marts.segment_members as select %s::text as segment, 'c1' as customer_id",
            "create view marts.customers as select 'c1' as customer_id, 'a@example.com' as email, 1 as orders",
            "create view marts.consents as "
            "select 'c1' as customer_id, 'email' as channel, %s::text as purpose, 'granted' as status",
        ):
            psycopg.ClientCursor(connection).execute(statement, (hostile,) if "%s" in statement else None)
        connection.execute(
            "insert into control.runs (as_of, slot, fingerprint, change_seq, loads) values (now(), 'blue', 'x', 0, '{}')"
        )
        connection.execute(
            "insert into control.releases (run_id, slot, as_of, fingerprint, change_seq) values (1, 'blue', now(), 'x', 0)"
        )
        connection.execute(
            "insert into control.published (slot, release_id, as_of, published_at) values ('blue', 1, now(), now())"
        )
        sync = Sync.model_validate(
            {
                "sync": "x", "owner": "x", "description": "x", "segment": hostile, "platform": "csv_drop",
                "consent": {"channel": "email", "purpose": hostile}, "fields": {hostile: "orders"}, "account": hostile,
                "holdout": {"share": 0.0001, "salt": hostile},
            }
        )  # fmt: skip
        plan = planning.propose(connection, sync)
        assert (plan.desired, plan.without_consent) == (1, 0)
        row = connection.execute("select fields::text from members").fetchone()
        assert row
        assert json.loads(row[0]) == {hostile: 1}
        connection.rollback()


@pytest.mark.parametrize("field", ["key", "fields"])
def test_a_sync_cannot_name_what_is_no_column(
    ctx: Context, make_context: Callable[..., Context], field: str
) -> None:
    column = "email, (select 1)"
    sync = Sync.model_validate(
        {
            "sync": "x", "owner": "x", "description": "x", "segment": "s", "platform": "csv_drop",
            "consent": "none", "reason_without_consent": "x",
            **({"key": column} if field == "key" else {"fields": {"f": column}}),
        }
    )  # fmt: skip
    with ctx.warehouse.connect() as connection:
        connection.execute("create view marts.customers as select 'a'::text as email, 'c1' as customer_id")
        with pytest.raises(ConfigError, match="no column"):
            planning._check_names(connection, sync)
