"""Forward only: a stage that is written back to a CRM is never set to an earlier one than was last confirmed there."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from lifehouse.activation.declaration import Sync
from lifehouse.errors import ConfigError
from lifehouse.spelling import did_you_mean
from lifehouse.warehouse.literal import literal

_KEPT = """
    left join activation.records as kept
        on kept.account = %(account)s and kept.sync = %(sync)s and kept.record_key = nullif(trim({key}::text), '')
    left join marts.lifecycle_stages as kept_stage on kept_stage.lifecycle = {lifecycle} and kept_stage.stage = kept.stage
    left join marts.lifecycle_stages as new_stage on new_stage.lifecycle = {lifecycle} and new_stage.stage = {column}
"""
_VALUE = """case
    when kept.stage is not null and ({column} is null or kept_stage.stage_order > new_stage.stage_order) then kept.stage
    else {column}
end"""


def joins(sync: Sync, key: sql.Composable) -> sql.Composable:
    """What ``members`` has to join to know the stage that each record was last confirmed with."""
    if sync.forward_only is None:
        return sql.SQL("")
    lifecycle = literal(sync.forward_only.lifecycle)
    return sql.SQL(_KEPT).format(key=key, lifecycle=lifecycle, column=_column(sync))


def value(sync: Sync) -> sql.Composable:
    """The stage to send: the customer's own, or the one the record has if that is later in the lifecycle."""
    return sql.SQL(_VALUE).format(column=_column(sync))


def stage(sync: Sync) -> sql.Composable:
    """What is kept of a row's ``fields`` beside it, until the platform confirms it."""
    if sync.forward_only is None:
        return sql.SQL("null::text")
    return sql.SQL("object ->> {}").format(literal(sync.forward_only.field))


def check(connection: psycopg.Connection[Any], sync: Sync) -> None:
    """:raises ConfigError: the release has no such lifecycle."""
    if sync.forward_only is None:
        return
    known = [row[0] for row in connection.execute("select distinct lifecycle from marts.lifecycle_stages")]
    named = sync.forward_only.lifecycle
    if named not in known:
        raise ConfigError(
            f"sync {sync.sync}: forward_only: there is no lifecycle {named!r}{did_you_mean(named, known)}"
        )


def _column(sync: Sync) -> sql.Composable:
    assert sync.forward_only is not None  # noqa: S101
    return sql.Identifier("customers", sync.columns[sync.forward_only.field])
