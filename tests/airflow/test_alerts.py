"""People are told: once a run and channel, why, and what to do; and once more when it is over."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lifehouse.context import Context
from support.dag_test import AirflowOf
from support.receivers import Inbox, http_inbox, mail_inbox
from support.tiny import ANN, BEN, TINY, Company

ALERTS = """
alerts:
  - {kind: mail, connection: team_mail, to: [team@example.org], severity: warning}
  - {kind: slack, connection: team_slack}
  - {kind: webhook, connection: pager, events: [gate_closed, failed, late]}
"""
TEA = ("o1", "p1", "2024-01-05T12:00:00Z", "tea", 1, 10, "EUR", "sale")


@pytest.fixture
def web() -> Iterator[Inbox]:
    with http_inbox() as inbox:
        yield inbox


@pytest.fixture
def post() -> Iterator[Inbox]:
    with mail_inbox() as inbox:
        yield inbox


@pytest.fixture
def tiny(
    make_context: Callable[..., Context],
    airflow_database: Callable[[], str],
    tmp_path: Path,
    web: Inbox,
    post: Inbox,
) -> Iterator[AirflowOf]:
    """The tiny company with three channels."""
    project, folder = tmp_path / "project", tmp_path / "company"
    shutil.copytree(TINY, project)
    marker = project / "lifehouse.yml"
    marker.write_text(marker.read_text() + ALERTS)
    folder.mkdir()
    company = Company(make_context(project_root=project), folder)
    smtp = {"disable_ssl": True, "disable_tls": True, "from_email": "lifehouse@example.org"}
    with AirflowOf.start(
        company,
        airflow_database(),
        AIRFLOW_CONN_TEAM_MAIL=json.dumps(
            {"conn_type": "smtp", "host": "127.0.0.1", "port": post.port, "extra": smtp}
        ),
        AIRFLOW_CONN_TEAM_SLACK=json.dumps(
            {"conn_type": "slackwebhook", "host": f"{web.url}/services", "password": "T0/B0/hush-hush"}
        ),
        AIRFLOW_CONN_PAGER=json.dumps(
            {"conn_type": "http", "host": f"{web.url}/pager", "password": "pager-key"}
        ),
    ) as started:
        yield started


@pytest.mark.slow
def test_a_closed_gate_is_told_once_by_every_channel_and_so_is_its_end(
    tiny: AirflowOf, web: Inbox, post: Inbox
) -> None:
    web.answers = {"/pager": [503]}  # the first call: tried again at once
    tiny.company.people("all", [ANN, BEN])
    tiny.company.lines("2024-01-05", [("o1", "p1", "yesterday", "tea", 1, "ten", "EUR", "sale")])
    bad = tiny.test("source_tiny")
    assert bad["tasks"] == {"ingest": "success", "raw_gate": "failed"}

    (mail,) = post.mails
    assert mail["To"] == "team@example.org"
    assert mail["Subject"] == "[Tiny Ltd (test)] the gate closed: raw gate of source tiny, load 1"
    told = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    for part in ("tiny.lines.ordered_at", "1 of 1 records", "Owner: data-team", "Nothing is published yet."):
        assert part in told
    assert "/dags/source_tiny/runs/manual__" in told
    assert "/lifehouse/quality/raw/tiny/load-1/" in told
    assert tiny.company.ctx.home.path.joinpath("data_docs/raw/tiny/load-1/index.html").is_file()
    links = {value for _, key, value in bad["xcoms"] if key.startswith("_link_")}
    assert {link.strip('"').partition("/lifehouse/")[2] for link in links} == {"quality/raw/tiny/load-1/"}

    pager = [post for post in web.posts if post.path == "/pager"]
    assert len({post.headers["Idempotency-Key"] for post in pager}) == 1
    assert pager[0].headers["Authorization"] == "Bearer pager-key"
    assert pager[0].body["event"] == "gate_closed"
    assert [post.path for post in web.posts].count("/pager") == 2
    assert [post.path for post in web.posts].count("/services/T0/B0/hush-hush") == 1
    for value in ("yesterday", "Ann", "1234567"):
        assert value not in json.dumps([post.body for post in web.posts]) + told
    sends = "select channel, status from control.alert_sends order by alert_id, channel"
    assert [row[1] for row in tiny.company.rows(sends)] == ["sent"] * 3

    tiny.company.lines("2024-01-05", [TEA])
    good = tiny.test("source_tiny")
    assert good["state"] == "success"
    assert [mail["Subject"] for mail in post.mails[1:]] == ["[Tiny Ltd (test)] well again: source tiny"]
    assert [row[0] for row in tiny.company.rows(sends)[3:]] == ["mail team_mail", "slack team_slack"]
    assert "hush-hush" not in bad["log"] + good["log"]
    assert "pager-key" not in bad["log"] + good["log"]
