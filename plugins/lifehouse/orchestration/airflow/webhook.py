"""Airflow's notifier for an endpoint of your own: an alert as a JSON body, with a key by which a repetition is known."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from airflow.sdk import BaseHook
from airflow.sdk.bases.notifier import BaseNotifier

from lifehouse.activation.connection import PlatformConnection
from lifehouse.errors import LifehouseError
from lifehouse.orchestration.airflow.places import is_loopback, require_safe

_PAUSES = (0.5, 2.0)  # seconds between attempts
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class WebhookNotifier(BaseNotifier):
    """``POST`` to the connection's address: ``Authorization: Bearer <password>``, or basic where it has a login."""

    template_fields: Sequence[str] = ()  # what customers' systems wrote is never a template

    def __init__(
        self, connection_id: str, body: Mapping[str, Any], key: str, *, timeout: float = 10, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.connection_id, self.body, self.key, self.timeout = connection_id, body, key, timeout

    def notify(self, context: Any) -> None:
        """Send, again after a passing fault.

        :raises LifehouseError: it was not taken; the message has no address beyond the host, and no credential.
        """
        found = BaseHook.get_connection(self.connection_id)
        place = PlatformConnection.of_parts(
            found.conn_type,
            found.host,
            found.port,
            found.schema,
            found.login,
            found.password,
            found.extra_dejson,
        )
        url = httpx.URL(place.url)
        require_safe(url.scheme == "https", url.host, f"connection {self.connection_id}")
        headers, auth = {"User-Agent": "lifehouse", "Idempotency-Key": self.key}, None
        if place.login and place.secret:
            auth = httpx.BasicAuth(place.login, place.secret)
        elif place.secret:
            headers["Authorization"] = f"Bearer {place.secret}"
        with httpx.Client(
            headers=headers, auth=auth, timeout=self.timeout, trust_env=not is_loopback(url.host)
        ) as client:
            for pause in (*_PAUSES, None):
                fault = self._post(client, url)
                if fault is None:
                    return
                if pause is None:
                    raise LifehouseError(f"{place.place}: {fault}")
                time.sleep(pause)

    def _post(self, client: httpx.Client, url: httpx.URL) -> str | None:
        """None when it was taken, the fault when it may pass."""
        try:
            response = client.post(url, json=dict(self.body))
        except httpx.TransportError as error:
            return type(error).__name__
        if response.is_success:
            return None
        if response.status_code in _AGAIN:
            return f"HTTP {response.status_code}"
        raise LifehouseError(f"{url.scheme}://{url.host}: refused with HTTP {response.status_code}")
