"""What a platform is to the engine: capabilities and one call. A declaration, or a class where that cannot say it."""

from __future__ import annotations

from lifehouse.activation.platforms.csv_drop import CsvDropOptions
from lifehouse.activation.platforms.sql_table import SqlTableOptions
from lifehouse.activation.platforms.webhook import WebhookOptions
from lifehouse.config import Strict

#: The platforms in Python, with the model of a sync's ``options`` to them; ``catalog`` knows the declared ones.
OPTIONS: dict[str, type[Strict]] = {
    "webhook": WebhookOptions,
    "csv_drop": CsvDropOptions,
    "sql_table": SqlTableOptions,
}
#: Of those that tell who they hold if a sync says so: the option, and how to write it.
TELLING = {
    "webhook": ("members", "`members: /members`"),
    "csv_drop": ("full_state", "`full_state: true`"),
}
#: What they are, and what they were tested against.
IN_PYTHON: dict[str, tuple[str, str]] = {
    "webhook": ("a JSON endpoint of your own, see docs/add-a-sync.md", "a server of the tests"),
    "csv_drop": (
        "files of changes, CSV or Parquet, see docs/add-a-sync.md",
        "OpenSSH's SFTP server and a simulated S3; not the live service",
    ),
    "sql_table": ("rows of a Postgres table, see docs/add-a-sync.md", "PostgreSQL 18"),
}
