"""One small shop that plays the three nights, and one that holds the whole year; both made once a session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from lifehouse.demo import shop
from lifehouse.demo.nights import NIGHTS

HOUSEHOLDS = 120


@dataclass
class Shop:
    """A shop's database and what each night wrote."""

    url: str
    written: list[dict[str, int]]

    def rows(self, query: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, options="-c timezone=UTC") as connection:
            return connection.execute(query, parameters).fetchall()


@pytest.fixture(scope="session")
def played(databases: Any) -> Iterator[list[Shop]]:
    """The same sample after the first, second and third night: three databases."""
    made: list[Shop] = []
    for number in range(1, len(NIGHTS) + 1):
        url = databases.create(template=None)
        made.append(Shop(url, [shop.advance(url, night, households=HOUSEHOLDS) for night in NIGHTS[:number]]))
    yield made
    for one in made:
        databases.drop(one.url)
