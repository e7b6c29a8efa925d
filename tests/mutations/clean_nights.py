"""Thirty nights of a real shop (UCI Online Retail), each through every station with the real gates."""

from __future__ import annotations

import os
from pathlib import Path

from lifehouse import run
from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.home import Home
from lifehouse.project import Project
from lifehouse.warehouse.connection import Warehouse
from lifehouse.warehouse.server import EmbeddedServer
from support import online_retail
from support.databases import Databases
from support.online_retail import CLEAN_NIGHTS, PROJECT


def play(home: Path) -> list[str]:
    """Every alarm of the nights: what a gate said did not hold, what was set aside, what was not published."""
    server = EmbeddedServer(Home(home))
    databases = Databases(server)
    databases.create_template()
    folder = home / "feed"
    folder.mkdir(exist_ok=True)
    os.environ["ONLINE_RETAIL_FOLDER"] = str(folder)
    (home / "online_retail").mkdir(exist_ok=True)
    ctx = Context(Home(home / "online_retail"), Project(PROJECT))
    vars(ctx)["warehouse"] = Warehouse(databases.create())
    troubles = []
    for file in online_retail.unpack(home / "archive")[:CLEAN_NIGHTS]:
        online_retail.drop(file, folder)
        try:
            night = run.night(ctx, online_retail.as_of(file))
            troubles += night.problems
            if night.status != "published":
                troubles.append(f"{file.stem}: {night.status}")
        except LifehouseError as error:
            troubles.append(f"{file.stem}: {error}")
    return troubles + online_retail.alarms(ctx)
