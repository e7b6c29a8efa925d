"""A tiny company on any warehouse, and people who log in to it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from lifehouse.context import Context
from lifehouse.home import Home
from lifehouse.project import Project
from lifehouse.warehouse.connection import Warehouse
from support.tiny import ANN, BEN, CAM, TINY, Company, sale

Login = Callable[..., psycopg.Connection[Any]]


def found(root: Path, url: str) -> Company:
    """A tiny company on an empty warehouse, with three people and two sales in its folder."""
    folder, home = root / "feed", Home(root / "home")
    folder.mkdir(parents=True)
    home.path.mkdir(mode=0o711)
    os.environ["TINY_FOLDER"] = str(folder)
    ctx = Context(home, Project(TINY))
    vars(ctx)["warehouse"] = Warehouse(url)  # the cached property, preset
    company = Company(ctx, folder)
    company.people("all", [ANN, BEN, CAM])
    company.lines("2024-01-05", [sale("o1", "p1", "2024-01-05", 10), sale("o2", "p2", "2024-01-05", 7)])
    return company
