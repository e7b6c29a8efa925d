"""What a platform is to the engine: capabilities and one call. One file each; the engine knows none by name."""

from __future__ import annotations

from lifehouse.activation.platforms.csv_drop import CsvDropOptions
from lifehouse.activation.platforms.webhook import WebhookOptions
from lifehouse.config import Strict

#: The platforms that a sync may name, with the model of their ``options``.
OPTIONS: dict[str, type[Strict]] = {"webhook": WebhookOptions, "csv_drop": CsvDropOptions}
