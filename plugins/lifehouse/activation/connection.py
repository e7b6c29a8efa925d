"""Where a platform is and how we log in there: an Airflow Connection, without Airflow."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from lifehouse.errors import ConfigError

_PREFIX = "AIRFLOW_CONN_"


@dataclass(frozen=True)
class PlatformConnection:
    """Address and credentials of one platform account. ``repr`` shows none of them but the host."""

    url: str
    login: str | None = None
    secret: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"PlatformConnection({self.place})"

    @property
    def place(self) -> str:
        """Scheme and host, fit to be shown."""
        try:
            parts = urlsplit(self.url)
            return f"{parts.scheme}://{parts.hostname or ''}" + (f":{parts.port}" if parts.port else "")
        except ValueError:
            return "an address that cannot be read"

    @classmethod
    def from_environment(cls, connection_id: str) -> PlatformConnection:
        """The connection in ``AIRFLOW_CONN_<ID>``, in Airflow's JSON or URI form.

        :raises ConfigError: the variable is missing or cannot be read; its content is never shown.
        """
        name = _PREFIX + connection_id.upper()
        text = os.environ.get(name, "").strip()
        if not text:
            raise ConfigError(
                f"connection {connection_id!r} is unknown: set {name} to Airflow's JSON or URI form, "
                'e.g. {"conn_type": "http", "host": "https://api.example.com", "password": "<token>"}'
            )
        try:
            return cls._from_json(json.loads(text)) if text.startswith("{") else cls._from_uri(text)
        except (ValueError, TypeError, AttributeError):
            raise ConfigError(
                f"{name}: is neither a JSON object nor a URI of an Airflow connection"
            ) from None

    @classmethod
    def of_parts(
        cls,
        conn_type: str | None,
        host: str | None,
        port: int | None = None,
        schema: str | None = None,
        login: str | None = None,
        password: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> PlatformConnection:
        """From the fields of an Airflow ``Connection``, read as its HTTP hook does; ``extra["url"]`` wins over the host."""
        extra = dict(extra or {})
        url = extra.pop("url", None)
        host = host or ""
        if not url and "://" in host:
            url = host if port is None or urlsplit(host).port else f"{host.rstrip('/')}:{port}"
        if not url:
            secure = conn_type == "https" or schema == "https"
            scheme = (
                ("https" if secure else "http")
                if conn_type in (None, "", "http", "https", "generic")
                else conn_type
            )
            path = f"/{schema}" if schema and schema not in ("http", "https") else ""
            url = f"{scheme}://{host}" + (f":{port}" if port else "") + path
        return cls(url=url, login=login or None, secret=password or None, extra=extra)

    @classmethod
    def _from_json(cls, data: dict[str, Any]) -> PlatformConnection:
        extra = data.get("extra") or {}
        return cls.of_parts(
            data.get("conn_type"),
            data.get("host"),
            int(data["port"]) if data.get("port") else None,
            data.get("schema"),
            data.get("login"),
            data.get("password"),
            json.loads(extra) if isinstance(extra, str) else extra,
        )

    @classmethod
    def _from_uri(cls, uri: str) -> PlatformConnection:
        parts = urlsplit(uri)
        if not parts.scheme:
            raise ValueError("no scheme")
        extra: dict[str, Any] = dict(parse_qsl(parts.query))
        if "__extra__" in extra:  # where Airflow puts what does not fit into a query
            extra = json.loads(extra["__extra__"])
        host = unquote(parts.hostname or "")
        login = unquote(parts.username) if parts.username else None
        secret = unquote(parts.password) if parts.password else None
        if "://" in host or "url" in extra:
            return cls.of_parts(parts.scheme, host, parts.port, None, login, secret, extra)
        place = parts.netloc.rpartition("@")[2]
        return cls(urlunsplit((parts.scheme, place, parts.path, "", "")), login, secret, extra)
