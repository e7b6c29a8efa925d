"""The simulated CRM and engagement platform over HTTP. A simulator of the project's own: all in it is invented.

    LIFEHOUSE_CRM_TOKEN=... python -m lifehouse.demo.crm_server --port-file FILE --state FILE

Lists (bearer token): ``/contacts``, ``/interactions`` and so on, one for each table, sorted by (updated_at, key), with
``updated_since`` (inclusive) and ``limit``; ``next`` is the address of the following page or null. A page that was
read stays as it is while the CRM changes: whatever changes moves to the end of the list.
``POST /demo/as_of {"as_of": "2017-12-30"}`` turns the clock on: the CRM shows what it held at that instant.
"""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from pydantic import BaseModel

from lifehouse.demo import crm, engage, package
from lifehouse.demo.nights import NIGHTS, instant
from lifehouse.demo.serving import Token, serve


class Clock(BaseModel):
    """The body of ``POST /demo/as_of``: an instant with a zone, or a day."""

    as_of: str


class Desk:
    """The CRM at its clock; the clock survives in ``state``."""

    def __init__(self, world: crm.World, state: Path) -> None:
        self.world, self.state = world, state
        saved = json.loads(state.read_text())["as_of"] if state.exists() else NIGHTS[0].isoformat()
        self.as_of = instant(saved)
        self.tables = world.at(self.as_of)

    def turn(self, as_of: datetime) -> None:
        """Forward only, like the shop: what was once told is not taken back."""
        if as_of <= self.as_of:
            return
        self.tables = self.world.at(as_of)
        self.as_of = as_of
        self.state.write_text(json.dumps({"as_of": as_of.isoformat()}))

    def page(
        self, table: str, since: datetime | None, after: tuple[datetime, int] | None, limit: int
    ) -> list[crm.Record]:
        """``limit`` records and one more, if there are that many."""
        key = self.world.keys[table]
        rows = self.tables[table]
        if since:
            rows = [row for row in rows if row["updated_at"] >= since]
        if after:
            rows = [row for row in rows if (row["updated_at"], row[key]) > after]
        return rows[: limit + 1]


def create_app(desk: Desk, token: Token) -> FastAPI:
    """The API of one simulated CRM."""
    app = FastAPI(title="Simulated CRM", description=__doc__, docs_url=None, redoc_url=None)
    guarded = [Depends(token)]

    @app.get("/")
    def root() -> dict[str, Any]:
        return {
            "service": "Lifehouse demo CRM",
            "simulator": True,
            "note": "A seeded simulator: all people, and all that is told of them, are invented.",
            "lists": [f"/{table}" for table in desk.world.keys],
            "as_of": desk.as_of.isoformat(),
        }

    @app.post("/demo/as_of", dependencies=guarded)
    def turn(clock: Clock) -> dict[str, Any]:
        desk.turn(_instant(clock.as_of))
        return {
            "as_of": desk.as_of.isoformat(),
            "records": {table: len(rows) for table, rows in desk.tables.items()},
        }

    @app.get("/{table}", dependencies=guarded)
    def read(
        request: Request,
        table: str,
        updated_since: str | None = None,
        after: str | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 500,
    ) -> Response:
        if table not in desk.world.keys:
            raise HTTPException(404, f"no list {table!r}; there are: {', '.join(desk.world.keys)}")
        since = _instant(updated_since) if updated_since else None
        rows = desk.page(table, since, _after(after) if after else None, limit)
        more = len(rows) > limit
        rows = rows[:limit]
        following = None
        if more:
            last = f"{rows[-1]['updated_at'].isoformat()}|{rows[-1][desk.world.keys[table]]}"
            following = str(request.url.include_query_params(after=last))
        page = json.dumps({"results": rows, "next": following}, default=datetime.isoformat)
        return Response(page, media_type="application/json")

    return app


def _instant(text: str) -> datetime:
    try:
        return instant(text.replace(" ", "+"))  # an unescaped plus sign arrives as a space
    except ValueError as error:
        raise HTTPException(422, f"not an instant with a zone, nor a day: {error}") from None


def _after(text: str) -> tuple[datetime, int]:
    at, _, key = text.partition("|")
    try:
        return _instant(at), int(key)
    except ValueError:
        raise HTTPException(422, "after: not a place in this list") from None


def main() -> None:
    parser = argparse.ArgumentParser(description="the simulated CRM of the demo company")
    parser.add_argument("--port-file", type=Path, required=True, help="gets the port once it listens")
    parser.add_argument("--state", type=Path, required=True, help="JSON file that keeps the clock")
    parser.add_argument("--households", type=int, help="only a sample of the shop's households")
    options = parser.parse_args()
    token = Token("LIFEHOUSE_CRM_TOKEN")
    sample = package.read(options.households).households if options.households else None
    systems = (crm.build(sample), engage.build(sample))
    world = crm.World(
        {table: records for system in systems for table, records in system.tables.items()},
        {table: key for system in systems for table, key in system.keys.items()},
    )
    serve(create_app(Desk(world, options.state), token), options.port_file)


if __name__ == "__main__":
    main()
