"""What people do today: a table of current stages every night, and a `dbt snapshot` of it. What it costs, what it misses."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import yaml

from benchmarks._company import NIGHT, Company
from benchmarks._meter import Meter, Spent

NIGHTS = 5
_SNAPSHOT = """
{% snapshot nightly %}
{{ config(unique_key=['customer_id', 'lifecycle'], strategy='check', check_cols=['stage'], target_schema='snapshots') }}
select customer_id, lifecycle, stage from bench.current_stage
{% endsnapshot %}
"""
_CURRENT = """
    drop table if exists bench.current_stage;
    create table bench.current_stage as
    select customer_id, lifecycle, stage from {slot}.stage_history
    where entered_at <= '{night}' and (exited_at is null or exited_at > '{night}')
"""


def nights(company: Company, meter: Meter) -> Iterator[tuple[str, object]]:
    """The last nights of the company's life, each with a snapshot."""
    from dbt.cli.main import dbtRunner

    slot = company.value("select slot from control.runs order by run_id desc limit 1")
    first = NIGHT - timedelta(days=NIGHTS)
    with tempfile.TemporaryDirectory(prefix="lifehouse-bench-") as name:
        folder = Path(name)
        _project(folder, company)
        places = [*("--project-dir", name), *("--profiles-dir", name)]

        def night(number: int) -> Spent:
            instant = first + timedelta(days=number)
            company.ctx.warehouse.execute(_CURRENT.replace("{slot}", slot).replace("{night}", f"{instant}"))

            def snapshot() -> None:
                outcome = dbtRunner().invoke(["--quiet", "snapshot", *places])
                if not outcome.success:
                    raise RuntimeError(f"dbt snapshot: {outcome.exception or outcome.result}")

            return meter.of(snapshot)

        spent = [night(number) for number in range(NIGHTS)]
    last = first + timedelta(days=NIGHTS - 1)
    moved = company.value(
        f"select count(*) from {slot}.stage_history "
        f"where entered_at > '{first}' and entered_at <= '{last}' and cause_type <> 'start'"
    )
    seen = company.value(
        "select count(*) from snapshots.nightly as rows where exists (select from snapshots.nightly as old "
        "where old.customer_id = rows.customer_id and old.lifecycle = rows.lifecycle "
        "and old.dbt_valid_from < rows.dbt_valid_from)"
    )
    yield "a dbt snapshot of the current stages: the first night", spent[0]
    yield "a dbt snapshot of the current stages: a night after it", spent[-1]
    yield f"moves in {NIGHTS - 1} nights, in the snapshots", f"{moved:,}, {seen:,}"
    yield "  missed by them", f"{moved - seen:,} ({(moved - seen) / max(moved, 1):.1%})"


def _project(folder: Path, company: Company) -> None:
    address = company.ctx.warehouse.parameters
    output = {
        **{
            "type": "postgres",
            "host": address["host"],
            "port": int(address["port"]),
            "user": address["user"],
        },
        **{"password": address["password"], "dbname": address["dbname"], "schema": "snapshots", "threads": 1},
    }
    profile = {"bench": {"target": "bench", "outputs": {"bench": output}}}
    project = {"name": "bench", "version": "1.0", "profile": "bench", "snapshot-paths": ["snapshots"]}
    (folder / "snapshots").mkdir()
    (folder / "snapshots" / "nightly.sql").write_text(_SNAPSHOT)
    (folder / "profiles.yml").write_text(yaml.safe_dump(profile))
    (folder / "dbt_project.yml").write_text(
        yaml.safe_dump({**project, "flags": {"send_anonymous_usage_stats": False}})
    )
