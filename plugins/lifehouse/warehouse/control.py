"""The control schema: numbered SQL files, applied once each, in order, under a lock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 7_405_001  # advisory lock: one migration at a time


def migrate(connection: psycopg.Connection[Any]) -> list[str]:
    """Apply the migrations that this warehouse has not seen; returns their names. Commits."""
    files = sorted(MIGRATIONS.glob("*.sql"))
    exists = connection.execute("select to_regclass('control.migrations') is not null").fetchone()
    if exists and exists[0]:
        done = {row[0] for row in connection.execute("select name from control.migrations")}
        if all(file.name in done for file in files):
            connection.commit()
            return []
    connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
    connection.execute("create schema if not exists control")
    connection.execute(
        "create table if not exists control.migrations (name text primary key, applied_at timestamptz not null default now())"
    )
    done = {row[0] for row in connection.execute("select name from control.migrations")}
    fresh = [file for file in files if file.name not in done]
    for file in fresh:
        connection.execute(file.read_bytes())
        connection.execute("insert into control.migrations (name) values (%s)", (file.name,))
    connection.commit()
    return [file.name for file in fresh]
