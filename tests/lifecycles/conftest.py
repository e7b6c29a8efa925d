"""One connection with an empty timeline for all lifecycle tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from lifecycles.warehouse import create_timeline


@pytest.fixture(scope="session")
def timeline(databases: Any) -> Iterator[psycopg.Connection[Any]]:
    """A connection, in a zone with daylight saving (answers must not depend on it), with ``customer_events``."""
    url = databases.create()
    with psycopg.connect(url, autocommit=True, options="-c timezone=America/New_York") as connection:
        create_timeline(connection)
        yield connection
    databases.drop(url)
