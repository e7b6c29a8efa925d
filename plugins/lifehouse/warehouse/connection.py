"""Connections to the warehouse: the embedded server, or any Postgres 16+ that ``LIFEHOUSE_WAREHOUSE_URL`` names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.rows import dict_row

from lifehouse import transport
from lifehouse.errors import WarehouseError
from lifehouse.home import Home
from lifehouse.redaction import without_values
from lifehouse.warehouse import control, kept, roles
from lifehouse.warehouse.server import EmbeddedServer

MINIMUM_VERSION = 160000


@dataclass(frozen=True)
class Warehouse:
    """One Postgres database. ``url`` holds the password: never print it; off this machine it asks for TLS by itself.

    With a ``role`` every connection acts as that role from its start (:meth:`as_role`); without, as the URL's user.
    """

    url: str
    role: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", transport.postgres(self.url))

    @classmethod
    def current(cls, home: Home) -> Warehouse:
        """The warehouse of this home, reachable and with an up-to-date control schema.

        :raises WarehouseError: it cannot be reached, or is older than Postgres 16.
        """
        warehouse = cls(os.environ.get("LIFEHOUSE_WAREHOUSE_URL") or EmbeddedServer(home).url)
        with warehouse.connect() as connection:
            if connection.info.server_version < MINIMUM_VERSION:
                raise WarehouseError(
                    f"the warehouse is Postgres {connection.info.server_version // 10000}; 16 or newer is needed"
                )
            control.migrate(connection)
        warehouse.has_roles  # noqa: B018  made here, before somebody asks for the marts as a member of one
        return warehouse

    @cached_property
    def has_roles(self) -> bool:
        """Whether stations can act as roles of few rights; made here if this user may. Asked once an object."""
        with replace(self, role=None).connect(autocommit=True) as connection:
            return roles.ensure(connection)

    def as_role(self, role: str | None) -> Warehouse:
        """The same warehouse with connections that act as ``role``; None: as the URL's user, who may do everything.

        Where roles cannot be made, that user does all the work (``lifehouse doctor`` says so).
        """
        return replace(self, role=role if role and self.has_roles else None)

    def connect(self, *, autocommit: bool = False) -> psycopg.Connection[Any]:
        """A connection in UTC. Without ``autocommit``, leaving the ``with`` block commits, an exception rolls back."""
        try:
            return psycopg.connect(
                self.url,
                autocommit=autocommit,
                options=" ".join(("-c timezone=UTC", *self._options)),
                application_name="lifehouse",
            )
        except psycopg.OperationalError as error:
            place = self.parameters
            raise WarehouseError(
                f"cannot reach the warehouse at {place.get('host')}:{place.get('port')}: {without_values(str(error))}"
            ) from None

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Within the block short statements share one connection: to make one takes longer than most of them do."""
        with kept.keeping(self, lambda: self.connect(autocommit=True)):
            yield

    def rows(self, query: str, parameters: Any = None) -> list[dict[str, Any]]:
        """All rows of a short query as dictionaries."""
        with self._short() as connection, connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, parameters).fetchall()

    def value(self, query: str, parameters: Any = None) -> Any:
        """The first column of the first row, or None."""
        with self._short() as connection:
            row = connection.execute(query, parameters).fetchone()
            return row[0] if row else None

    def execute(self, query: str, parameters: Any = None) -> int:
        """Run one statement in a transaction of its own; the number of rows it touched."""
        with self._short() as connection:
            return connection.execute(query, parameters).rowcount

    @contextmanager
    def _short(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection for one short statement."""
        short = kept.connection(self)
        if short is not None:
            yield short
            return
        with self.connect() as connection:
            yield connection

    @property
    def parameters(self) -> dict[str, Any]:
        """host, port, user, password, dbname of the address."""
        return dict(transport.libpq(self.url))

    @property
    def role_url(self) -> str:
        """The address whose connections act as the role, for programs that take no more than an address."""
        if not self._options:
            return self.url
        parts = urlsplit(self.url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        query["options"] = " ".join(filter(None, (query.get("options"), *self._options)))
        return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote)))

    @property
    def sqlalchemy_url(self) -> str:
        """The address for SQLAlchemy with psycopg 3."""
        return "postgresql+psycopg://" + self.role_url.split("://", 1)[1]

    @property
    def _options(self) -> tuple[str, ...]:
        return (f"-crole={self.role}",) if self.role else ()
