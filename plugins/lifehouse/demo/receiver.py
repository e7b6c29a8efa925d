"""A marketing platform in small: takes a sync's batches over HTTP and can show what it holds.

    LIFEHOUSE_RECEIVER_TOKEN=... python -m lifehouse.demo.receiver --port-file FILE --state FILE

``POST /batch`` (bearer token)
    ``{"sync": "...", "adds": [{"key": "...", "fields": {...}}], "changes": [...], "removes": [{"key": "..."}]}``
    answers ``{"results": [{"key": "...", "status": "ok"} or {..., "status": "refused", "reason": "..."}]}``, in the
    order adds, changes, removes. Records are keyed: one that comes again replaces itself; removing what is not there
    is ok. A row without key or fields, or with an e-mail without @, is refused. A batch with an ``Idempotency-Key``
    seen before gets its first answer again (422 if its content differs).
``GET /members?sync=...`` count and keys; ``GET /members/{key}?sync=...`` one record; ``GET /syncs`` counts of all.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, Field

from lifehouse.demo.receiver_store import OtherRequest, Store
from lifehouse.demo.serving import Token, serve

_MOST = 10_000


class Batch(BaseModel):
    """The body of ``POST /batch``. Rows are looked at one by one: a bad row refuses itself, not the batch."""

    sync: str = Field(min_length=1)
    adds: list[Any] = []
    changes: list[Any] = []
    removes: list[Any] = []


def create_app(store: Store, token: Token) -> FastAPI:
    """The API of one receiver."""
    app = FastAPI(title="Lifehouse demo receiver", description=__doc__, docs_url=None, redoc_url=None)
    guarded = [Depends(token)]

    @app.get("/")
    def root() -> dict[str, Any]:
        return {
            "service": "Lifehouse demo receiver",
            "note": "A stand-in for a marketing platform, on this machine only.",
        }

    @app.post("/batch", dependencies=guarded)
    def batch(body: Batch, idempotency_key: Annotated[str | None, Header()] = None) -> dict[str, Any]:
        if len(body.adds) + len(body.changes) + len(body.removes) > _MOST:
            raise HTTPException(413, f"at most {_MOST} rows a batch")
        parts = {"adds": body.adds, "changes": body.changes, "removes": body.removes}
        try:
            return store.apply(body.sync, parts, idempotency_key)
        except OtherRequest:
            raise HTTPException(422, "this Idempotency-Key came with another content before") from None

    @app.get("/members", dependencies=guarded)
    def members(sync: str) -> dict[str, Any]:
        keys = store.members(sync)
        return {"sync": sync, "count": len(keys), "keys": keys}

    @app.get("/members/{key:path}", dependencies=guarded)
    def member(sync: str, key: str) -> dict[str, Any]:
        fields = store.member(sync, key)
        if fields is None:
            raise HTTPException(404, "no such member")
        return {"sync": sync, "key": key, "fields": fields}

    @app.get("/syncs", dependencies=guarded)
    def syncs() -> dict[str, dict[str, int]]:
        return store.syncs()

    return app


def main() -> None:
    parser = argparse.ArgumentParser(description="a local receiver for the demo's pushes")
    parser.add_argument("--port-file", type=Path, required=True, help="gets the port once it listens")
    parser.add_argument("--state", type=Path, required=True, help="SQLite file that keeps the members")
    options = parser.parse_args()
    token = Token("LIFEHOUSE_RECEIVER_TOKEN")
    serve(create_app(Store(options.state), token), options.port_file)


if __name__ == "__main__":
    main()
