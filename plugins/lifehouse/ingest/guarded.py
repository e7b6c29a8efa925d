"""HTTP that stays where it was declared to go: no unencrypted leg, no credentials for another host, wherever a page leads."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter

from lifehouse import transport
from lifehouse.errors import ConfigError, SourceError
from lifehouse.ingest.connections import RestConnection


class GuardedAdapter(HTTPAdapter):
    """Looks at each request as it leaves, redirects and links to next pages included."""

    def __init__(self, place: str, connection: RestConnection) -> None:
        super().__init__()
        self.place, self.connection = place, connection
        self.home = _origin(connection.base_url)

    def send(self, request: PreparedRequest, *arguments: Any, **options: Any) -> Response:
        """:raises SourceError: the address is neither encrypted nor on this machine nor declared insecure."""
        url = str(request.url)
        try:
            transport.http(url, self.place, insecure=self.connection.insecure)
        except ConfigError as error:
            raise SourceError(str(error)) from None
        if _origin(url) != self.home:
            for name in ("Authorization", "Cookie", *self.connection.headers):
                request.headers.pop(name, None)
        return super().send(request, *arguments, **options)


def mount_on(session: Session, place: str, connection: RestConnection) -> None:
    """Have all requests of the session looked at."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, GuardedAdapter(place, connection))


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)
