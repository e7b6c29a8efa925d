"""The syncs' files, and the command line that reads them."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner
from world import World

from lifehouse.activation.declaration import find_sync, load_sync
from lifehouse.cli.app import build
from lifehouse.errors import ConfigError, LifehouseError
from lifehouse.project import INSTALLATION, Project

GOOD = """\
sync: push
owner: crm-team
description: champions
segment: champions
platform: webhook
connection: receiver
consent: {channel: email, purpose: marketing}
"""


def load(tmp_path: Path, text: str) -> object:
    path = tmp_path / "push.yml"
    path.write_text(text, encoding="utf-8")
    return load_sync(path)


def test_the_syncs_that_ship_are_sound_and_name_segments_that_exist() -> None:
    files = Project(INSTALLATION).sync_files
    assert files
    defined = (INSTALLATION / "dbt_project" / "seeds" / "segment_definitions.csv").read_text(encoding="utf-8")
    for path in files:
        assert re.search(rf"^{load_sync(path).segment},", defined, re.MULTILINE)


def test_a_sync_needs_little(tmp_path: Path) -> None:
    sync = load_sync_of(tmp_path)
    assert (sync.key, sync.mode, sync.account_name, sync.guards.max_age) == (
        "email",
        "mirror",
        "receiver",
        timedelta(days=3),
    )


def load_sync_of(tmp_path: Path) -> object:
    return load(tmp_path, GOOD)


MISTAKES = {
    GOOD.replace("segment:", "segmnt:"): r"push.yml:4: unknown key 'segmnt'; did you mean 'segment'",
    GOOD.replace("webhook", "webhok"): r"unknown platform 'webhok'; did you mean 'webhook'",
    GOOD.replace("sync: push", "sync: pull"): r"is 'pull', but the file's name says 'push'",
    GOOD.replace("{channel: email, purpose: marketing}", "none"): r"needs a reason_without_consent",
    GOOD.replace(
        "channel: email", "channel: pigeon"
    ): r"^[^\n]*push.yml:7: consent.channel: Input should be 'email'[^\n]*$",
    GOOD.replace(
        "{channel: email, purpose: marketing}", "nne"
    ): r"^[^\n]*push.yml:7: consent: Input should be 'none', or a mapping with channel$",
    GOOD
    + "fields:\n  em: {colum: email}\n": r"push.yml:9: fields.em: unknown key 'colum'; did you mean 'column'",
    GOOD + "guards: {max_age: soon}\n": r"push.yml:8: guards.max_age: 'soon' is no length of time",
    GOOD + "holdout: {share: 1.5}\n": r"push.yml:8: holdout.share",
    GOOD + "options:\n  pth: /x\n": r"push.yml:9: options: unknown key 'pth'; did you mean 'path'",
    GOOD + "mode: upsertt\n": r"push.yml:8: mode",
    GOOD + "fields: {em: {column: email, hash: sha256}}\n": r"key: email would be sent as it is",
    GOOD
    + "key: {column: email, hash: sha256}\nfields: {fn: first_name}\n": r"fields.fn: first_name would be sent",
    GOOD + "key: {column: country, hash: sha256}\n": r"key: country is no e-mail, phone or name",
}


@pytest.mark.parametrize(("text", "words"), MISTAKES.items(), ids=MISTAKES.values())
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load(tmp_path, text)


def test_an_unknown_sync_is_told_with_the_nearest(world: World) -> None:
    with pytest.raises(ConfigError, match="did you mean 'push'"):
        find_sync(world.ctx.project, "psh")


def run_cli(world: World, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    monkeypatch.setenv("LIFEHOUSE_HOME", str(world.ctx.home.path))
    monkeypatch.setenv("LIFEHOUSE_PROJECT", str(world.ctx.project.root))
    monkeypatch.setenv("LIFEHOUSE_WAREHOUSE_URL", world.ctx.warehouse.url)
    monkeypatch.setenv(
        "AIRFLOW_CONN_RECEIVER", f"http://:{world.connection.secret}@{world.connection.url.split('//')[1]}"
    )
    monkeypatch.setenv("COLUMNS", "160")
    done = CliRunner().invoke(build(), list(arguments))
    if done.exception and not isinstance(done.exception, SystemExit | LifehouseError):
        raise done.exception
    return done.exit_code, done.output


def test_the_command_line_plans_and_syncs_without_showing_a_person(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.people(120)
    world.consent("c0002", "withdrawn")
    code, planned = run_cli(world, monkeypatch, "plan", "push")
    assert code == 0
    assert re.search(r"add\s+119", planned)
    assert re.search(r"without consent\s+1", planned)
    assert "2 calls of at most 100 rows" in planned
    code, synced = run_cli(world, monkeypatch, "sync", "push")
    assert code == 0
    assert "119 confirmed, 0 refused" in synced
    assert "example.com" not in planned + synced
    assert "Name 1" not in planned + synced


def test_a_plan_that_its_guards_would_stop_says_so_and_fails(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare(guards={"min_size": 5})
    code, planned = run_cli(world, monkeypatch, "plan", "push")
    assert code == 1
    assert "✗ champions must have at least 5 rows to hold, but it has 0" in planned
