"""The pools of the DAGs: one source system is read by one task at a time, one platform account has one sender."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from lifehouse.orchestration.airflow import declarations
from lifehouse.project import Project


@dataclass(frozen=True)
class Pool:
    """A named number of task slots."""

    name: str
    slots: int
    description: str


def source_pool(source: str) -> str:
    """The pool of a source's tasks."""
    return f"source_{source}"


def platform_pool(account: str) -> str:
    """The pool of all syncs to one platform account."""
    return "platform_" + re.sub(r"\W", "_", account)


def pools(project: Project | None = None) -> Iterator[Pool]:
    """The pools of a project, by default of the current one."""
    for source in declarations.sources(project):
        yield Pool(source_pool(source.source), 1, f"the source {source.source}")
    for account in sorted({sync.account_name for sync in declarations.syncs(project)}):
        yield Pool(platform_pool(account), 1, f"the platform account {account}")


if __name__ == "__main__":  # python -m ... > pools.json; airflow pools import pools.json
    made = {
        pool.name: {"slots": pool.slots, "description": pool.description, "include_deferred": False}
        for pool in pools()
    }
    sys.stdout.write(json.dumps(made) + "\n")
