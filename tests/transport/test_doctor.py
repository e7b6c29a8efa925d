"""The doctor names connections that somebody declared weaker than they are by default, and no others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lifehouse.context import Context
from lifehouse.doctor.findings import Verdict
from lifehouse.doctor.travel import connections
from lifehouse.home import Home
from lifehouse.project import Project
from lifehouse.warehouse.connection import Warehouse

_SOURCE = """
source: {name}
owner: data-team
description: a source
kind: {kind}
connection: {connection}
schedule: "0 2 * * *"
tables:
  orders:
    key: [order_id]
    {table}
    columns: {{order_id: {{type: text, required: true}}}}
"""
_TABLES = {"files": 'files: "*.csv"', "rest": "path: orders", "sql": "table: orders"}
_SYNC = """
sync: actives
owner: data-team
description: the active
segment: status_active
platform: webhook
connection: crm
consent: {channel: email}
"""
HERE, SECRET = "postgresql://u:p@127.0.0.1/x", "hush-hush"


def _told(
    root: Path, declared: dict[str, tuple[str, str]], url: str = HERE, sync: bool = False
) -> dict[str, str]:
    for folder in ("sources", "syncs"):
        (root / "dags" / folder).mkdir(parents=True)
    for name, (kind, connection) in declared.items():
        text = _SOURCE.format(name=name, kind=kind, connection=connection, table=_TABLES[kind])
        (root / "dags" / "sources" / f"{name}.yml").write_text(text)
    if sync:
        (root / "dags" / "syncs" / "actives.yml").write_text(_SYNC)
    (root / "lifehouse.yml").write_text("company: A shop\nreporting_currency: EUR\n")
    ctx = Context(Home(root / "home"), Project(root))
    vars(ctx)["warehouse"] = Warehouse(url)  # nobody connects
    found = list(connections(ctx))
    assert all(finding.verdict is Verdict.MIND and finding.what_to_do for finding in found)
    assert SECRET not in str(found)
    return {finding.subject: finding.found for finding in found}


def test_what_is_declared_weaker_is_named_with_its_place_and_without_its_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_URL", f"postgresql://u:{SECRET}@shop.example.com/x?sslmode=disable")
    crm = {
        "conn_type": "http",
        "host": "http://crm.example.com",
        "password": SECRET,
        "extra": {"insecure": True},
    }
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps(crm))
    told = _told(
        tmp_path,
        {
            "shop": ("sql", '{url: "${SHOP_URL}"}'),
            "api": ("rest", '{base_url: "http://api.example.com", insecure: true}'),
            "drop": (
                "files",
                f'{{url: "sftp://in:{SECRET}@drop.example.com/in", options: {{no_host_key_check: true}}}}',
            ),
        },
        f"postgresql://u:{SECRET}@db.example.com/x?sslmode=prefer",
        sync=True,
    )
    assert told == {
        "warehouse": "sslmode=prefer: the connection to db.example.com may be unencrypted",
        "source shop": "sslmode=disable: the connection to shop.example.com may be unencrypted",
        "source api": "`insecure: true` is declared: what goes to http://api.example.com may be unencrypted",
        "source drop": "`no_host_key_check: true` is declared: any server that answers at sftp://drop.example.com/in "
        "is taken for it",
        "sync actives": "`insecure: true` is declared: what goes to http://crm.example.com may be unencrypted",
    }


def test_of_sound_connections_and_of_unknown_ones_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    told = _told(
        tmp_path,
        {
            "shop": ("sql", '{url: "postgresql://u:p@shop.example.com/x"}'),
            "other": ("sql", '{url: "${NOT_SET}"}'),
            "api": ("rest", '{base_url: "http://127.0.0.1:8000", insecure: true}'),
            "drop": ("files", '{url: "sftp://drop.example.com/in"}'),
            "local": ("files", "{url: /data/in, options: {insecure: true}}"),
        },
        sync=True,
    )
    assert told == {}
