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
