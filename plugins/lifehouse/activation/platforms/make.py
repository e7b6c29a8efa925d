"""A platform for a sync: its class or declaration with the sync's options, and the sizes that both sides take."""

from __future__ import annotations

from dataclasses import replace

from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.declaration import Sync
from lifehouse.activation.platforms import client, http
from lifehouse.activation.platforms.base import Capabilities, Platform
from lifehouse.activation.platforms.csv_drop import CsvDrop, CsvDropOptions
from lifehouse.activation.platforms.sql_table import SqlTable, SqlTableOptions
from lifehouse.activation.platforms.webhook import Webhook, WebhookOptions
from lifehouse.errors import ConfigError
from lifehouse.home import Home

_CAPABILITIES: dict[str, Capabilities] = {
    "webhook": Webhook.capabilities,
    "csv_drop": CsvDrop.capabilities,
    "sql_table": SqlTable.capabilities,
}


def capabilities(sync: Sync) -> Capabilities:
    """What the platform takes, within what the sync asks for."""
    given = http.capabilities(sync.declared) if sync.declared else _CAPABILITIES[sync.platform]
    most = sync.sending.batch_size or given.batch_size
    return replace(
        given,
        batch_size=min(most, given.batch_size),
        in_flight=(sync.sending.in_flight or given.in_flight) if given.keyed else 1,
        per_second=sync.sending.per_second or given.per_second,
        sizes={lane: min(most, size) for lane, size in given.sizes.items()},
    )


def make_platform(sync: Sync, home: Home, connection: PlatformConnection | None = None) -> Platform:
    """The sync's platform account; without ``connection`` the environment has it.

    :raises ConfigError: no connection is declared or found.
    """
    if connection is None and sync.connection:
        connection = PlatformConnection.from_environment(sync.connection)
    if sync.platform == "csv_drop":
        options = CsvDropOptions.model_validate(sync.options)
        return CsvDrop(
            options, connection, sync=sync.sync, columns=sync.fields, below=home.path, mode=sync.mode
        )
    if connection is None:
        raise ConfigError(f"sync {sync.sync}: the platform {sync.platform} needs a connection")
    if sync.platform == "sql_table":
        wanted = SqlTableOptions.model_validate(sync.options)
        return SqlTable(wanted, connection, sync=sync.sync, mode=sync.mode, columns=sync.fields)
    client.prepare()
    in_flight = capabilities(sync).in_flight
    if sync.declared:
        said = sync.declared.options_model.model_validate(sync.options).model_dump()
        return http.DeclaredPlatform(sync.declared, said, connection, in_flight)
    return Webhook(WebhookOptions.model_validate(sync.options), connection, in_flight, sync.sync)
