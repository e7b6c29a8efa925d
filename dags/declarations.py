"""Shows Airflow the mistakes in the project's YAML files: this file cannot be imported as long as there is one.

The DAGs of sound files live on meanwhile; see ``lifehouse.orchestration.airflow.declarations``.
"""

from __future__ import annotations

from lifehouse.errors import ConfigError
from lifehouse.orchestration.airflow import declarations

mistakes = declarations.mistakes()
if mistakes:
    raise ConfigError("\n".join(mistakes))
