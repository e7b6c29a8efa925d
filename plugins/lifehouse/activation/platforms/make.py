"""A platform for a sync: its class with its options, and the sizes that both sides take."""

from __future__ import annotations

from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.declaration import Sync
from lifehouse.activation.platforms.base import Capabilities, Platform
from lifehouse.activation.platforms.csv_drop import CsvDrop, CsvDropOptions
from lifehouse.activation.platforms.webhook import Webhook, WebhookOptions
from lifehouse.errors import ConfigError
from lifehouse.home import Home

_CAPABILITIES: dict[str, Capabilities] = {"webhook": Webhook.capabilities, "csv_drop": CsvDrop.capabilities}


def batch_size(sync: Sync) -> int:
    """Rows a call."""
    most = _CAPABILITIES[sync.platform].batch_size
    return min(sync.sending.batch_size or most, most)


def in_flight(sync: Sync) -> int:
    """Calls at once."""
    return sync.sending.in_flight or _CAPABILITIES[sync.platform].in_flight


def make_platform(sync: Sync, home: Home, connection: PlatformConnection | None = None) -> Platform:
    """The sync's platform account; without ``connection`` the environment has it.

    :raises ConfigError: no connection is declared or found.
    """
    if connection is None and sync.connection:
        connection = PlatformConnection.from_environment(sync.connection)
    if sync.platform == "csv_drop":
        options = CsvDropOptions.model_validate(sync.options)
        return CsvDrop(options, connection, sync=sync.sync, columns=sync.fields, below=home.path)
    if connection is None:
        raise ConfigError(f"sync {sync.sync}: the platform {sync.platform} needs a connection")
    return Webhook(WebhookOptions.model_validate(sync.options), connection, in_flight(sync))
