"""Suppression lists: who is not to be sent anything, whatever they consented to. Identifiers are kept as keyed hashes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from psycopg import sql

from lifehouse.activation.permission import HASH
from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.identity.normalise import family_of
from lifehouse.identity.resolve import normaliser

CUSTOMER = "customer"
KINDS = (CUSTOMER, "email", "phone", "loyalty_card")

_ADD = sql.SQL("""
insert into activation.suppressions (identifier_kind, identifier, channel, account, origin, reason, author, until)
select {kind}, given.identifier, {channel}, {account}, 'person', {reason}, {author}, {until}
from (select distinct {stored} as identifier from unnest({given}::text[]) as written (value)) as given
where not exists (
    select from activation.suppressions as standing
    where standing.identifier_kind = {kind} and standing.identifier = given.identifier and standing.lifted_at is null
        and standing.channel is not distinct from {channel} and standing.account is not distinct from {account}
        and standing.until is not distinct from {until} and not standing.yields_to_grant
)
""")
_LIFT = sql.SQL("""
update activation.suppressions set lifted_at = clock_timestamp(), lifted_by = {author}
where lifted_at is null and identifier_kind = {kind}
    and identifier in (select {stored} from unnest({given}::text[]) as written (value))
    and ({channel}::text is null or channel = {channel}) and ({account}::text is null or account = {account})
""")
_LIST = """
select
    identifier_kind, channel, account, origin, reason, author,
    min(since) as since, until, count(*) as entries,
    case when count(*) = 1 then min(identifier) filter (where identifier_kind = 'customer') end as customer_id
from activation.suppressions
where lifted_at is null and (until is null or until > clock_timestamp())
group by identifier_kind, channel, account, origin, reason, author, until
order by since desc
"""


def add(
    ctx: Context,
    kind: str,
    written: Iterable[str],
    *,
    reason: str,
    author: str,
    channel: str | None = None,
    account: str | None = None,
    until: datetime | None = None,
) -> int:
    """Suppress people by an identifier of one kind; returns how many were not suppressed so already.

    :param kind: customer, email, phone, loyalty_card or id:<source>. :param channel: None is every channel.
    :raises LifehouseError: an identifier has no shape in which identities are matched; nothing was added then.
    """
    if not reason.strip():
        raise LifehouseError("a suppression needs a reason; it is kept with it")
    values = {
        **_scope(channel, account),
        **{name: sql.Literal(value) for name, value in {"reason": reason.strip(), "author": author}.items()},
        "until": sql.SQL("{}::timestamptz").format(sql.Literal(until)),
    }
    return _write(ctx, _ADD, kind, written, values)


def lift(
    ctx: Context,
    kind: str,
    written: Iterable[str],
    *,
    author: str,
    channel: str | None = None,
    account: str | None = None,
) -> int:
    """End the suppressions of these identifiers; returns how many there were. They are kept as lifted.

    :param channel: only those of it; None is any.
    """
    return _write(ctx, _LIFT, kind, written, {**_scope(channel, account), "author": sql.Literal(author)})


def standing(ctx: Context) -> list[dict[str, Any]]:
    """What stands, newest first: entries alike as one row, an identifier only where it is a customer's id."""
    return ctx.warehouse.rows(_LIST)


def _scope(channel: str | None, account: str | None) -> dict[str, sql.Composable]:
    return {"channel": _text(channel), "account": _text(account)}


def _text(value: str | None) -> sql.Composable:
    return sql.SQL("{}::text").format(sql.Literal(value))


def _write(
    ctx: Context, query: sql.SQL, kind: str, written: Iterable[str], values: dict[str, sql.Composable]
) -> int:
    given = _normal(ctx, kind, written)
    value: sql.Composable = sql.Identifier("written", "value")
    stored = value if kind == CUSTOMER else HASH.format(kind=_text(kind), value=value)
    whole = query.format(kind=_text(kind), stored=stored, given=sql.Literal(given), **values)
    with ctx.warehouse.connect() as connection:
        return connection.execute(whole).rowcount


def _normal(ctx: Context, kind: str, written: Iterable[str]) -> list[str]:
    """In the one shape in which marts.customer_identifiers has them. Never tells a value."""
    texts = [text.strip() for text in written if text.strip()]
    if kind == CUSTOMER:
        return texts
    try:
        family_of(kind)
    except ValueError:
        raise LifehouseError(f"no kind {kind!r}; there are {', '.join(KINDS)} and id:<source>") from None
    rules = normaliser(ctx)
    found = [rules("", kind, text) for text in texts]
    wrong = [normal.reason for normal in found if normal.value is None]
    if wrong:
        raise LifehouseError(f"{len(wrong):,} of {len(texts):,} given: {wrong[0]}; nothing was changed")
    return [normal.value for normal in found if normal.value is not None]
