"""Runs the real DAGs of a company by ``dag.test()``, on a real Airflow, in a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lifehouse.orchestration.settings import Settings
from lifehouse.orchestration.standalone import Standalone
from support.tiny import Company

SCRIPT = Path(__file__).parents[1] / "airflow" / "run_dag.py"


@dataclass
class AirflowOf:
    """A company and the Airflow that runs its DAGs."""

    company: Company
    settings: Settings

    @classmethod
    def start(cls, company: Company, database: str, **environment: str) -> AirflowOf:
        """With an empty metadata ``database``."""
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
        return cls(company, settings)

    def test(self, dag_id: str, **conf: Any) -> dict[str, Any]:
        """Run a DAG to its end: state, tasks, xcoms, log."""
        done = subprocess.run(
            [sys.executable, str(SCRIPT), dag_id, json.dumps(conf)],
            env=self.settings.environment(),
            cwd=self.settings.folder,
            check=False,
            capture_output=True,
            text=True,
            timeout=240,
        )
        output = done.stdout + done.stderr
        assert "\nRESULT " in output, output[-5000:]
        result = json.loads(done.stdout.split("\nRESULT ", 1)[1].splitlines()[0])
        return {**result, "log": output}
