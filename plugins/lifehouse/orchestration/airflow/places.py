"""Where alerts may go: anywhere encrypted, unencrypted only within this machine."""

from __future__ import annotations

from ipaddress import ip_address

from lifehouse.errors import ConfigError


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its name or number; no name is looked up."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def require_safe(is_encrypted: bool, host: str, what: str) -> None:
    """:raises ConfigError: the host is elsewhere and the way there is not encrypted."""
    if not is_encrypted and not is_loopback(host):
        raise ConfigError(
            f"{what}: alerts leave this machine encrypted only; use https (for mail: TLS) to {host}"
        )
