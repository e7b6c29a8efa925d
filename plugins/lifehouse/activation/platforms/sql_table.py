"""A table of a Postgres database of somebody else's: a row a person, found by a unique column.

A batch is one transaction of at most two statements: who goes is deleted, who comes or changes is inserted or updated by
the key. Values are cast to the column's types there. In mode append rows are only inserted; a unique column takes an
identifier of sync and person, so that a repeated batch adds nobody twice.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql
from pydantic import Field

from lifehouse import transport
from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.platforms.base import (
    Answer,
    Batch,
    BatchRefused,
    Capabilities,
    Row,
    TryAgain,
)
from lifehouse.activation.platforms.listing import Members, Page
from lifehouse.config import Strict
from lifehouse.errors import ConfigError, PlatformError

_IDENTIFIER = r"^[^\s.\"\x00]{1,63}$"
_ONCE = uuid.UUID("5b1a9a3e-0d6c-5f0e-9c1b-2f6f5d3f6a10")
#: Classes of SQLSTATE: something in the rows, and what passes.
_OF_ROWS, _PASSES = {"21", "22", "23", "44", "P0"}, {"08", "40", "53", "55", "57", "58", "XX"}
_LISTING = Members(path="/", at="members", key="@", page=Page(parameter="after", cursor="next"))
_PAGE = 10_000


class SqlTableOptions(Strict):
    """``options`` of a sync to a SQL table. The sync's fields are its columns."""

    table: str = Field(
        pattern=r"^[^\s.\"]{1,63}(\.[^\s.\"]{1,63})?$", description="the table, or schema.table"
    )
    key: str = Field("key", pattern=_IDENTIFIER, description="the column, unique, that holds the sync's key")
    once: str | None = Field(
        None,
        pattern=_IDENTIFIER,
        description="for mode append: a unique column of text or uuid that keeps anybody from being added twice",
    )
    timeout_seconds: float = Field(60, gt=0, description="for a batch")


