"""Prism, which serves a vendor's API contract and refuses what it does not allow."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from support.environments import Unavailable
from support.node import installed
from support.remote import free_port

PRISM = "@stoplight/prism-cli@5.14.2"


def prepared() -> Path:
    """:raises Unavailable: it cannot be installed."""
    return installed("prism", PRISM) / ".bin" / "prism"


def installed_prism() -> Path:
    """Prism, from npm's registry; skips where there is no Node or no way to the registry."""
    try:
        return prepared()
    except Unavailable as reason:
        pytest.skip(str(reason))


@contextmanager
def serving(prism: Path, file: Path) -> Iterator[str]:
    """The address of a server that answers as the contract says, and with 4xx to what it does not allow."""
    port = free_port()
    command = [str(prism), "mock", "-h", "127.0.0.1", "-p", str(port), str(file)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while not _is_prism(port):  # while it starts, somebody else may have taken the port
            assert time.monotonic() < until, "Prism did not start"
            assert process.poll() is None, "Prism ended"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _is_prism(port: int) -> bool:
    """Whether Prism is what answers: to a path that no contract knows, in its own words."""
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/nobody-knows-this-path", trust_env=False)
        return "stoplight.io/prism" in answer.text
    except httpx.TransportError:
        return False
