"""Keep one segment mirrored in one platform; woken by every published release.

**If `sync` waits for input**, a guard stopped it before it sent anything: the required action says which, and what it saw. Let it
run once if that is meant; without an answer it stays stopped.

**If `sync` fails** before it sent anything, nobody let it run on, or the syncs are paused: the log says so. If the platform
refused rows, they wait in `activation.outbox` with the platform's own reason. What was sent is kept: running again sends
only the rest. See `lifehouse plan` for what it would do. The platform's address and credentials are an Airflow Connection.
"""

from __future__ import annotations

from airflow.sdk import DAG

from lifehouse.orchestration.airflow import declarations, policy, pools
from lifehouse.orchestration.airflow.syncs import SyncTask

for sync in declarations.syncs():
    with DAG(
        f"sync_{sync.sync}",
        description=sync.description,
        **policy.arguments(
            policy.Tag.SYNC,
            owner=sync.owner,
            doc=f"{sync.description}\n\n{__doc__}",
            schedule=policy.when_released(
                sync.quiet_hours and sync.quiet_hours.end, sync.zone, anywhere=bool(sync.zone_column)
            ),
            pool=pools.platform_pool(sync.account_name),
            retries=2,
        ),
    ):
        SyncTask(
            task_id="sync",
            sync=sync.sync,
            connection=sync.connection,
            answer_within=sync.guards.answer_within,
        )
