"""Off this machine everything travels encrypted, unless somebody said otherwise; and no address shows its secrets."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from lifehouse import folders, transport
from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.platforms.webhook import Webhook, WebhookOptions
from lifehouse.errors import ConfigError, LifehouseError
from lifehouse.ingest.connections import RestConnection
from lifehouse.ingest.declaration import load_source
from lifehouse.ingest.extract_sql import url_of
from lifehouse.warehouse.connection import Warehouse

HERE = [
    "127.0.0.1",
    "127.8.8.8",
    "localhost",
    "LOCALHOST",
    "::1",
    "[::1]",
    "",
    None,
    "/var/run/postgresql",
    "db.localhost",
]
AWAY = [
    "10.0.0.5",
    "db.example.com",
    "0.0.0.0",
    "192.168.1.1",
    "localhost.example.com",
    "::2",
    "127.0.0.1.example.com",
]
SECRET = "pa-55-word"


@pytest.mark.parametrize("host", HERE)
def test_this_machine_is_known(host: str | None) -> None:
    assert transport.is_here(host)


@pytest.mark.parametrize("host", AWAY)
def test_another_machine_is_never_taken_for_this_one(host: str) -> None:
    assert not transport.is_here(host)


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql://u:p@db.example.com/x", "require"),
        ("postgres://u:p@db.example.com/x?application_name=y", "require"),
        ("postgresql+psycopg://u:p@10.0.0.5:5432/x", "require"),
        ("postgresql://u:p@127.0.0.1,db.example.com/x", "require"),
        ("postgresql://u:p@/x?hostaddr=10.0.0.5", "require"),
        ("host=db.example.com user=u password='p' dbname=x", "require"),
        ("postgresql://u:p@db.example.com/x?sslmode=verify-full", "verify-full"),
        ("postgresql://u:p@db.example.com/x?sslmode=disable", "disable"),
        ("postgresql://u:p@127.0.0.1:5432/x", None),
        ("postgresql://u:p@localhost/x", None),
        ("postgresql:///x?host=/var/run/postgresql", None),
        ("postgresql:///x", None),
    ],
)
def test_postgres_is_asked_for_tls_off_this_machine(
    url: str, mode: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGSSLMODE", "PGHOST"):
        monkeypatch.delenv(name, raising=False)
    assert transport.libpq(transport.postgres(url)).get("sslmode") == mode
    assert transport.postgres(transport.postgres(url)) == transport.postgres(url)
    assert (transport.weakness(url) is not None) == (mode == "disable")


def test_libpqs_own_variables_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.example.com")
    assert transport.libpq(transport.postgres("postgresql:///x"))["sslmode"] == "require"
    monkeypatch.setenv("PGSSLMODE", "disable")
    assert "sslmode" not in transport.libpq(transport.postgres("postgresql://db.example.com/x"))
    assert "PGSSLMODE" not in str(transport.weakness("postgresql://db.example.com/x"))
    assert "disable" in str(transport.weakness("postgresql://db.example.com/x"))


def test_every_way_to_the_warehouse_and_to_a_source_has_the_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGSSLMODE", raising=False)
    warehouse = Warehouse("postgresql://u:p@db.example.com:5432/x")
    assert warehouse.parameters["sslmode"] == "require"  # dbt's profile and pg_dump take it from here
    assert warehouse.sqlalchemy_url.endswith("sslmode=require")  # Great Expectations
    source = url_of("shop", "postgresql://u:p%40ss@db.example.com:5432/x")
    assert source.query["sslmode"] == "require"
    assert (source.drivername, source.password) == ("postgresql+psycopg", "p@ss")
    assert url_of("shop", "sqlite:////tmp/x.db").drivername == "sqlite"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{SECRET}/with@slash:x@db.example.com:port/x",
        f"postgresql://u:{SECRET}@db.example.com/x?no_such_option=1",
        f"postgresql://u:{SECRET}@db.example.com:{SECRET}/x",
    ],
)
def test_an_address_that_cannot_be_read_is_not_quoted(url: str) -> None:
    for attempt in (lambda: Warehouse(url), lambda: url_of("shop", url)):
        with pytest.raises(ConfigError) as raised:
            attempt()
        assert SECRET not in str(raised.value)
        assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"https://user:{SECRET}@api.example.com/v1?token={SECRET}#x", "https://api.example.com/v1"),
        (f"sftp://user:{SECRET}@@/host/in", "sftp:///host/in"),
        (f"https://user:a/{SECRET}@host:1/x", "https://host:1/x"),
        ("/data/in", "/data/in"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert transport.shown(url) == shown


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_rest_off_this_machine_must_be_https_or_declared(scheme: str) -> None:
    def made(**more: object) -> RestConnection:
        return RestConnection.model_validate(
            {"base_url": f"{scheme}://u:{SECRET}@api.example.com/v1", **more}
        )

    if scheme == "https":
        assert made()
        return
    with pytest.raises(ValidationError, match="not encrypted") as raised:
        made()
    assert SECRET not in str(raised.value)
    assert made(insecure=True)
    assert RestConnection.model_validate({"base_url": "http://127.0.0.1:8000"})
    with pytest.raises(ValidationError, match="no address"):
        RestConnection.model_validate({"base_url": "ftp://api.example.com"})


def test_the_refusal_of_a_declaration_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "crm.yml"
    file.write_text(
        "source: crm\nowner: x\ndescription: x\nkind: rest\nschedule: '0 2 * * *'\n"
        "connection:\n  base_url: http://api.example.com\n"
        "tables: {t: {path: /t, key: id, columns: {id: {type: text}}}}\n"
    )
    with pytest.raises(ConfigError, match=r"crm\.yml:6: connection: .*not encrypted"):
        load_source(file)


@pytest.mark.parametrize("name", ["insecure", "allow_http"])
def test_a_webhook_off_this_machine_must_be_https_or_declared(name: str) -> None:
    options = WebhookOptions()
    with pytest.raises(ConfigError, match="not encrypted"):
        Webhook(options, PlatformConnection("http://platform.example.com"))
    Webhook(options, PlatformConnection("http://platform.example.com", extra={name: True}))
    Webhook(options, PlatformConnection("https://platform.example.com"))
    Webhook(options, PlatformConnection("http://127.0.0.1:1"))


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("http://files.example.com/in", {}),
        ("ftp://files.example.com/in", {}),
        ("s3://bucket/in", {"endpoint_url": f"http://u:{SECRET}@s3.example.com"}),
        ("s3://bucket/in", {"client_kwargs": {"endpoint_url": "http://s3.example.com"}}),
        ("s3://bucket/in", {"use_ssl": False}),
    ],
)
def test_files_never_travel_unencrypted_to_another_machine(url: str, settings: dict[str, object]) -> None:
    with pytest.raises(LifehouseError, match=r"encrypted") as raised, folders.opened(url, settings):
        raise AssertionError("opened")
    assert SECRET not in str(raised.value)


def test_a_folder_here_needs_no_encryption(tmp_path: Path) -> None:
    with folders.opened(str(tmp_path), {}) as (_, root):
        assert root == str(tmp_path)
    with folders.opened(f"file://{tmp_path}", {"insecure": True}) as (_, root):
        assert root == str(tmp_path)
