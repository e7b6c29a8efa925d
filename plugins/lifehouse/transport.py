"""How other systems are reached: encrypted, unless they are on this machine; and shown without what is secret in an address.

Every connection that the house makes passes here: the warehouse, databases, HTTP APIs, folders, platforms.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from lifehouse.errors import ConfigError

_LIBPQ = re.compile(r"^postgres(?:ql)?(?:\+psycopg2?)?://")
#: Modes of libpq under which a connection may end up unencrypted.
_WEAK = ("disable", "allow", "prefer")


def is_here(host: str | None) -> bool:
    """Whether a host is this machine: loopback, a Unix socket, or none named at all."""
    if not host or host.startswith(("/", "@")):
        return True
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def shown(url: str) -> str:
    """An address without user, password, query and fragment; safe also for one that is malformed."""
    head, separator, tail = url.partition("://")
    if not separator:
        return url
    return f"{head}://{re.split('[?#]', tail.rsplit('@', 1)[-1], maxsplit=1)[0]}"


def postgres(url: str) -> str:
    """The address with ``sslmode=require``, unless the server is on this machine or the address (or PGSSLMODE) has a mode.

    Takes what libpq and SQLAlchemy's psycopg drivers take.

    :raises ConfigError: it is no such address; the message does not quote it.
    """
    parameters = libpq(url)
    if parameters.get("sslmode") or os.environ.get("PGSSLMODE") or all(map(is_here, _hosts(parameters))):
        return url
    if not _LIBPQ.match(url):
        return make_conninfo(url, sslmode="require")
    return f"{url}{'&' if '?' in url else '?'}sslmode=require"


def libpq(url: str) -> dict[str, str]:
    """The parameters of a Postgres address: host, port, user, password, dbname, sslmode...

    :raises ConfigError: it cannot be read; the message does not quote it.
    """
    try:
        parsed = conninfo_to_dict(_LIBPQ.sub("postgresql://", url))
        if not re.fullmatch(r"[\d,]*", str(parsed.get("port") or "")):
            raise psycopg.ProgrammingError
    except psycopg.Error:
        raise ConfigError(
            "the address of a Postgres database cannot be read; it looks like postgresql://user:password@host:5432/name, "
            "with characters such as @ : / ? # % in a password written as %40 and so on"
        ) from None
    return {name: str(value) for name, value in parsed.items() if value is not None}


def weakness(url: str) -> str | None:
    """Why a connection to this Postgres may be read on its way, in words; None where it cannot."""
    parameters = libpq(postgres(url))
    mode = parameters.get("sslmode") or os.environ.get("PGSSLMODE")
    if mode in _WEAK and not all(map(is_here, _hosts(parameters))):
        return f"sslmode={mode}: the connection to {', '.join(_hosts(parameters))} may be unencrypted"
    return None


def http(url: str, what: str, *, insecure: bool = False) -> str:
    """The address itself, if it is https, on this machine, or declared ``insecure``.

    :raises ConfigError: anything else.
    """
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
        host = parts.hostname
    except ValueError:
        is_address, host = False, None
    if not is_address:
        raise ConfigError(f"{what}: {shown(url)!r} is no address; it must begin with https://")
    if parts.scheme == "http" and not insecure and not is_here(host):
        raise ConfigError(
            f"{what}: {shown(url)} is not encrypted; use https, or declare `insecure: true` if the network is your own"
        )
    return url


def _hosts(parameters: dict[str, str]) -> Iterator[str]:
    """Where libpq would go."""
    named = parameters.get("hostaddr") or parameters.get("host") or os.environ.get("PGHOST") or ""
    return iter(named.split(","))
