"""Three runs of a tiny company, two in one day, that correct nothing: people come, buy, give back, turn out to be one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from lifehouse.build import project
from lifehouse.context import Context
from lifehouse.home import Home
from lifehouse.project import Project
from lifehouse.warehouse.connection import Warehouse
from support.tiny import TINY, Company, sale

Marts = dict[str, list[tuple[Any, ...]]]
NIGHTS = ("2024-01-06", "2024-01-07T10:00", "2024-01-07T11:00")  # two of them within an hour


def person(
    key: str, created: str, email: str = "", phone: str = "", consent: str = "granted"
) -> tuple[object, ...]:
    return (key, f"Person {key}", email, phone, "", created, created, consent)


@dataclass
class Story:
    """The company, and what every mart said after each night, by the night's day; ``runs`` are the nights' runs."""

    company: Company
    said: dict[str, Marts] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)

    @property
    def ctx(self) -> Context:
        return self.company.ctx

    def night(self, day: str, **options: Any) -> None:
        outcome = self.company.night(day, **options)
        assert outcome.status == "published"
        self.said[day] = self.marts("marts")
        self.runs[day] = self.ctx.warehouse.value("select max(run_id) from control.releases")

    def marts(self, schema: str, as_of: str | None = None, names: list[str] | None = None) -> Marts:
        """Every mart's rows in a schema; of a backfill's those of an instant, without it."""
        found: Marts = {}
        with self.ctx.warehouse.connect() as connection:
            for mart in names or project.mart_names():
                columns = [row[0] for row in connection.execute(_COLUMNS, (mart,))]
                listed = sql.SQL(", ").join(map(sql.Identifier, columns))
                query = sql.SQL("select {} from {}").format(listed, sql.Identifier(schema, mart))
                if as_of:
                    query += sql.SQL(" where as_of = {}").format(sql.Literal(instant(as_of)))
                found[mart] = sorted(connection.execute(query).fetchall(), key=repr)
        return found

    def value(self, query: str) -> Any:
        return self.ctx.warehouse.value(query)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def found(databases: Any, folder: Path) -> Story:
    """The tiny company without any night."""
    (folder / "files").mkdir()
    os.environ["TINY_FOLDER"] = str(folder / "files")
    ctx = Context(Home(folder / "home"), Project(TINY))
    ctx.home.path.mkdir(mode=0o711)
    vars(ctx)["warehouse"] = Warehouse(databases.create())  # the cached property, preset
    return Story(Company(ctx, folder / "files"))


def tell(story: Story) -> Story:
    """The three nights."""
    company = story.company
    company.people(
        "a", [person("p1", "2024-01-02", "ann@x.de"), person("p2", "2024-01-03", "ben@x.de", "0301234567")]
    )
    company.lines(
        "05",
        [
            sale("o1", "p1", "2024-01-05", 10),
            sale("o2", "p2", "2024-01-05", 7),
            sale("o3", "", "2024-01-05", 3),
        ],
    )
    story.night(NIGHTS[0])
    company.people("b", [person("p3", "2024-01-06T08:00Z", "cam@x.de", consent="withdrawn")])
    company.lines(
        "06",
        [
            sale("o4", "p1", "2024-01-06", 12),
            sale("o5", "p3", "2024-01-06", 5),
            sale("r1", "p2", "2024-01-06", -4, "refund"),
        ],
    )
    story.night(NIGHTS[1])
    company.people(
        "c",
        [
            person("p4", "2024-01-07T10:10Z", "cam@x.de", "030 1234567"),
            person("p5", "2024-01-07T10:20Z", "eve@x.de"),
        ],
    )
    half_past = ("2024-01-07T10:30:00Z", "tea", 1)
    company.lines(
        "07", [("o6", "p2", *half_past, 8, "EUR", "sale"), ("o7", "", *half_past, 2, "EUR", "sale")]
    )
    story.night(NIGHTS[2])
    return story


@pytest.fixture(scope="module")
def story(databases: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Shared by the tests of a file: only what is said in their order may change it."""
    before = os.environ.get("TINY_FOLDER")
    told = tell(found(databases, tmp_path_factory.mktemp("scratch")))
    yield told
    databases.drop(told.ctx.warehouse.url)
    os.environ.pop("TINY_FOLDER")
    if before is not None:
        os.environ["TINY_FOLDER"] = before


def footprint(ctx: Context) -> dict[str, str]:
    """Content and file of every table and view beside the scratch schemas and the house's own diary."""
    marks = {}
    with ctx.warehouse.connect() as connection:
        for schema, name, file in connection.execute(_RELATIONS).fetchall():
            content = connection.execute(
                sql.SQL("select md5(string_agg(t::text, '|' order by t::text)) from {} as t").format(
                    sql.Identifier(schema, name)
                )
            ).fetchone()
            marks[f"{schema}.{name}"] = f"{file} {content[0] if content else ''}"
    return marks


_COLUMNS = """
    select attname from pg_attribute
    where attrelid = format('marts.%%I', %s::text)::regclass and attnum > 0 and not attisdropped order by attnum
"""

_RELATIONS = """
    select relnamespace::regnamespace::text, relname, oid || '/' || coalesce(relfilenode, 0)
    from pg_class
    where relkind in ('r', 'v', 'p') and relnamespace::regnamespace::text !~ '^(pg_|information_schema|scratch_)'
        and relname not in ('stations', 'scratch', 'scratch_as_ofs')
        and oid <> 'marts.runs'::regclass  -- it tells the diary's stations
"""
