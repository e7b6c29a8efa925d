"""Runs the real DAGs of a company by ``dag.test()``, on a real Airflow, warehouse and dbt, in a process of their own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lifehouse.orchestration.settings import Settings
from lifehouse.orchestration.standalone import Standalone
from support.tiny import Company

SCRIPT = Path(__file__).parents[1] / "airflow" / "run_dag.py"
_RESULT = re.compile("\nRESULT (.*)\n")


@dataclass
class AirflowOf:
    """A company and the Airflow that runs its DAGs."""

    company: Company
    settings: Settings
    process: subprocess.Popen[str]
    output: Path

    @classmethod
    @contextmanager
    def start(cls, company: Company, database: str, **environment: str) -> Iterator[AirflowOf]:
        """With a metadata ``database`` of its own."""
        settings = Settings(
            company.ctx,
            {
                "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
                "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": database,
                "LIFEHOUSE_WAREHOUSE_URL": company.ctx.warehouse.url,
                "TINY_FOLDER": str(company.folder),
                **environment,
            },
        )
        settings.write()
        Standalone(settings).migrate()
        output = settings.folder / "runs.log"
        with output.open("w") as log:
            process = subprocess.Popen(
                [sys.executable, str(SCRIPT)],
                env=settings.environment(),
                cwd=settings.folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                text=True,
            )
        try:
            yield cls(company, settings, process, output)
        finally:
            process.kill()
            process.communicate()

    def test(self, dag_id: str, **conf: Any) -> dict[str, Any]:
        """Run a DAG to its end: state, tasks, xcoms, log."""
        before, deadline = self.output.stat().st_size, time.monotonic() + 240
        assert self.process.stdin
        self.process.stdin.write(json.dumps([dag_id, conf]) + "\n")
        self.process.stdin.flush()
        while not (found := _RESULT.search(output := self._said(before))):
            assert self.process.poll() is None, output[-5000:]
            assert time.monotonic() < deadline, output[-5000:]
            time.sleep(0.1)
        return {**json.loads(found[1]), "log": output}

    def _said(self, since: int) -> str:
        with self.output.open("rb") as log:
            log.seek(since)
            return log.read().decode()
