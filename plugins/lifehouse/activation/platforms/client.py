"""The HTTP client of a platform account: where it is, how many calls it makes at once, what a lost answer means."""

from __future__ import annotations

import logging
from typing import Any

import httpx

from lifehouse import transport
from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.platforms.base import TryAgain
from lifehouse.errors import ConfigError

logging.getLogger("httpx").setLevel(
    logging.WARNING
)  # a line a call, with the address; the ledger has them all


def opened(url: httpx.URL, in_flight: int, *, timeout: float, **settings: Any) -> httpx.AsyncClient:
    """A client for calls to the address, ``in_flight`` at once; ``timeout`` in seconds."""
    settings["headers"] = {"User-Agent": "lifehouse", **settings.get("headers", {})}
    return httpx.AsyncClient(
        timeout=timeout,
        trust_env=not transport.is_here(url.host),  # no proxy leads to this machine
        limits=httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight),
        **settings,
    )


async def answered(
    client: httpx.AsyncClient | None, method: str, url: httpx.URL, **request: Any
) -> httpx.Response:
    """The answer to one call.

    :raises TryAgain: there is none.
    """
    assert client, "enter the platform before sending"  # noqa: S101
    try:
        return await client.request(method, url, **request)
    except httpx.TransportError as error:  # its text may hold the address's secrets
        raise TryAgain(type(error).__name__) from error


def address(connection: PlatformConnection) -> httpx.URL:
    """Where the account is. People do not travel unencrypted over a network.

    :raises ConfigError: it is no web address, or not encrypted.
    """
    try:
        base = httpx.URL(connection.url)
    except httpx.InvalidURL:
        base = httpx.URL()
    if base.scheme not in ("http", "https") or not base.host:
        raise ConfigError(f"{connection.place} is no web address; it must begin with https://")
    is_insecure = any(
        str(connection.extra.get(name)).lower() == "true" for name in ("insecure", "allow_http")
    )
    if base.scheme == "http" and not transport.is_here(base.host) and not is_insecure:
        raise ConfigError(
            f"{connection.place} is not encrypted; use https, "
            'or set "insecure": true in the connection\'s extra if the network is your own'
        )
    return base
