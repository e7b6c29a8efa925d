"""Consent as a hard join: one rule, for all members at once when planning, for a few rows when sending.

A customer has consented when every decision on record for the channel and purpose says granted, and there is one.
"""

from __future__ import annotations

from psycopg import sql

from lifehouse.activation.declaration import Sync
from lifehouse.warehouse.literal import literal

_ALL = """coalesce(segment.customer_id in (
            select consents.customer_id from marts.consents as consents
            where consents.channel = {channel} and consents.purpose = {purpose}
            group by consents.customer_id having bool_and(consents.status = 'granted')
        ), false)"""

_ONE = """exists (
        select from marts.consents as consents
        where consents.customer_id = {customer}
            and consents.channel = {channel} and consents.purpose = {purpose}
        having bool_and(consents.status = 'granted')
    )"""


def of_members(sync: Sync) -> sql.Composable:
    """A condition on ``segment.customer_id``; reads the consents once."""
    return _condition(sync, sql.SQL(_ALL))


def of_records(sync: Sync) -> sql.Composable:
    """A condition on ``records.customer_id``; looks them up."""
    return _condition(sync, sql.SQL(_ONE), sql.Identifier("records", "customer_id"))


def of_rows(sync: Sync) -> sql.Composable:
    """A condition on ``outbox.customer_id``; looks the few up."""
    return _condition(sync, sql.SQL(_ONE), sql.Identifier("outbox", "customer_id"))


def _condition(sync: Sync, text: sql.SQL, customer: sql.Identifier | None = None) -> sql.Composable:
    if sync.consent == "none":
        return sql.SQL("true")
    who = {"customer": customer} if customer else {}
    return text.format(channel=literal(sync.consent.channel), purpose=literal(sync.consent.purpose), **who)
