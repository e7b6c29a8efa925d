"""Keep one segment mirrored in one platform; woken by every published release.

**If `sync` fails** before it sent anything, a guard stopped it: the log says which, and what it saw. If the platform refused
rows, they wait in `activation.outbox` with the platform's own reason. What was sent is kept: running again sends only the rest.
See `lifehouse plan` for what it would do. The platform's address and credentials are an Airflow Connection.
"""

from __future__ import annotations

from airflow.sdk import DAG

from lifehouse.orchestration.airflow import declarations, policy, pools, tasks

for sync in declarations.syncs():
    with DAG(
        f"sync_{sync.sync}",
        description=sync.description,
        **policy.arguments(
            policy.Tag.SYNC,
            owner=sync.owner,
            doc=f"{sync.description}\n\n{__doc__}",
            schedule=[policy.RELEASE],
            pool=pools.platform_pool(sync.account_name),
            retries=2,
        ),
    ):
        tasks.sync(sync.sync, sync.connection)
