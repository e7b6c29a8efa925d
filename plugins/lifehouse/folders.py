"""Folders of files, on this machine or elsewhere (whatever fsspec opens): reached for one piece of work, left after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from lifehouse import transport
from lifehouse.errors import ConfigError, LifehouseError
from lifehouse.transport import shown

__all__ = ["FolderRefused", "is_there", "opened", "shown", "whole_file"]

#: Where a rename is a copy, folders are but names, and a file appears when its upload is complete.
_WHOLE_OBJECTS = {"s3", "s3a", "gcs", "gs", "abfs", "az"}
_REFUSALS = {
    "paramiko.AuthenticationException": "the server takes neither our password nor our key",
    "paramiko.BadHostKeyException": "the server's host key is not the one that is pinned",
    "paramiko.PasswordRequiredException": "the private key needs its passphrase",
    "botocore.NoCredentialsError": "no credentials are given",
    "botocore.PartialCredentialsError": "the credentials are not complete",
}
_PLAIN = ("http", "ftp")
_FAILURES = {"paramiko.SSHException", "botocore.BotoCoreError", "aiohttp.ClientError", "builtins.EOFError"}


class FolderRefused(LifehouseError):
    """The folder's server does not let us in, or is not the one we know: trying again is no use."""


@contextmanager
def opened(url: str, settings: Mapping[str, Any]) -> Iterator[tuple[Any, str]]:
    """The file system and the folder's path in it. Nothing is remembered from an earlier visit: neither connection nor listing.

    :raises FolderRefused: address, options, credentials or host key are wrong.
    :raises OSError: everything else that a server does not do.
    """
    system = None
    try:
        system, root = _connected(url, settings)
        yield system, root.rstrip("/")
    except Exception as error:
        names = {f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in type(error).__mro__}
        if refusal := next((words for name, words in _REFUSALS.items() if name in names), None):
            raise FolderRefused(f"{shown(url)}: {refusal}") from None
        if names & _FAILURES:
            raise ConnectionError(f"{type(error).__name__} at {shown(url)}") from error
        raise
    finally:
        if client := getattr(system, "client", None):
            client.close()


def _connected(url: str, settings: Mapping[str, Any]) -> tuple[Any, str]:
    settings = dict(settings)
    is_insecure = str(settings.pop("insecure", False)).lower() == "true"
    try:
        if not is_insecure:
            _require_encryption(url, settings)
        if url.partition("://")[0] in ("sftp", "ssh"):
            from lifehouse.sftp import PinnedSftp  # noqa: PLC0415

            return PinnedSftp.of_url(url, settings)
        from fsspec import url_to_fs  # noqa: PLC0415  most commands open no folder

        return url_to_fs(url, skip_instance_cache=True, **settings)
    except ImportError:
        raise FolderRefused(
            f"{shown(url)}: what opens it is not installed (the extras are s3 and sftp)"
        ) from None
    except ConfigError as error:
        raise FolderRefused(f"{shown(url)}: {error}") from None
    except (TypeError, ValueError) as error:
        raise FolderRefused(
            f"{shown(url)}: no file system opens this address with these options ({type(error).__name__})"
        ) from None


def _require_encryption(url: str, settings: Mapping[str, Any]) -> None:
    """:raises ConfigError: files would travel unencrypted to or from another machine."""
    scheme, place = url.partition("://")[0], urlsplit(url)
    inner = settings.get("client_kwargs")
    endpoints = [
        settings.get("endpoint_url"),
        inner.get("endpoint_url") if isinstance(inner, Mapping) else None,
    ]
    for endpoint in filter(None, endpoints):
        transport.http(str(endpoint), "endpoint_url")
    is_plain = scheme in _PLAIN or (
        str(settings.get("use_ssl", True)).lower() == "false" and not any(endpoints)
    )
    host = place.hostname if scheme in _PLAIN else "elsewhere"
    if is_plain and not transport.is_here(host or str(settings.get("host", ""))):
        raise ConfigError(
            f"files would travel unencrypted over {scheme}; use sftp://, https:// or s3://, "
            "or declare the option `insecure: true` if the network is your own"
        )


def is_there(system: Any, root: str) -> bool:
    """Whether the folder exists. In a bucket that exists every folder does, however empty."""
    try:
        system.info(root)
    except FileNotFoundError:
        bucket = root.partition("/")[0]
        return _keeps_whole_objects(system) and bucket != root and is_there(system, bucket)
    return True


@contextmanager
def whole_file(system: Any, path: str) -> Iterator[Any]:
    """A file to write bytes to, which appears at ``path`` when it is complete, and not at all if anything fails before.

    In a bucket the upload is only then concluded; elsewhere a hidden ``.<name>.part`` is renamed, and removed on failure.
    """
    folder, _, name = path.rpartition("/")
    is_object = _keeps_whole_objects(system)
    place = path if is_object else f"{folder}/.{name}.part"
    if not is_object:
        system.makedirs(folder, exist_ok=True)
    raw = system.open(place, "wb")
    try:
        yield raw
        size = raw.tell()
        raw.close()
        if not is_object:
            if (arrived := system.info(place)["size"]) != size:
                raise OSError(f"{arrived:,} of {size:,} bytes arrived")
            system.mv(place, path)
    except BaseException:
        if is_object:
            _discard(raw)
        else:
            with suppress(Exception):
                raw.close()
            with suppress(Exception):
                system.rm_file(place)
        raise


def _discard(upload: Any) -> None:
    """Forget an upload. It counts as closed before, since to close one is to conclude it."""
    with suppress(Exception):
        upload.discard()
    upload.closed = True


def _keeps_whole_objects(system: Any) -> bool:
    protocols = {system.protocol} if isinstance(system.protocol, str) else set(system.protocol)
    return bool(protocols & _WHOLE_OBJECTS)
