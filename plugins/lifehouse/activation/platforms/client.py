"""The HTTP client of a platform account: where it is, how many calls it makes at once, what a lost answer means."""

from __future__ import annotations

import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lifehouse import transport
from lifehouse.activation import pace
from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.platforms.lean import httpx
from lifehouse.errors import ConfigError

if TYPE_CHECKING:
    from lifehouse.activation.platforms.answered import Answered
    from lifehouse.activation.platforms.carrier import Client


def opened(url: httpx.URL, in_flight: int, *, timeout: float, **settings: Any) -> Client:
    """A client for calls to the address, ``in_flight`` at once; ``timeout`` in seconds."""
    return _carrier().Client(url, in_flight, timeout=timeout, **settings)


def prepare() -> None:
    """Have what carries the calls imported beside what the warehouse is asked for first."""
    threading.Thread(target=_carrier, daemon=True).start()


def _carrier() -> Any:
    return import_module("lifehouse.activation.platforms.carrier")


async def answered(client: Client | None, method: str, url: httpx.URL, **request: Any) -> Answered:
    """The answer to one call.

    :raises TryAgain: there is none.
    """
    assert client, "enter the platform before sending"  # noqa: S101
    await pace.turn()
    return await client.request(method, url, **request)


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
