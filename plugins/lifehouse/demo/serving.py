"""What the demo's two small servers share: a free port on loopback, told in a file, and a bearer token."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

import uvicorn
from fastapi import FastAPI, HTTPException, Request


def serve(app: FastAPI, port_file: Path) -> None:
    """Serve ``app`` on 127.0.0.1 until terminated. The port stands in ``port_file`` once connections are taken."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        partial = port_file.with_suffix(".part")
        partial.write_text(str(listener.getsockname()[1]))
        partial.replace(port_file)
        # No access log: addresses may hold personal values.
        config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])


class Token:
    """A FastAPI dependency: lets in whoever brings the bearer token of this environment variable."""

    def __init__(self, variable: str) -> None:
        self.expected = os.environ.get(variable, "")
        if not self.expected:
            raise SystemExit(f"{variable} is not set")

    def __call__(self, request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(given.encode(), self.expected.encode()):
            raise HTTPException(401, "a bearer token is needed")
