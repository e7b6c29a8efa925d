"""Sends an alert through a channel, by Airflow's notifiers and Connections."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from airflow.sdk import BaseHook

from lifehouse.alerts import render
from lifehouse.alerts.alert import Alert
from lifehouse.alerts.declaration import Channel
from lifehouse.errors import LifehouseError
from lifehouse.orchestration.airflow.places import require_safe

_TIMEOUT = 15  # seconds that Slack may take


def send(channel: Channel, alert: Alert, key: str) -> None:
    """Send it now. Notifiers are called by ``notify``: ``__call__`` would read the sentences as templates.

    :raises Exception: whatever the notifier raises; it was not taken, or nobody knows.
    """
    {"mail": _mail, "slack": _slack, "webhook": _webhook}[channel.kind](channel, alert, key)


def fault(channel: Channel, error: Exception) -> str:
    """Why it was not taken, without an address, a credential or a server's words beyond its code."""
    if isinstance(error, LifehouseError):
        return str(error)
    code = getattr(error, "smtp_code", None) or getattr(error, "status_code", None)
    text = f"{type(error).__name__}" + (f" {code}" if code else "")
    if "NotFound" in type(error).__name__ or "is not found" in str(error) or "isn't defined" in str(error):
        text = (
            f"Airflow has no connection {channel.connection!r}: set AIRFLOW_CONN_{channel.connection.upper()}"
        )
    return text


def _mail(channel: Channel, alert: Alert, key: str) -> None:
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier  # noqa: PLC0415  a provider's import

    found = BaseHook.get_connection(channel.connection)
    extra: dict[str, Any] = found.extra_dejson
    is_encrypted = not (_is_on(extra.get("disable_tls")) and _is_on(extra.get("disable_ssl")))
    require_safe(is_encrypted, found.host or "", f"connection {channel.connection}")
    SmtpNotifier(
        to=channel.to,
        from_email=channel.sender,
        subject=render.subject(alert),
        html_content=render.mail(alert),
        smtp_conn_id=channel.connection,
        custom_headers={"X-Lifehouse-Alert": key, "Auto-Submitted": "auto-generated"},
        auth_type=str(extra.get("auth_type") or "basic"),
    ).notify({})


def _slack(channel: Channel, alert: Alert, key: str) -> None:
    from airflow.providers.slack.notifications.slack_webhook import (  # noqa: PLC0415  a provider's import
        SlackWebhookNotifier,
    )

    notifier = SlackWebhookNotifier(
        slack_webhook_conn_id=channel.connection,
        text=render.subject(alert),
        blocks=render.slack(alert),
        unfurl_links=False,
        unfurl_media=False,
        timeout=_TIMEOUT,
    )
    place = urlsplit(notifier.hook.client.url)
    require_safe(place.scheme == "https", place.hostname or "", f"connection {channel.connection}")
    notifier.notify({})


def _webhook(channel: Channel, alert: Alert, key: str) -> None:
    from lifehouse.orchestration.airflow.webhook import WebhookNotifier  # noqa: PLC0415  beside the others

    body = {"alert": key, **alert.content(), "text": render.text(alert)}
    WebhookNotifier(channel.connection, body, key).notify({})


def _is_on(value: Any) -> bool:
    return value is True or str(value).lower() in {"true", "1", "yes"}
