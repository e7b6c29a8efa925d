"""drt-core, the strongest open peer, from an environment of its own: the same rows, the same server, batches of 100.

It takes a new HTTP client for each ``batch_size`` of rows, which go out in requests of 100: with 1,000 it is what was measured
of it first (36 to 38 thousand rows a second), with 10,000 it is fastest. No limit unless one is asked for.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from benchmarks._receiver import Receiver, Seen
from support.environments import installed

PACKAGE = "drt-core[postgres]==1.2.1"

_ROWS = """
select
    customers.email as key, customers.first_name as name, customers.status_stage as stage,
    customers.net_revenue::float as revenue
from marts.segment_members as segment
inner join marts.customers as customers using (customer_id)
where segment.segment = 'champions'
"""


@dataclass(frozen=True)
class Done:
    """``seconds`` of the whole command; ``told``: what it says that the sync took; what the receiver saw."""

    seconds: float
    told: float
    seen: Seen


@dataclass(frozen=True)
class Drt:
    """A project in ``folder`` that reads the warehouse at ``url``."""

    folder: Path
    url: str

    def run(self, receiver: Receiver, *, per_second: float = 0, batch_size: int = 10_000) -> Done:
        """It sends all rows each time: for a REST destination it keeps no state to compare with.

        :raises Unavailable: it cannot be installed.
        """
        program = installed("drt", PACKAGE) / "drt"
        self._write(receiver, per_second, batch_size)
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "DO_NOT_TRACK": "1"}
        began = time.perf_counter()
        done = subprocess.run(
            [program, "run", "--select", "push"],
            cwd=self.folder,
            env={**environment, "NO_PROXY": "127.0.0.1"},
            check=True,
            capture_output=True,
            text=True,
            timeout=900,
        )
        seconds = time.perf_counter() - began
        told = re.search(r"synced\s+\(([\d.]+)s\)", done.stdout)
        return Done(seconds, float(told[1]) if told else seconds, receiver.seen())

    def _write(self, receiver: Receiver, per_second: float, batch_size: int) -> None:
        known = conninfo_to_dict(self.url)
        self._file(
            ".drt/profiles.yml",
            {
                "pg": {
                    "type": "postgres",
                    "host": known["host"],
                    "port": int(str(known["port"])),
                    "dbname": known["dbname"],
                    "user": known["user"],
                    "password": known.get("password", ""),
                }
            },
        )
        self._file("drt_project.yml", {"name": "bench", "version": "0.1", "profile": "pg"})
        limit = {"requests_per_second": per_second}
        self._file(
            "syncs/push.yml",
            {
                "name": "push",
                "model": _ROWS,
                "destination": {
                    "type": "rest_api",
                    "url": f"{receiver.url}/batch",
                    "headers": {"Content-Type": "application/json"},
                    "body_mode": "batch",
                    "max_records_per_request": 100,
                    "batch_template": '{"adds": {{ rows | tojson }}}',
                    "rate_limit": limit,
                },
                "sync": {"mode": "full", "batch_size": batch_size, "rate_limit": limit},
            },
        )

    def _file(self, name: str, content: object) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")  # JSON is YAML
