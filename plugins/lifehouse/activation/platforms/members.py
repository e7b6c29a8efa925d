"""Reading back who is at a platform: page by page, without losing those who move while the pages turn."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable
from urllib.parse import parse_qs, urlsplit

from lifehouse.activation.pace import Pace
from lifehouse.activation.platforms import reading
from lifehouse.activation.platforms.base import Batch, BatchRefused, Row, TryAgain
from lifehouse.activation.platforms.listing import Members
from lifehouse.errors import PlatformError

PASSES = 5

Result = Any


@dataclass(frozen=True, slots=True)
class Member:
    """One of whom the platform tells: by the key, by the platform's own id, or both.

    ``is_held``: in the list, or with the mark; a platform may tell of others beside them.
    """

    key: str | None
    id: str | None
    is_held: bool = True
    is_unsubscribed: bool = False

    def __repr__(self) -> str:
        return "Member()"


@runtime_checkable
class Readable(Protocol):
    """What a platform has whose members can be read; ``listing`` is None where they cannot after all."""

    @property
    def listing(self) -> Members | None: ...

    async def page(self, cursor: str | None) -> Any: ...

    async def look_up(self, batch: Batch) -> Mapping[int, str]: ...


@runtime_checkable
class Askable(Readable, Protocol):
    """One that is declared: it may have to be asked after people, and tell in another place who unsubscribed."""

    @property
    def opted_out(self) -> Members | None: ...

    async def told(self, asked: Members, cursor: str | None, rows: Sequence[Row] = ()) -> Any: ...


async def read(
    fetch: Callable[[str | None], Awaitable[Any]], listing: Members, pace: Pace, attempts: int
) -> AsyncIterator[list[Member]]:
    """All members, page by page; one who moves while they are read may come twice, and is never left out.

    :raises PlatformError: the platform does not answer, or its list does not stand still long enough to be read.
    """

    async def page(cursor: str | None) -> Any:
        return await persistently(lambda: fetch(cursor), pace, attempts)

    if listing.page is None:
        yield _members(listing, await page(None))
    elif listing.page.cursor is not None:
        async for members in _by_cursor(listing, listing.page.cursor, page):
            yield members
    else:
        async for members in _by_offset(listing, page):
            yield members


async def asked(
    fetch: Callable[[Sequence[Row]], Awaitable[Any]],
    listing: Members,
    parts: Iterable[Sequence[Row]],
    pace: Pace,
    attempts: int,
) -> AsyncIterator[list[Member]]:
    """Whom the platform knows of the rows in ``parts``, part by part.

    :raises PlatformError: the platform does not answer.
    """
    for part in parts:
        body = await persistently(lambda part=part: fetch(part), pace, attempts)  # type: ignore[misc]
        yield _members(listing, body)


async def persistently(call: Callable[[], Awaitable[Result]], pace: Pace, attempts: int) -> Result:
    """The call's answer, tried again as the platform asks.

    :raises PlatformError: there is none, or it is no.
    """
    failures = limits = 0
    while True:
        await pace.ready()
        try:
            return await call()
        except TryAgain as fault:
            failures, limits = failures + (not fault.is_limit), limits + fault.is_limit
            if failures >= attempts or limits >= 10 * attempts:
                raise PlatformError(
                    f"the platform does not answer after {failures + limits} calls: {fault}"
                ) from fault
            await pace.after(fault, failures + limits)
        except BatchRefused as refusal:
            raise PlatformError(f"the platform does not tell its members: {refusal.reason}") from refusal


async def _by_cursor(
    listing: Members, expression: str, page: Callable[[str | None], Awaitable[Any]]
) -> AsyncIterator[list[Member]]:
    cursor: str | None = None
    seen: set[str] = set()
    while True:
        body = await page(cursor)
        yield _members(listing, body)
        cursor = _cursor(reading.found(expression, body), listing)
        if cursor is None:
            return
        if cursor in seen:
            raise PlatformError("the platform's list of members leads back to a page that was read before")
        seen.add(cursor)


async def _by_offset(
    listing: Members, page: Callable[[str | None], Awaitable[Any]]
) -> AsyncIterator[list[Member]]:
    """Each page begins with the last item of the one before. If that is not so, items have moved, and all is read anew."""
    for _ in range(PASSES):
        offset, before = 0, list[Member]()
        while True:
            members = _members(listing, await page(str(offset) if offset else None))
            if before and (not members or _name(members[0]) not in map(_name, before)):
                break
            yield members
            if len(members) <= bool(before):
                return
            before, offset = members, offset + len(members) - 1
    raise PlatformError(
        f"the platform's list of members moved while it was read, {PASSES} times in a row; try again when nobody writes to it"
    )


def _members(listing: Members, body: Any) -> list[Member]:
    """Those of a page; a body that is none is an empty one."""
    items = [] if body is None else reading.found(listing.at, body)
    if not isinstance(items, list):
        raise PlatformError(
            f"the platform's list of members cannot be read: there is no list at {listing.at!r}"
        )
    found = [
        Member(
            _text(listing.key, item),
            _text(listing.id, item),
            listing.where is None or reading.holds(listing.where, item),
            reading.holds(listing.unsubscribed, item),
        )
        for item in items
    ]
    unread = sum(member.is_held and member.key is None and member.id is None for member in found)
    if unread:
        raise PlatformError(
            f"the platform's list of members cannot be read: {unread:,} of {len(found):,} items have neither key nor id"
        )
    return found


def _name(member: Member) -> tuple[str | None, str | None]:
    return member.key, member.id


def _text(expression: str | None, item: Any) -> str | None:
    value = reading.found(expression, item)
    return None if value is None or value == "" else str(value)


def _cursor(told: Any, listing: Members) -> str | None:
    """The cursor for the next page; out of an address its parameter."""
    if told in (None, "", False) or listing.page is None:
        return None
    text = str(told)
    if "://" not in text or listing.page.parameter is None:
        return text
    values = parse_qs(urlsplit(text).query).get(listing.page.parameter)
    if not values:
        raise PlatformError(f"the platform's next page has no {listing.page.parameter!r} in its address")
    return values[0]
