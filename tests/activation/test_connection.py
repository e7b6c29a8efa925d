"""Airflow Connections, read without Airflow."""

from __future__ import annotations

import pytest

from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.platforms.webhook import Webhook, WebhookOptions
from lifehouse.errors import ConfigError

FORMS = {
    '{"conn_type": "http", "host": "https://api.example.com/v1", "password": "t0ken"}': "https://api.example.com/v1",
    '{"conn_type": "http", "host": "http://127.0.0.1", "port": 8080, "password": "t0ken"}': "http://127.0.0.1:8080",
    '{"conn_type": "http", "host": "api.example.com", "schema": "https", "password": "t0ken"}': "https://api.example.com",
    '{"conn_type": "generic", "password": "t0ken", "extra": {"url": "s3://bucket/lists"}}': "s3://bucket/lists",
    '{"conn_type": "aws", "password": "t0ken", "extra": "{\\"url\\": \\"s3://bucket\\"}"}': "s3://bucket",
    "http://:t0ken@127.0.0.1:8080/v1": "http://127.0.0.1:8080/v1",
    "https://user:t0ken@api.example.com": "https://api.example.com",
    "http://:t0ken@https%3A%2F%2Fapi.example.com": "https://api.example.com",
    "sftp://user:t0ken@files.example.com:2222/in": "sftp://files.example.com:2222/in",
}


@pytest.mark.parametrize(("text", "url"), FORMS.items())
def test_both_forms_are_understood(monkeypatch: pytest.MonkeyPatch, text: str, url: str) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_MAIL_TOOL", text)
    found = PlatformConnection.from_environment("mail_tool")
    assert (found.url, found.secret) == (url, "t0ken")


@pytest.mark.parametrize("url", ["http://api.example.com", "ftp://api.example.com", "nowhere", "http://[::1"])
def test_people_do_not_travel_unencrypted_or_nowhere(url: str) -> None:
    with pytest.raises(ConfigError, match=r"is not encrypted|is no web address"):
        Webhook(WebhookOptions(), PlatformConnection(url))


@pytest.mark.parametrize("url", ["https://api.example.com", "http://127.0.0.1:80", "http://localhost"])
def test_https_and_this_machine_will_do(url: str) -> None:
    Webhook(WebhookOptions(), PlatformConnection(url))
    Webhook(WebhookOptions(), PlatformConnection("http://receiver:80", extra={"allow_http": True}))


def test_secrets_do_not_show() -> None:
    shown = repr(
        PlatformConnection("https://me:pa55@api.example.com/?key=abc", "me", "t0ken", {"x": "hidden"})
    )
    assert shown == "PlatformConnection(https://api.example.com)"


def test_a_missing_or_broken_connection_says_what_to_set_and_shows_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ConfigError, match="set AIRFLOW_CONN_MAIL_TOOL"):
        PlatformConnection.from_environment("mail_tool")
    monkeypatch.setenv("AIRFLOW_CONN_MAIL_TOOL", '{"password": "t0ken"')
    with pytest.raises(ConfigError) as caught:
        PlatformConnection.from_environment("mail_tool")
    assert "t0ken" not in str(caught.value)
