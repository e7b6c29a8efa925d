"""How things travel: connections that are weaker than they would be by default, because somebody declared them so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lifehouse import transport
from lifehouse.activation.connection import PlatformConnection
from lifehouse.context import Context
from lifehouse.doctor.findings import Finding, Verdict
from lifehouse.errors import ConfigError

_UNENCRYPTED = "if that network is not your own: https, sftp or s3, and no `insecure`"
_ANY_SERVER = "name the server's key: `host_key`, or a file of `known_hosts`"
_POSTGRES = "sslmode=require, better verify-full, in the address"


def connections(ctx: Context) -> Iterator[Finding]:
    """Only what is weaker than it should be is told; a variable that is not set is another check's matter."""
    if found := transport.weakness(ctx.warehouse.url):
        yield Finding("warehouse", Verdict.MIND, found, _POSTGRES)
    yield from _sources(ctx)
    yield from _syncs(ctx)


def _sources(ctx: Context) -> Iterator[Finding]:
    from lifehouse.ingest.connections import FilesConnection, RestConnection, resolved  # noqa: PLC0415  heavy
    from lifehouse.ingest.declaration import load_source  # noqa: PLC0415  heavy

    for path in ctx.project.source_files:
        subject = f"source {path.stem}"
        try:
            connection = resolved(path.stem, load_source(path).connection)
            if isinstance(connection, FilesConnection):
                yield from _of_settings(subject, connection.url, connection.options)
            elif isinstance(connection, RestConnection):
                yield from _of_settings(subject, connection.base_url, {"insecure": connection.insecure})
            elif connection.url.startswith("postgres") and (found := transport.weakness(connection.url)):
                yield Finding(subject, Verdict.MIND, found, _POSTGRES)
        except ConfigError:
            continue


def _syncs(ctx: Context) -> Iterator[Finding]:
    from lifehouse.activation.declaration import load_sync  # noqa: PLC0415  heavy

    for path in ctx.project.sync_files:
        try:
            name = load_sync(path).connection
            connection = PlatformConnection.from_environment(name) if name else None
        except ConfigError:
            continue
        if connection:
            yield from _of_settings(f"sync {path.stem}", connection.url, connection.extra)


def _of_settings(subject: str, url: str, settings: Mapping[str, Any]) -> Iterator[Finding]:
    def declared(*names: str) -> bool:
        return any(str(settings.get(name)).lower() == "true" for name in names)

    if declared("insecure", "allow_http") and not transport.is_here(_host(url)):
        told = f"`insecure: true` is declared: what goes to {transport.shown(url)} may be unencrypted"
        yield Finding(subject, Verdict.MIND, told, _UNENCRYPTED)
    if declared("no_host_key_check"):
        told = f"`no_host_key_check: true` is declared: any server that answers at {transport.shown(url)} is taken for it"
        yield Finding(subject, Verdict.MIND, told, _ANY_SERVER)


def _host(url: str) -> str | None:
    """Where an address leads to; a bucket's is never here, a path's always."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme == "file":
        return None
    place = rest.rsplit("@", 1)[-1].split("/", 1)[0]
    return place if place.startswith("[") else place.split(":", 1)[0] or "elsewhere"
