"""Which alerts there are and through which channels they went: ``control.alerts`` and ``control.alert_sends``.

Noted once for each run, claimed by one sender at a time, marked as sent after the channel took it. So a callback that is
called again doubles nothing; a sender killed between the channel's answer and the mark sends once more (at least once).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lifehouse.alerts.alert import Alert
from lifehouse.alerts.declaration import TROUBLE, Channel, Event
from lifehouse.warehouse.connection import Warehouse

ATTEMPTS = 8
LEASE = "2 minutes"  # longer than any one sending may take
_LONGEST = 300  # characters of an error that are kept


@dataclass(frozen=True)
class Waiting:
    """A claimed sending."""

    alert_id: int
    channel: str
    alert: Alert


def note(warehouse: Warehouse, alert: Alert, run_key: str, channels: Iterable[Channel]) -> int | None:
    """Keep the alert and, for each channel that wants it, that it waits to be sent; None when the run has told it before.

    A recovery goes to those channels only that were told of the trouble.
    """
    wanted = [channel.key for channel in channels if channel.wants(alert.event)]
    with warehouse.connect() as connection:
        row = connection.execute(
            "insert into control.alerts (subject, run_key, event, content) values (%s, %s, %s, %s) "
            "on conflict do nothing returning alert_id",
            (alert.subject, run_key, alert.event.value, json.dumps(alert.content())),
        ).fetchone()
        if row is None:
            return None
        if alert.event is Event.RECOVERED:
            told = connection.execute(_TOLD, {"subject": alert.subject, "alert": row[0]}).fetchall()
            wanted = [key for key in wanted if (key,) in told]
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into control.alert_sends (alert_id, channel) values (%s, %s)",
                [(row[0], key) for key in dict.fromkeys(wanted)],
            )
        return int(row[0])


def is_noted(warehouse: Warehouse, subject: str, run_key: str, events: Sequence[Event]) -> bool:
    """Whether one of these was noted of this run."""
    return bool(
        warehouse.value(
            "select exists (select from control.alerts where subject = %s and run_key = %s and event = any(%s))",
            (subject, run_key, [event.value for event in events]),
        )
    )


def unhealed(warehouse: Warehouse, subject: str) -> dict[str, Any] | None:
    """The newest trouble of this subject that no recovery has followed."""
    rows = warehouse.rows(
        """
        select alert_id, event, noted_at, content
        from control.alerts
        where subject = %(subject)s and event = any(%(trouble)s)
            and alert_id > coalesce(
                (select max(alert_id) from control.alerts where subject = %(subject)s and event = 'recovered'), 0
            )
        order by alert_id desc
        limit 1
        """,
        {"subject": subject, "trouble": [event.value for event in TROUBLE]},
    )
    return rows[0] if rows else None


def claim(warehouse: Warehouse, channels: Sequence[str]) -> Waiting | None:
    """The oldest alert that waits for one of these channels, leased to the caller; None when there is none."""
    rows = warehouse.rows(_CLAIM, {"channels": list(channels), "lease": LEASE})
    if not rows:
        return None
    return Waiting(rows[0]["alert_id"], rows[0]["channel"], Alert.of(rows[0]["content"]))


def sent(warehouse: Warehouse, waiting: Waiting) -> None:
    """The channel took it."""
    warehouse.execute(
        "update control.alert_sends set status = 'sent', sent_at = clock_timestamp(), error = null, lease_until = null "
        "where alert_id = %s and channel = %s",
        (waiting.alert_id, waiting.channel),
    )


def failed(warehouse: Warehouse, waiting: Waiting, error: str) -> None:
    """The channel did not take it: it waits for a later callback, after 1, 4, 9... minutes, and is given up after some."""
    warehouse.execute(
        """
        update control.alert_sends
        set status = case when attempts >= %s then 'given_up' else 'waiting' end, error = %s,
            lease_until = clock_timestamp() + attempts * attempts * interval '1 minute'
        where alert_id = %s and channel = %s
        """,
        (ATTEMPTS, error[:_LONGEST], waiting.alert_id, waiting.channel),
    )


def unsent(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Per channel what did not get through within the last week: alerts, since when, the last error."""
    return warehouse.rows(
        """
        select sends.channel, count(*) as alerts, min(alerts.noted_at) as since,
            bool_or(sends.status = 'given_up') as given_up,
            (array_agg(sends.error order by alerts.alert_id desc) filter (where sends.error is not null))[1] as error
        from control.alert_sends as sends
        inner join control.alerts as alerts using (alert_id)
        where sends.status <> 'sent' and alerts.noted_at > clock_timestamp() - interval '7 days'
            and (sends.error is not null or alerts.noted_at < clock_timestamp() - interval '2 minutes')
        group by sends.channel
        order by sends.channel
        """
    )


_TOLD = """
    select distinct sends.channel
    from control.alert_sends as sends
    inner join control.alerts as alerts using (alert_id)
    where alerts.subject = %(subject)s and alerts.event in ('gate_closed', 'failed', 'late')
        and alerts.alert_id < %(alert)s
        and alerts.alert_id > coalesce(
            (
                select max(alert_id) from control.alerts
                where subject = %(subject)s and event = 'recovered' and alert_id < %(alert)s
            ),
            0
        )
"""

_CLAIM = """
    with next as (
        select sends.alert_id, sends.channel
        from control.alert_sends as sends
        inner join control.alerts as alerts using (alert_id)
        where sends.status = 'waiting' and sends.channel = any(%(channels)s)
            and (sends.lease_until is null or sends.lease_until < clock_timestamp())
            and alerts.noted_at > clock_timestamp() - interval '2 days'
        order by sends.alert_id
        limit 1
        for update of sends skip locked
    )
    update control.alert_sends as sends
    set attempts = sends.attempts + 1, lease_until = clock_timestamp() + %(lease)s::interval
    from next
    inner join control.alerts as alerts on next.alert_id = alerts.alert_id
    where sends.alert_id = next.alert_id and sends.channel = next.channel
    returning sends.alert_id, sends.channel, alerts.content
"""
