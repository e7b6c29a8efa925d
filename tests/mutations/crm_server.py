"""The demo's CRM as a corrupted night finds it: its tables stand in a database, where SQL can reach them.

The same lists over HTTP as :mod:`lifehouse.demo.crm_server` gives, read from the schema ``crm``, and two faults
of the wire: *cut* breaks every answer off in the middle, *empty* answers empty lists.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg

from lifehouse.demo import crm, package

TABLES = tuple(crm.KEYS)


@cache
def _world(households: int) -> crm.World:
    return crm.build(package.read(households).households)


def advance(url: str, as_of: datetime, households: int) -> None:
    """Bring the schema ``crm`` to what the simulated CRM held at ``as_of``."""
    held = _world(households).at(as_of)
    with psycopg.connect(url, options="-c timezone=UTC -c client_min_messages=warning") as connection:
        connection.execute("drop schema if exists crm cascade")
        connection.execute("create schema crm")
        for table, records in held.items():
            columns = {name: _type(name, records) for name in records[0]}
            key = crm.KEYS[table]
            listed = ", ".join(
                f"{name} {kind}" + (" not null" if name == key else "") for name, kind in columns.items()
            )
            connection.execute(f"create table crm.{table} ({listed})")
            with connection.cursor().copy(f"copy crm.{table} from stdin") as copy:
                for record in records:
                    copy.write_row([record[name] for name in columns])


def _type(name: str, records: list[dict[str, Any]]) -> str:
    value = next((record[name] for record in records if record[name] is not None), "")
    if isinstance(value, datetime):
        return "timestamptz"
    return "bigint" if isinstance(value, int) else "text"


@contextmanager
def serving(url: str, wire: str = "") -> Iterator[str]:
    """The address of an API on the CRM at ``url``, while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            where = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(where.query).items()}
            address = f"http://{self.headers['Host']}{where.path}"
            body = json.dumps(_answer(url, where.path.strip("/"), asked, address, wire)).encode()
            if wire == "cut":
                body = body[: len(body) // 2]
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: addresses may hold personal values."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(url: str, table: str, asked: dict[str, str], address: str, wire: str) -> dict[str, Any]:
    if table not in TABLES:
        raise ValueError(f"no list {table!r}")
    limit, skip = int(asked.get("limit", 500)), int(asked.get("skip", 0))
    since = asked.get("updated_since", "-infinity").replace(" ", "+")
    with psycopg.connect(url, options="-c timezone=UTC") as connection:
        rows = connection.execute(
            f"select to_jsonb(records) from crm.{table} as records where updated_at >= %s "
            "order by updated_at, records::text limit %s offset %s",
            (since, limit + 1, skip),
        ).fetchall()
    if wire == "empty":
        rows = []
    following = None
    if len(rows) > limit:
        following = f"{address}?limit={limit}&skip={skip + limit}"
        following += f"&updated_since={asked['updated_since']}" if "updated_since" in asked else ""
    return {"results": [row[0] for row in rows[:limit]], "next": following}
