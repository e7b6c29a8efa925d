"""SFTP to servers that we know: a host key is pinned, in ``known_hosts``, or refused."""

from __future__ import annotations

import base64
import inspect
import io
import os
from collections.abc import Mapping
from typing import Any, NoReturn, Self

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem

from lifehouse.errors import ConfigError
from lifehouse.folders import FolderRefused

_ALIASES = {  # as Airflow's SSH and SFTP connections call them
    "key_file": "key_filename",
    "private_key_passphrase": "passphrase",
    "conn_timeout": "timeout",
}
_KEYS = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


class PinnedSftp(SFTPFileSystem):
    """fsspec's file system, which by itself would accept any server.

    Options beside paramiko's: ``host_key`` (a public key, or a list of them: no other is accepted), ``known_hosts`` (a file;
    without it the user's own), ``no_host_key_check`` (true accepts any server), ``private_key`` (its text), ``timeout`` (seconds
    to connect, and of silence; 30).
    """

    cachable = False

    @classmethod
    def of_url(cls, url: str, settings: Mapping[str, Any]) -> tuple[Self, str]:
        """The connected file system and the path in the URL. ``settings`` win over what the URL says."""
        parts = cls._get_kwargs_from_urls(url)
        named = {_ALIASES.get(name, name): value for name, value in settings.items()}
        return cls(**{**parts, **named}), cls._strip_protocol(url)

    def _connect(self) -> None:
        options = dict(self.ssh_kwargs)
        pinned, known = options.pop("host_key", None), options.pop("known_hosts", None)
        is_open = str(options.pop("no_host_key_check", False)).lower() == "true"
        timeout = float(options.pop("timeout", 30))
        options["port"] = port = int(options.get("port", 22))
        if text := options.pop("private_key", None):
            options["pkey"] = _private_key(text, options.get("passphrase"))
        _check_names(options)
        is_explicit = bool(options.keys() & {"password", "pkey", "key_filename"})
        for name in ("allow_agent", "look_for_keys"):
            options.setdefault(name, not is_explicit)

        self.client = paramiko.SSHClient()
        self.client.set_missing_host_key_policy(
            paramiko.AutoAddPolicy() if is_open and not pinned else _Refusal()
        )
        for line in [pinned] if isinstance(pinned, str) else pinned or []:
            key = _public_key(line)
            name = self.host if port == 22 else f"[{self.host}]:{port}"
            self.client.get_host_keys().add(name, key.get_name(), key)
        if not pinned and not is_open:
            self.client.load_system_host_keys(os.path.expanduser(known) if known else None)
        waits = dict.fromkeys(("timeout", "banner_timeout", "auth_timeout"), timeout)
        try:
            self.client.connect(self.host, **waits, **options)
            self.ftp = self.client.open_sftp()
            self.ftp.get_channel().settimeout(timeout)
        except BaseException:
            self.client.close()
            raise

    def _open(self, path: str, mode: str = "rb", block_size: int | None = None, **options: Any) -> Any:
        """Many packets at once on their way: the size is what says whether all arrived."""
        file = super()._open(path, mode, block_size, **options)
        if "w" in mode:
            file.set_pipelined(True)
        else:
            file.prefetch(max_concurrent_requests=64)
        return file


class _Refusal(paramiko.MissingHostKeyPolicy):
    """Tells the fingerprint, so that a person can compare and pin it."""

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> NoReturn:
        raise FolderRefused(
            f"the SFTP server {hostname} shows an unknown host key, {key.get_name()} {key.fingerprint}; "
            "if it is the right one, pin it in the connection: host_key, or known_hosts"
        )


def _check_names(options: dict[str, Any]) -> None:
    unknown = options.keys() - inspect.signature(paramiko.SSHClient.connect).parameters.keys()
    if unknown:
        raise ConfigError(f"an SFTP connection has no option {', '.join(sorted(unknown))}")


def _public_key(line: str) -> Any:
    """From ``ssh-ed25519 AAAA...``, a line of ``known_hosts``, or the bare Base64."""
    for word in line.split():
        if word.startswith("AAAA"):
            try:
                blob = base64.b64decode(word, validate=True)
                return paramiko.PKey.from_type_string(paramiko.Message(blob).get_text(), blob)
            except (ValueError, paramiko.SSHException):
                break
    raise ConfigError("host_key is no public key, like: ssh-ed25519 AAAA...")


def _private_key(text: str, passphrase: str | None) -> Any:
    for kind in _KEYS:
        try:
            return kind.from_private_key(io.StringIO(text), passphrase)
        except paramiko.PasswordRequiredException:
            raise
        except (ValueError, IndexError, paramiko.SSHException):
            continue
    raise ConfigError("private_key is no Ed25519, ECDSA or RSA key, or its passphrase is another")
