"""Nights on which nothing is wrong raise no alarm: late records, merges, splits, an earlier instant, a new source, other code."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lifehouse.context import Context
from lifehouse.ingest import decisions
from support.tiny import ANN, BEN, CAM, TINY, Company, sale

CLUB = """
source: club
owner: data-team
description: the members of a club
kind: files
connection: {url: "${TINY_FOLDER}"}
schedule: "0 2 * * *"
tables:
  members:
    key: [member_id]
    files: "members/*.csv"
    columns: {member_id: {type: text, required: true}, email: {type: text}}
"""
MEMBERS = """{{ staged('club', 'members', by='member_id') }}

select
    'club' as source,
    member_id as source_key,
    _loaded_at,
    member_id as customer_key,
    'person' as kind,
    email,
    _loaded_at as created_at,
    _loaded_at as updated_at
from {{ raw('club', 'members', by='member_id') }} as members
"""


def _alarms(company: Company) -> list[tuple[object, ...]]:
    """What did not hold on the last night, unless it was only kept."""
    return company.rows(
        """
        select subject, expectation, observed from marts.quality_results
        where gate = 'release' and not success and severity <> 'info'
            and run_id = (select max(run_id) from control.runs)
        """
    )


@pytest.mark.slow
def test_honest_nights_raise_no_alarm(
    make_context: Callable[..., Context], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, folder = tmp_path / "tiny", tmp_path / "files"
    shutil.copytree(TINY, project)
    folder.mkdir()
    monkeypatch.setenv("TINY_FOLDER", str(folder))
    company = Company(make_context(project_root=project), folder)

    company.people("all", [ANN, BEN, CAM])
    company.lines("2024-01-05", [sale("o1", "p1", "2024-01-05", 10), sale("o2", "", "2024-01-05", 7)])
    company.night("2024-01-06")
    assert _alarms(company) == []  # the first release

    company.lines(
        "2024-01-06", [sale("o3", "p2", "2024-01-02", 5), sale("r1", "p1", "2024-01-06", -4, "refund")]
    )
    company.lines("2024-01-05", [sale("o1", "p1", "2024-01-05", 12)])  # delivered again, without the guest
    company.people("new", [("p2", "Ben Birch", "ann@example.com", "", "", "2024-01-02", "2024-01-07", "")])
    night = company.night("2024-01-07")
    assert _alarms(company) == []  # a late order, a correction, a merge
    assert company.rows("select count(*) from marts.customer_merges") == [(1,)]

    company.people("new", [("p2", "Ben Birch", "ben@example.com", "", "", "2024-01-02", "2024-01-08", "")])
    company.night("2024-01-08")
    assert _alarms(company) == []  # and the split that undoes it

    company.night("2024-01-04", past=True)
    assert _alarms(company) == []  # an instant before the published one

    decisions.settle(company.ctx, night.loads["tiny"], "rejected", by="a person", reason="a test")
    for file in (folder / "lines" / "2024-01-06.csv", folder / "people" / "new.csv"):
        file.unlink()
    company.night("2024-01-09")
    assert _alarms(company) == []  # a load that was taken back

    (project / "dags" / "sources" / "club.yml").write_text(CLUB)
    staging = project / "dbt_project" / "models" / "staging" / "club"
    staging.mkdir()
    (staging / "stg_club__profiles.sql").write_text(MEMBERS)
    company._drop(
        "members", "all", ("member_id", "email"), [("m1", "ann@example.com"), ("m2", "new@example.com")]
    )
    fresh = Company(Context(company.ctx.home, type(company.ctx.project)(project)), folder)
    vars(fresh.ctx)["warehouse"] = company.ctx.warehouse
    assert fresh.night("2024-01-10").problems == []
    assert _alarms(fresh) == []  # a new source: other code, everything built anew
    assert fresh.rows("select count(*) from marts.customers") == [(4,)]
