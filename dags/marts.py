"""Build, judge and publish a release of all marts, as of one instant.

`begin` opens the run and ends the night early when the published release already answers it. **If `core` or `release`
fails**, a model is at fault: the log names it; mend it and trigger again. **If `release_gate` fails**, the marts would be
wrong: the log has one sentence for each expectation that did not hold; or, "held back", a required source is late: run it, or
`lifehouse publish --reason ...`. In every case BI keeps reading the last release,
and no sync is woken. Trigger by hand with `as_of` (null: the tick of the clock), `full_refresh` (build everything anew) and
`hold` (build and judge, publish nothing: `lifehouse diff published candidate`, then `lifehouse publish`). A run of a backfill, or
about an instant before the published release's, is answered by `begin` in the schema `scratch_airflow`; nothing is published.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param, chain

from lifehouse.orchestration.airflow import policy, tasks
from lifehouse.project import Project

company = Project.current().company
arguments = policy.arguments(
    policy.Tag.MARTS,
    doc=__doc__,
    schedule=policy.clock(company.schedule, company.time_zone),
    retries=1,
    deadline=company.deadline,
)
arguments["default_args"]["on_failure_callback"].insert(0, tasks.close_run)

with DAG(
    "marts",
    description=f"The marts of {company.company}",
    params={
        "as_of": Param(
            None, type=["null", "string"], format="date-time", description="the instant the run speaks about"
        ),
        "full_refresh": Param(False, type="boolean", description="build every model anew"),
        "hold": Param(False, type="boolean", description="publish nothing: a person looks at it first"),
    },
    **arguments,
):
    run = tasks.begin()
    chain(tasks.core(run), tasks.release(run), tasks.release_gate(run), tasks.publish(run), tasks.prune())
