"""A platform that is declared: its calls over HTTP, as its file says."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.platforms import base, client, reading, template
from lifehouse.activation.platforms.answers import Answer
from lifehouse.activation.platforms.base import Batch, Capabilities, Row, TryAgain
from lifehouse.activation.platforms.calls import Call, Request
from lifehouse.activation.platforms.declaration import Declared
from lifehouse.activation.platforms.jobs import Work
from lifehouse.activation.platforms.listing import Members
from lifehouse.activation.platforms.request import prepare
from lifehouse.errors import PlatformError

if TYPE_CHECKING:
    from lifehouse.activation.platforms.carrier import Client

TIMEOUT_SECONDS = 60


class DeclaredPlatform:
    """One account of a declared platform. A batch has rows of one lane: the same calls are made for all of them."""

    def __init__(
        self,
        declared: Declared,
        options: Mapping[str, Any],
        connection: PlatformConnection,
        in_flight: int | None = None,
    ) -> None:
        self.declared, self.connection = declared, connection
        self.capabilities = capabilities(declared)
        self.in_flight = in_flight or self.capabilities.in_flight
        self._base = client.address(connection)
        self._common: dict[str, Any] = {
            "options": dict(options),
            "login": connection.login or "",
            "secret": connection.secret or "",
            "extra": connection.extra,
        }
        self._token: str | None = None
        self._logging_in = asyncio.Lock()
        self._client: Client | None = None
        self._stranger: Client | None = None  # for calls elsewhere, without our credentials

    async def __aenter__(self) -> Self:
        who = (self.connection.login or "", self.connection.secret or "")
        self._client = client.opened(
            self._base,
            self.in_flight,
            timeout=TIMEOUT_SECONDS,
            auth=who if self.declared.auth.basic else None,
        )
        asked = (*self.declared.calls.values(), self.declared.members, self.declared.opted_out)
        if any(request and not request.path.startswith("/") for request in asked):
            self._stranger = client.opened(self._base, self.in_flight, timeout=TIMEOUT_SECONDS)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for opened in (self._client, self._stranger):
            if opened:
                await opened.aclose()

    async def send(self, batch: Batch) -> base.Answer:
        """The calls of each action in the batch, one after the other; each for the rows that no earlier one has settled.

        A batch is of one lane, but for rows that were in flight when their consent went: those are removals now.
        """
        said, status, requests = reading.Said(), 0, 0
        said.ids |= {row.place: row.platform_id for row in batch.rows if row.platform_id}
        lanes: dict[tuple[str, ...], list[Row]] = {}
        for row in batch.rows:
            lanes.setdefault(self.declared.actions.get(row.action, ()), []).append(row)
        for names, rows in lanes.items():
            for name in names:
                call = self.declared.calls[name]
                open_rows = [row for row in rows if said.is_open(row.place, call.only)]
                for number, part in enumerate(_parts(open_rows, call.batch_size)):
                    own = uuid.uuid5(batch.idempotency_key, f"{name} {number}")
                    status, made = await self._made(call, replace(batch, idempotency_key=own), part, said)
                    requests += made
        return base.Answer(said.refused, status, requests, said.ids, frozenset(said.unsubscribed))

    async def _made(
        self, call: Call, batch: Batch, rows: Sequence[Row], said: reading.Said
    ) -> tuple[int, int]:
        """One call for some rows, to the end of its job; what it says goes to ``said``. Its status, and the requests made."""
        values, each = self._values(batch, rows, said.ids)
        is_of_row = call.batch_size == 1 and bool({"key", "id"} & set(template.names(call.path)))
        body, status = await self._call(call, call.answer, values, each, is_of_row=is_of_row)
        requests, answers = 1, [(body, call.answer)]
        if call.job:
            work = Work(call.job, self._told, values, each)
            answers = await work.done(body, rows)
            requests += work.requests
        for told, answer in answers:
            spoken_of = said.refused.keys() | said.settled
            left = [row for row in rows if row.place not in spoken_of]
            found = reading.read(told, answer.named(self._common), left, said.ids, status)
            said.refused |= found.refused
            said.settled |= found.settled
            said.ids |= found.ids
            said.unsubscribed |= found.unsubscribed
        return status, requests

    def finish(self, state: Callable[[], Iterator[Row]]) -> int:
        return 0

    @property
    def listing(self) -> Members | None:
        return self.declared.members and self.declared.members.named(self._common)

    @property
    def opted_out(self) -> Members | None:
        return self.declared.opted_out and self.declared.opted_out.named(self._common)

    async def page(self, cursor: str | None) -> Any:
        """A page of the list of members, as the platform told it."""
        assert self.declared.members  # noqa: S101
        return await self.told(self.declared.members, cursor)

    async def told(self, asked: Members, cursor: str | None, rows: Sequence[Row] = ()) -> Any:
        """What the platform tells, of the rows if it is asked after them; None if that is nobody.

        :raises TryAgain: nothing that can be read.
        """
        each = [
            {"row": number, "key": row.key, "id": row.platform_id or ""} for number, row in enumerate(rows)
        ]
        first = asked.page.first if asked.page else None
        values = {"cursor": first if cursor is None else cursor, **(each[0] if len(each) == 1 else {})}
        request = asked.behind(cursor)
        body, status = await self._call(request, request.answer, values, each)
        if body is None and status not in request.answer.already:
            raise TryAgain("an answer that cannot be read", status_code=status)
        return body

    async def look_up(self, batch: Batch) -> Mapping[int, str]:
        """Place → the platform's id, of the batch's rows that it knows."""
        assert self.declared.members  # noqa: S101
        call = self.declared.calls[self.declared.members.look_up or ""]
        said = reading.Said()
        for number, part in enumerate(_parts(list(batch.rows), call.batch_size)):
            own = uuid.uuid5(batch.idempotency_key, f"look-up {number}")
            await self._made(call, replace(batch, idempotency_key=own), part, said)
        return said.ids

    @staticmethod
    def _values(
        batch: Batch, rows: Sequence[Row], ids: Mapping[int, str]
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """What a call may speak of, and what each of its rows has of its own."""
        values: dict[str, Any] = {"sync": batch.sync, "batch": str(batch.idempotency_key), "rows": len(rows)}
        each: list[dict[str, Any]] = [
            {"row": number, "key": row.key, "fields": row.fields, "id": ids.get(row.place, "")}
            for number, row in enumerate(rows)
        ]
        return (values | each[0] if len(each) == 1 else values), each

    async def _told(
        self, request: Request, answer: Answer, values: Mapping[str, Any], each: Sequence[Mapping[str, Any]]
    ) -> Any:
        return (await self._call(request, answer, values, each))[0]

    async def _call(
        self,
        request: Request,
        answer: Answer,
        values: Mapping[str, Any],
        rows: Sequence[Mapping[str, Any]] = (),
        *,
        is_of_row: bool = False,
    ) -> tuple[Any, int]:
        """The answer's body and status; a token that is not accepted any longer is replaced, once."""
        token = await self._logged_in()
        try:
            return await self._send(request, answer, {**values, "token": token}, rows, is_of_row=is_of_row)
        except reading.Denied:
            if self.declared.auth.login is None:
                raise
        token = await self._logged_in(instead_of=token)
        return await self._send(request, answer, {**values, "token": token}, rows, is_of_row=is_of_row)

    async def _send(
        self,
        request: Request,
        answer: Answer,
        values: Mapping[str, Any],
        rows: Sequence[Mapping[str, Any]],
        *,
        is_of_row: bool,
    ) -> tuple[Any, int]:
        is_ours = request.path.startswith(
            "/"
        )  # else it is another address, which is not told our credentials
        prepared = prepare(
            request,
            {**self._common, **values},
            rows,
            headers={**self.declared.headers, **(self.declared.auth.headers if is_ours else {})},
            query=self.declared.auth.query if is_ours else None,
        )
        response = await client.answered(
            self._client if is_ours else self._stranger,
            prepared.method,
            self._base.copy_with(path=self._base.path.rstrip("/") + prepared.path)
            if is_ours
            else client.address(PlatformConnection(prepared.path, extra=self.connection.extra)),
            params=prepared.query or None,
            headers=prepared.headers,
            content=prepared.content,
        )
        pause = self.declared.limits.pause
        body = reading.verdict(response, answer, self.connection.place, is_of_row=is_of_row, pause=pause)
        return body, response.status_code

    async def _logged_in(self, instead_of: str | None = None) -> str:
        login = self.declared.auth.login
        if login is None:
            return ""
        async with self._logging_in:
            if self._token is None or self._token == instead_of:
                prepared = prepare(login, self._common)
                url = (
                    self._base.copy_with(path=prepared.path)
                    if prepared.path.startswith("/")
                    else client.address(PlatformConnection(prepared.path, extra=self.connection.extra))
                )
                response = await client.answered(
                    self._client, prepared.method, url, headers=prepared.headers, content=prepared.content
                )
                if response.status_code >= 500 or response.status_code == 429:
                    raise TryAgain(
                        f"HTTP {response.status_code} at login", wait=reading.retry_after(response)
                    )
                token = (
                    response.headers.get(login.token_header)
                    if login.token_header
                    else reading.found(login.token, reading.json_of(response))
                )
                if not response.is_success or not isinstance(token, str) or not token:
                    raise PlatformError(
                        f"{self.connection.place} does not let us log in (HTTP {response.status_code})"
                    )
                self._token = token
            return self._token


def capabilities(declared: Declared) -> Capabilities:
    """Rows that share their calls travel together."""
    lanes = {action: " ".join(names) or action for action, names in declared.actions.items()}
    return Capabilities(
        batch_size=max(map(declared.size, declared.actions)),
        in_flight=declared.limits.in_flight,
        keyed=declared.keyed,
        lanes=lanes,
        sizes={lanes[action]: declared.size(action) for action in declared.actions},
        per_second=declared.limits.per_second,
        calls={lanes[action]: declared.requests(action) for action in declared.actions},
    )


def _parts(rows: list[Row], size: int) -> Iterator[list[Row]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