class SqlTable:
    """One table. A connection is kept for the next batch until the sync ends, one for each batch that is under way."""

    capabilities = Capabilities(batch_size=5_000, in_flight=2, keyed=True)

    def __init__(
        self,
        options: SqlTableOptions,
        connection: PlatformConnection,
        *,
        sync: str,
        mode: str,
        columns: Iterable[str],
    ) -> None:
        self.options, self.sync, self.columns = options, sync, list(columns)
        self.place = connection.place
        self._parameters = _parameters(connection)
        if mode == "append" and options.once is None:
            raise ConfigError(
                f"sync {sync}: mode append needs options.once: a unique column, so that a repeat adds nobody twice"
            )
        self._is_append = mode == "append"
        self._table = sql.Identifier(*options.table.split("."))
        self._idle: list[psycopg.Connection[Any]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._idle:
            self._idle.pop().close()

    async def send(self, batch: Batch) -> Answer:
        return await asyncio.to_thread(self._send, batch.rows)

    def finish(self, state: Callable[[], Iterator[Row]]) -> int:
        return 0

    @property
    def listing(self) -> Members | None:
        return _LISTING

    async def page(self, cursor: str | None) -> Any:
        """A page of the keys, in the order of their text."""
        return await asyncio.to_thread(self._page, cursor)

    async def look_up(self, batch: Batch) -> Mapping[int, str]:
        return {}  # a table knows keys alone

    def _send(self, rows: Sequence[Row]) -> Answer:
        gone = [{self.options.key: row.key} for row in rows if row.action == "remove"]
        come = [self._record(row) for row in rows if row.action != "remove"]
        with _Session(self) as session:
            if gone and not self._is_append:
                session.execute(self._delete(), (json.dumps(gone),))
            if come:
                session.execute(self._insert(), (json.dumps(come),))
        return Answer({})

    def _page(self, cursor: str | None) -> dict[str, Any]:
        query = sql.SQL(
            'select {key}::text from {table} where {key}::text collate "C" > %s order by {key}::text collate "C" limit %s'
        ).format(key=sql.Identifier(self.options.key), table=self._table)
        with _Session(self) as session:
            keys = [row[0] for row in session.execute(query, (cursor or "", _PAGE))]
        return {"members": keys, "next": keys[-1] if len(keys) == _PAGE else None}

    def _record(self, row: Row) -> dict[str, Any]:
        record = {**{name: row.fields.get(name) for name in self.columns}, self.options.key: row.key}
        if self._is_append:
            record[str(self.options.once)] = str(uuid.uuid5(_ONCE, f"{self.sync}:{row.key}"))
        return record

    def _delete(self) -> sql.Composed:
        return sql.SQL(
            "delete from {table} as held using jsonb_populate_recordset(null::{table}, %s::jsonb) as gone"
            " where held.{key} = gone.{key}"
        ).format(table=self._table, key=sql.Identifier(self.options.key))

    def _insert(self) -> sql.Composed:
        names = [*self.columns, self.options.key, *([str(self.options.once)] if self._is_append else [])]
        changes = sql.SQL(", ").join(
            sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in self.columns
        )
        is_update = self.columns and not self._is_append
        return sql.SQL(
            "insert into {table} ({names}) select {names} from jsonb_populate_recordset(null::{table}, %s::jsonb)"
            " on conflict ({unique}) do {action}"
        ).format(
            table=self._table,
            names=sql.SQL(", ").join(map(sql.Identifier, names)),
            unique=sql.Identifier(str(self.options.once) if self._is_append else self.options.key),
            action=sql.SQL("update set {}").format(changes) if is_update else sql.SQL("nothing"),
        )


class _Session:
    """A transaction at the table's database, with its errors as the engine knows them."""

    def __init__(self, table: SqlTable) -> None:
        self.table = table

    def __enter__(self) -> psycopg.Connection[Any]:
        self._connection = self.table._idle.pop() if self.table._idle else self._opened()
        return self._connection

    def _opened(self) -> psycopg.Connection[Any]:
        table = self.table
        timeout = round(table.options.timeout_seconds * 1000)
        try:
            settings = {"connect_timeout": "10", **table._parameters}
            settings["options"] = f"{settings.get('options', '')} -c statement_timeout={timeout}".strip()
            return psycopg.connect(**settings, prepare_threshold=None)  # a pooler may stand between
        except psycopg.OperationalError as error:  # its text may hold the address's secrets
            if "FATAL" in str(error) and not any(
                word in str(error) for word in ("starting up", "too many", "shutting")
            ):
                raise PlatformError(
                    f"{table.place} does not let us in: look at user, password and database of the connection"
                ) from None
            raise TryAgain("no connection to the database") from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._connection.commit()
            else:
                self._connection.rollback()
            self.table._idle.append(self._connection)
        except psycopg.Error as failure:
            self._connection.close()
            error = error or failure
        if isinstance(error, psycopg.Error):
            raise self._as_told(error) from None

    def _as_told(self, error: psycopg.Error) -> Exception:
        state, said = error.sqlstate or "", error.diag.message_primary or type(error).__name__
        table = self.table.options.table
        if state[:2] in _OF_ROWS:
            return BatchRefused(said)
        if not state or state[:2] in _PASSES:
            return TryAgain(type(error).__name__)
        if state == "42P10":
            unique = self.table.options.once if self.table._is_append else self.table.options.key
            return PlatformError(
                f"{table} has no unique constraint on {unique}; it takes: alter table {table} add unique ({unique})"
            )
        return PlatformError(f"{self.table.place}: {table}: {said}")


def _parameters(connection: PlatformConnection) -> dict[str, Any]:
    """What libpq needs; encrypted, unless the server is on this machine.

    :raises ConfigError: it is no Postgres address.
    """
    if not connection.url.startswith(("postgres://", "postgresql://")):
        raise ConfigError(f"{connection.place} is no Postgres address; it must begin with postgresql://")
    extra = {name: str(value) for name, value in connection.extra.items()}
    given = {**transport.libpq(connection.url), **extra}
    given |= {
        name: value for name, value in (("user", connection.login), ("password", connection.secret)) if value
    }
    try:
        return dict(transport.libpq(transport.postgres(psycopg.conninfo.make_conninfo(**given))))
    except psycopg.ProgrammingError:
        raise ConfigError(
            f"{connection.place}: the connection's extra has what libpq does not know"
        ) from None
