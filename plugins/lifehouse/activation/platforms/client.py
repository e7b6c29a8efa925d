"""The HTTP client of a platform account: where it is, how many calls it makes at once, what a lost answer means."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import aiohttp
import httpx
from yarl import URL

from lifehouse import transport
from lifehouse.activation import pace
from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.platforms.base import TryAgain
from lifehouse.errors import ConfigError


class Client:
    """Calls to one address. Requests and answers speak httpx; aiohttp carries them, at a sixth of the work of a call."""

    def __init__(
        self,
        url: httpx.URL,
        in_flight: int,
        *,
        timeout: float,
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        who = auth or ((url.username, url.password) if url.userinfo else None)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=in_flight, ssl=httpx.create_ssl_context() if url.scheme == "https" else True
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=timeout, sock_read=timeout),
            trust_env=not transport.is_here(url.host),  # no proxy leads to this machine
            headers={"User-Agent": "lifehouse", **(headers or {}), **(_basic(*who) if who else {})},
        )

    async def request(
        self,
        method: str,
        url: httpx.URL,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """The answer, read whole; no redirect is followed.

        :raises aiohttp.ClientError: there is none. :raises TimeoutError: not in time.
        """
        whole = url.copy_with(userinfo=b"") if url.userinfo else url
        if params:
            whole = whole.copy_merge_params(params)
        sent = self._session.request(
            method, URL(str(whole), encoded=True), headers=headers, data=content, allow_redirects=False
        )
        async with sent as answer:
            said = [
                (name, value)
                for name, value in answer.raw_headers
                if name.lower()
                not in (b"content-encoding", b"transfer-encoding")  # of what was decoded already
            ]
            return httpx.Response(answer.status, headers=said, content=await answer.read())

    async def aclose(self) -> None:
        await self._session.close()


def _words(error: Exception) -> str:
    """What went wrong; the error's own text may hold the address's secrets."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "a certificate that nobody vouches for"
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return "no connection"
    return "no answer in time" if isinstance(error, TimeoutError) else "the connection broke"


def _basic(login: str, secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{login}:{secret}'.encode()).decode()}"}


def opened(url: httpx.URL, in_flight: int, *, timeout: float, **settings: Any) -> Client:
    """A client for calls to the address, ``in_flight`` at once; ``timeout`` in seconds."""
    return Client(url, in_flight, timeout=timeout, **settings)


async def answered(client: Client | None, method: str, url: httpx.URL, **request: Any) -> httpx.Response:
    """The answer to one call.

    :raises TryAgain: there is none.
    """
    assert client, "enter the platform before sending"  # noqa: S101
    await pace.turn()
    try:
        return await client.request(method, url, **request)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise TryAgain(_words(error)) from error


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
