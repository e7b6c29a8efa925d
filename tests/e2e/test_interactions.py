"""Visits known by a cookie alone: kept, given to their customer once somebody says who it is, and told in UTC."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lifehouse.context import Context
from support.tiny import ANN, BEN, TINY, Company, sale

SOURCE = """
source: web
owner: data-team
description: a website's hits; times are Berlin's, without an offset
kind: files
connection: {url: "${TINY_FOLDER}"}
time_zone: Europe/Berlin
schedule: "0 2 * * *"
tables:
  hits:
    replaces: file
    files: "hits/*.csv"
    columns:
      hit_id: {type: text, required: true}
      cookie: {type: text, personal: id}
      person_id: {type: text, personal: id}
      action: {type: text, required: true}
      at: {type: timestamptz, required: true}
"""
STAGING = """
{{ staged('web', 'hits', by='hit_id') }}

select
    'web' as source,
    hit_id as source_key,
    _loaded_at,
    person_id as customer_key,
    cookie,
    action,
    'website' as channel,
    at as occurred_at
from {{ raw('web', 'hits', by='hit_id') }} as hits
"""
PROFILES = """
{{ staged('web', 'hits', by='person_id', replaces='customer_key') }}

select
    'web' as source,
    person_id as source_key,
    max(_loaded_at) as _loaded_at,
    person_id as customer_key,
    'person' as kind,
    'tiny' as external_source,
    person_id as external_key
from {{ raw('web', 'hits', by='person_id') }} as hits
where person_id is not null
group by person_id
"""
SILENT = """
source: silent
owner: data-team
description: a folder that stays empty
kind: files
connection: {url: "${TINY_FOLDER}"}
schedule: "0 2 * * *"
tables:
  stars:
    key: [star_id]
    files: "stars/*.csv"
    columns:
      star_id: {type: text, required: true}
      person_id: {type: text, personal: id}
      stars: {type: integer}
"""
REVIEWS = """
{{ staged('silent', 'stars', by='star_id') }}

select
    'silent' as source,
    star_id as source_key,
    _loaded_at,
    person_id as customer_key,
    stars::numeric as rating
from {{ raw('silent', 'stars', by='star_id') }} as stars
"""
WHOSE = """
    select refs.customer_key, events.source_key
    from core.customer_events as events
    inner join core.customer_refs as refs on events.customer_id = refs.customer_id and refs.source = 'tiny'
    where events.event_type = 'visit' order by 1, 2
"""


@pytest.fixture
def company(make_context: Callable[..., Context], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    """The tiny company with a website, and a source that never delivers anything."""
    project, folder = tmp_path / "project", tmp_path / "feed"
    shutil.copytree(TINY, project)
    (project / "dags/sources/web.yml").write_text(SOURCE)
    models = project / "dbt_project/models/staging/web"
    models.mkdir()
    (models / "stg_web__interactions.sql").write_text(STAGING.lstrip())
    (models / "stg_web__profiles.sql").write_text(PROFILES.lstrip())
    (project / "dags/sources/silent.yml").write_text(SILENT)
    (models.parent / "silent").mkdir()
    (models.parent / "silent/stg_silent__reviews.sql").write_text(REVIEWS.lstrip())
    folder.mkdir()
    monkeypatch.setenv("TINY_FOLDER", str(folder))
    return Company(make_context(project_root=project), folder)


def hits(company: Company, file: str, *rows: tuple[str, str, str, str]) -> None:
    """Drop ``hits/<file>.csv``: id, cookie, person, Berlin's time; all are visits."""
    path = company.folder / "hits" / f"{file}.csv"
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(("hit_id", "cookie", "person_id", "action", "at"))
        writer.writerows((hit, cookie, person, "visit", at) for hit, cookie, person, at in rows)


def test_visits_join_their_customer_when_the_cookie_is_named_and_leave_when_that_was_wrong(
    company: Company,
) -> None:
    company.people("all", [ANN, BEN])
    company.lines(
        "2024-11-01", [sale("o1", "p1", "2024-11-01", 10), sale("o2", "p1", "2024-11-02", -4, "refund")]
    )
    hits(
        company,
        "1",
        ("v1", "k1", "", "2024-03-31 01:59:59"),  # the last second of winter time
        ("v2", "k1", "", "2024-03-31 02:30:00"),  # left out: moved on by the hour that is missing
        ("v3", "k1", "", "2024-03-31 03:30:00"),
        ("v4", "k2", "", "2024-10-27 01:30:00"),
        ("v5", "k2", "", "2024-10-27 02:30:00"),  # happens twice: the second is meant
        ("v6", "k2", "", "2024-10-27 03:30:00"),
        ("v7", "k2", "p2", "2024-11-01 12:00:00"),
        ("v8", "", "", "2024-11-01 12:00:00"),
    )
    assert company.night("2024-11-10").status == "published"
    assert company.rows(
        "select source_key, to_char(occurred_at, 'MM-DD HH24:MI:SS') from contract.interactions "
        "where source_key < 'v7' order by 1"
    ) == [
        ("v1", "03-31 00:59:59"),
        ("v2", "03-31 01:30:00"),
        ("v3", "03-31 01:30:00"),
        ("v4", "10-26 23:30:00"),
        ("v5", "10-27 01:30:00"),
        ("v6", "10-27 02:30:00"),
    ]
    assert company.rows(WHOSE) == [("p2", "v4"), ("p2", "v5"), ("p2", "v6"), ("p2", "v7")]
    apart = "select cookie, is_shared, interactions from core.anonymous_visitors order by 1 nulls last"
    assert company.rows(apart) == [("k1", False, 3), (None, False, 1)]

    hits(company, "2", ("v9", "k1", "p1", "2024-11-10 12:00:00"))
    company.night("2024-11-11")
    assert company.rows(WHOSE) == [
        *(("p1", visit) for visit in ("v1", "v2", "v3", "v9")),
        *(("p2", visit) for visit in ("v4", "v5", "v6", "v7")),
    ]
    assert company.rows(apart) == [(None, False, 1)]
    seen = "select full_name, first_seen_at::date::text from marts.customers order by 1"
    assert company.rows(seen) == [("Ann Ash", "2024-01-01"), ("Ben Birch", "2024-01-02")]

    hits(company, "2", ("v9", "k3", "p1", "2024-11-10 12:00:00"))  # it was another cookie
    hits(company, "3", ("v0", "k2", "", "2023-12-01 12:00:00"))  # and Ben's brings an earlier visit
    company.night("2024-11-12")
    assert company.rows(WHOSE) == [
        ("p1", "v9"),
        *(("p2", visit) for visit in ("v0", "v4", "v5", "v6", "v7")),
    ]
    assert company.rows(apart) == [("k1", False, 3), (None, False, 1)]
    assert company.rows(seen) == [("Ann Ash", "2024-01-01"), ("Ben Birch", "2023-12-01")]
    changed = company.rows("select count(*) from control.run_customers where scope = 'core'")
    assert changed == [(2,)]

    events = "select event_id, occurred_at, event_type from core.customer_events order by 1, 2, 3"
    before = company.rows(events)
    assert [row[2] for row in before].count("refund") == 1
    company.night("2024-11-12", full_refresh=True)
    assert company.rows(events) == before
