"""Extract from an HTTP API: dlt's REST client reads page by page, records travel as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from lifehouse import transport
from lifehouse.errors import SourceError
from lifehouse.ingest import batches, cursor, guarded
from lifehouse.ingest.connections import Paginator, RestConnection, resolved
from lifehouse.ingest.declaration import RestSource
from lifehouse.ingest.delivery import Delivery
from lifehouse.ingest.table import RestTable
from lifehouse.ingest.tombstones import is_listed_apart, keys_table

_ATTEMPTS = 4
_BACKOFF = 0.5  # seconds, doubled each time


def resources(source: RestSource, bounds: dict[str, Any]) -> tuple[list[Any], dict[str, Delivery]]:
    """One dlt resource a table, from its bound on, and the deliveries they fill.

    While they are read they raise :class:`SourceError`: the API is down, refuses, or answers something else.
    """
    import dlt  # noqa: PLC0415

    connection = resolved(source.source, source.connection)
    made, deliveries = [], {}
    for name, table in source.tables.items():
        delivery = deliveries[name] = Delivery(name, cursor_from=cursor.text(bounds.get(name)))
        pages = _batches(source.source, connection, table, delivery)
        made.append(dlt.resource(pages, name=name, columns=_columns(table)))
        if is_listed_apart(table):
            listed = _of_keys(table)
            pages = _batches(source.source, connection, listed, Delivery(name))
            made.append(dlt.resource(pages, name=keys_table(name), columns=_columns(listed)))
    return made, deliveries


def _of_keys(table: RestTable) -> RestTable:
    """The full list of a table's keys, as a table of its own."""
    declared = table.deletions.keys if table.deletions else None
    assert declared is not None  # noqa: S101  is_listed_apart()
    return table.model_copy(
        update={
            "path": declared.path,
            "records": declared.records or table.records,
            "params": declared.params,
            "cursor_param": None,
            "columns": {name: table.columns[name] for name in table.key},
        }
    )


def _columns(table: RestTable) -> list[Any]:
    return [{"name": name, "data_type": "text", "nullable": True} for name in batches.schema(table).names]


def _batches(source: str, connection: RestConnection, table: RestTable, delivery: Delivery) -> Iterator[Any]:
    records: Iterator[tuple[Any, dict[str, Any]]] = (
        (record, {}) for record in _records(source, connection, table, delivery)
    )
    yield from batches.of_records(table, records, delivery)


def _records(source: str, connection: RestConnection, table: RestTable, delivery: Delivery) -> Iterator[Any]:
    from dlt.sources.helpers.requests import Client  # noqa: PLC0415
    from dlt.sources.helpers.rest_client.auth import BearerTokenAuth  # noqa: PLC0415
    from dlt.sources.helpers.rest_client.client import RESTClient  # noqa: PLC0415
    from requests import RequestException  # noqa: PLC0415

    session = Client(
        request_timeout=connection.timeout_seconds,
        raise_for_status=False,
        request_max_attempts=_ATTEMPTS,
        request_backoff_factor=_BACKOFF,
    ).session
    client = RESTClient(
        connection.base_url,
        headers=dict(connection.headers),
        auth=BearerTokenAuth(connection.token) if connection.token else None,
        session=session,
    )
    place = f"{source}.{delivery.table}: GET {table.path} at {_host(connection.base_url)}"
    guarded.mount_on(session, place, connection)
    parameters = dict(table.params)
    if table.cursor_param and delivery.cursor_from is not None:
        parameters[table.cursor_param] = delivery.cursor_from
    if (
        connection.paginator.size_param
        and connection.paginator.size
        and connection.paginator.kind != "offset"
    ):
        parameters[connection.paginator.size_param] = connection.paginator.size

    def checked(response: Any, *_: Any, **__: Any) -> None:
        _check(place, table, response)

    try:
        for page in client.paginate(
            table.path,
            params=parameters,
            paginator=_paginator(connection.paginator),
            data_selector=table.records,
            hooks={"response": [checked]},
        ):
            yield from page
    except (RequestException, json.JSONDecodeError) as error:
        response = getattr(error, "response", None)
        if response is not None:
            _check(place, table, response)
        raise SourceError(f"{place} failed after {_ATTEMPTS} attempts ({type(error).__name__})") from None


def _host(url: str) -> str:
    return transport.shown(url).partition("://")[2].split("/", 1)[0]


def _status(code: int) -> str:
    """The status in the standard's words: the server's own may say anything."""
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)


def _check(place: str, table: RestTable, response: Any) -> None:
    """Refuse what is no answer, and an answer without the list: that is not the same as an empty one."""
    from dlt.common import jsonpath  # noqa: PLC0415

    if response.status_code >= 400:
        raise SourceError(f"{place} answered {_status(response.status_code)}")
    try:
        body = response.json()
    except ValueError:
        raise SourceError(f"{place} answered something that is not JSON") from None
    found = jsonpath.find_values(table.records, body)
    if not found or (table.records != "$" and not isinstance(found[0], (list, dict))):
        raise SourceError(f"{place} answered without a list at {table.records}")


def _paginator(declared: Paginator) -> Any:
    from dlt.sources.helpers.rest_client import paginators  # noqa: PLC0415

    if declared.kind == "page":
        return paginators.PageNumberPaginator(
            base_page=declared.first, page_param=declared.param or "page", total_path=declared.total
        )
    if declared.kind == "offset":
        return paginators.OffsetPaginator(
            limit=declared.size or 100,
            offset_param=declared.param or "offset",
            limit_param=declared.size_param or "limit",
            total_path=declared.total,
        )
    if declared.kind == "cursor":
        return paginators.JSONResponseCursorPaginator(
            cursor_path=declared.next or "next", cursor_param=declared.param or "cursor"
        )
    if declared.kind == "link":
        if declared.next:
            return paginators.JSONLinkPaginator(next_url_path=declared.next)
        return paginators.HeaderLinkPaginator()
    return paginators.SinglePagePaginator()
