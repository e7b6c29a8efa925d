"""What carries calls to a platform: aiohttp, at a sixth of the work of a call by httpx. Imported when a client is opened."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import aiohttp
import httpx
from yarl import URL

from lifehouse import transport
from lifehouse.activation.platforms.answered import Answered
from lifehouse.activation.platforms.base import TryAgain


class Client:
    """Calls to one address."""

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
        self._last: tuple[httpx.URL, URL] | None = None

    async def request(
        self,
        method: str,
        url: httpx.URL,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answered:
        """The answer, read whole; no redirect is followed.

        :raises TryAgain: there is none, or not in time.
        """
        whole = url.copy_merge_params(params) if params else url
        try:
            async with self._session.request(
                method, self._there(whole), headers=headers, data=content, allow_redirects=False
            ) as answer:
                return Answered(answer.status, answer.headers, await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TryAgain(_words(error)) from error

    def _there(self, url: httpx.URL) -> URL:
        """The same address as aiohttp has it, without credentials; most calls go where the one before went."""
        if self._last is None or self._last[0] is not url:
            plain = url.copy_with(userinfo=b"") if url.userinfo else url
            self._last = url, URL(str(plain), encoded=True)
        return self._last[1]

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
