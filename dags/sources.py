"""Read one source system and judge what it gave.

**If `ingest` fails**, the source is down or refuses: the task is tried again by itself; nothing is lost, the next run
takes up where the last accepted load ended. **If `raw_gate` fails**, the delivery is bad: the log names table, column and
count, the load is rejected, the source is rewound, and everything right of raw keeps what it had. Tell the source's owner.
"""

from __future__ import annotations

from airflow.sdk import DAG

from lifehouse.orchestration.airflow import declarations, policy, pools, tasks

for source in declarations.sources():
    with DAG(
        f"source_{source.source}",
        description=source.description,
        **policy.arguments(
            policy.Tag.SOURCE,
            owner=source.owner,
            doc=f"{source.description}\n\n{__doc__}",
            schedule=policy.clock(source.schedule, source.time_zone),
            pool=pools.source_pool(source.source),
            retries=3,
            deadline=source.deadline,
        ),
    ):
        tasks.raw_gate(tasks.ingest(source.source))
