"""Files of changes in a bucket and on an SFTP server: whole or not there, and only where we are sure whom we speak to."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from world import World

from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.platforms.csv_drop import CsvDrop
from lifehouse.activation.run import SyncResult, sync
from lifehouse.errors import PlatformError
from support.remote import SECRET_WORDS, Bucket, Place, SftpFolder

csv.field_size_limit(1 << 24)
#: Each row as big as a tenth of what a bucket takes in one part: the upload is under way when it is interrupted.
BIG = "x" * 600_000
KILLED = f"""
import os, signal
from lifehouse.activation.platforms.csv_drop import CsvDrop
from lifehouse.activation.run import sync
from lifehouse.context import Context
rows = []
def values(self, row):
    rows.append(row)
    if len(rows) == 12:
        os.kill(os.getpid(), signal.SIGKILL)
    return ["x" * {len(BIG)}]
CsvDrop._values = values
sync(Context.current(), "drop")
"""


@pytest.fixture
def drop(world: World) -> World:
    """A sync ``drop`` that keeps the full state too, and does not try again for long."""
    world.declare(
        "drop",
        platform="csv_drop",
        connection="drop",
        options={"folder": "lists", "full_state": True},
        sending={"attempts": 2, "backoff": "1ms"},
    )
    return world


def send(world: World, place: Place) -> SyncResult:
    return sync(world.ctx, "drop", place.connection)


def listed(place: Place) -> dict[str, list[list[str]]]:
    """The files of the sync's folder, read as CSV."""
    return {
        name.removeprefix("lists/"): list(csv.reader(io.StringIO(content.decode())))
        for name, content in place.files().items()
    }


def deliveries(place: Place) -> list[list[list[str]]]:
    return [lines for name, lines in sorted(listed(place).items()) if ".run-" in name]


def in_small_parts(place: Place) -> Place:
    """A bucket that is written in parts of 5 MiB, the smallest there are."""
    if isinstance(place, Bucket):
        return replace(place, settings={**place.settings, "default_block_size": 5 << 20})
    return place


def interrupt(monkeypatch: pytest.MonkeyPatch, what: Any, after: int = 12) -> None:
    """Call ``what`` when this many big rows were written."""
    rows: list[object] = []

    def values(self: CsvDrop, row: object) -> list[str]:
        rows.append(row)
        if len(rows) == after:
            what()
        return [BIG]

    monkeypatch.setattr(CsvDrop, "_values", values)


def test_the_delivery_and_the_full_state_arrive_whole_and_a_repeat_doubles_nothing(
    drop: World, place: Place
) -> None:
    drop.people(1_000)
    result = send(drop, place)
    assert (result.confirmed, result.calls) == (1_000, 2)
    [delivery] = deliveries(place)
    assert len(delivery) == len(listed(place)["drop.full.csv"]) == 1_001
    assert delivery[1_000] == ["add", "c1000@example.com", "Name 1000", "1000", "active"]
    before = place.files()
    assert send(drop, place).calls == 0
    assert place.files() == before
    drop.leave(["c0001"])
    send(drop, place)
    assert [line[:2] for line in deliveries(place)[-1]] == [
        ["action", "key"],
        ["remove", "c0001@example.com"],
    ]
    assert len(listed(place)["drop.full.csv"]) == 1_000
    assert len(listed(place)) == 3


def test_a_sync_killed_in_mid_upload_leaves_nothing_to_read_and_the_next_one_completes_it(
    drop: World, place: Place
) -> None:
    drop.people(15)
    place = in_small_parts(place)
    connection = place.connection
    account = {
        "conn_type": "generic",
        "login": connection.login,
        "password": connection.secret,
        "extra": {"url": connection.url, **connection.extra},
    }
    environment = {
        **os.environ,
        "LIFEHOUSE_HOME": str(drop.ctx.home.path),
        "LIFEHOUSE_PROJECT": str(drop.ctx.project.root),
        "LIFEHOUSE_WAREHOUSE_URL": drop.ctx.warehouse.url,
        "AIRFLOW_CONN_DROP": json.dumps(account),
    }
    killed = subprocess.run([sys.executable, "-c", KILLED], env=environment, timeout=60, check=False)
    assert killed.returncode == -9
    assert not [name for name in listed(place) if name.endswith(".csv")]
    if isinstance(place, Bucket):
        assert place.unfinished() == 1
    else:
        assert [name for name in listed(place) if name.endswith(".part")]
    send(drop, place)
    assert [len(lines) for lines in deliveries(place)] == [16]
    assert len(listed(place)) == 2


def test_an_upload_that_fails_leaves_nothing_and_what_was_there_stays(
    drop: World, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop.people(15)
    place = in_small_parts(place)
    send(drop, place)
    before = place.files()
    drop.sql("update marts.customers set first_name = 'Another'")

    def fail() -> None:
        raise RuntimeError("the warehouse went away")

    for after in (12, 27):  # within the delivery, and within the full state that follows it
        with monkeypatch.context() as patched:
            interrupt(patched, fail, after)
            with pytest.raises((RuntimeError, ExceptionGroup)):
                send(drop, place)
        if after == 12:
            assert place.files() == before
        assert len(listed(place)["drop.full.csv"]) == 16
        assert "Another" not in str(listed(place)["drop.full.csv"])
        assert not isinstance(place, Bucket) or place.unfinished() == 0
    send(drop, place)
    assert "Another" in str(listed(place)["drop.full.csv"])
    assert not [name for name in listed(place) if name.startswith(".")]


def test_an_sftp_server_that_hangs_up_in_mid_upload_is_called_again(
    drop: World, sftp_folder: SftpFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop.people(15)
    interrupt(monkeypatch, sftp_folder.hang_up)
    result = send(drop, sftp_folder)
    assert (result.confirmed, result.calls) == (15, 3)
    assert [len(lines) for lines in deliveries(sftp_folder)] == [16]
    assert len(listed(sftp_folder)) == 2


def test_an_sftp_server_without_room_is_not_believed(
    drop: World, sftp_folder: SftpFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop.people(15)

    def cut() -> None:
        for part in (sftp_folder.folder / "lists").glob(".*.part"):
            part.unlink()
            part.touch()

    interrupt(monkeypatch, cut)
    result = send(drop, sftp_folder)
    assert result.calls == 3
    assert [len(lines) for lines in deliveries(sftp_folder)] == [16]


def test_an_unknown_host_key_is_refused_until_the_connection_pins_it(
    drop: World, sftp_folder: SftpFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(drop.ctx.home.path))
    drop.people(2)
    host_key = sftp_folder.settings.pop("host_key")
    with pytest.raises(PlatformError, match=r"unknown host key, ssh-ed25519 SHA256:\S+; .* pin it"):
        send(drop, sftp_folder)
    assert listed(sftp_folder) == {}
    assert drop.ctx.warehouse.value("select count(*) from activation.outbox where settled_at is null") == 2
    known = drop.ctx.home.path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{sftp_folder.port} {host_key}\n")
    sftp_folder.settings["known_hosts"] = str(known)
    assert send(drop, sftp_folder).confirmed == 2


def test_a_server_with_another_host_key_is_refused_even_if_any_is_allowed(
    drop: World, sftp_folder: SftpFolder
) -> None:
    drop.people(1)
    host_key = sftp_folder.settings["host_key"]
    other = (sftp_folder.folder.parent.parent / "user.pub").read_text()
    sftp_folder.settings |= {"host_key": other, "no_host_key_check": True}
    with pytest.raises(PlatformError, match="not the one that is pinned"):
        send(drop, sftp_folder)
    assert host_key != other
    del sftp_folder.settings["host_key"]
    assert send(drop, sftp_folder).confirmed == 1


@pytest.mark.parametrize("wrong", ["secret", "key"])
def test_a_bucket_that_does_not_let_us_in_is_asked_once(drop: World, bucket: Bucket, wrong: str) -> None:
    drop.people(1)
    bucket.settings[wrong] = "wr0ng-credential"
    with pytest.raises(
        PlatformError, match=f"PermissionError while writing .* to {bucket.url}/lists"
    ) as told:
        send(drop, bucket)
    assert "wr0ng" not in str(told.value)
    assert drop.ctx.warehouse.value("select calls from activation.sync_runs") == 1


def test_a_bucket_that_does_not_exist_is_not_made(drop: World, bucket: Bucket) -> None:
    drop.people(1)
    nowhere = replace(bucket, name="nowhere")
    with pytest.raises(PlatformError, match="FileNotFoundError while writing"):
        send(drop, nowhere)
    assert "nowhere" not in [item["Name"] for item in bucket.client.list_buckets()["Buckets"]]


@pytest.mark.parametrize(
    ("url", "extra", "words"),
    [
        ("sftp://127.0.0.1:1/in", {"hostkey": "x"}, "an SFTP connection has no option hostkey"),
        ("sftp://127.0.0.1:1/in", {"host_key": "x"}, "host_key is no public key"),
        ("sftp://127.0.0.1:1/in", {"private_key": "x"}, "private_key is no Ed25519, ECDSA or RSA key"),
        ("carrier-pigeon://loft/in", {}, "no file system opens this address"),
    ],
)
def test_a_connection_that_cannot_be_right_is_told(
    drop: World, url: str, extra: dict[str, Any], words: str
) -> None:
    drop.people(1)
    with pytest.raises(PlatformError, match=words):
        sync(drop.ctx, "drop", PlatformConnection(url, extra=extra))


def test_a_password_in_the_url_is_in_no_log_and_no_error(
    drop: World, sftp_folder: SftpFolder, caplog: pytest.LogCaptureFixture
) -> None:
    drop.people(1)
    caplog.set_level(logging.DEBUG)
    url = sftp_folder.url.replace("://", "://someone:wr0ng-password@")
    extra = {"host_key": sftp_folder.settings["host_key"]}
    with pytest.raises(PlatformError, match="takes neither our password nor our key") as told:
        sync(drop.ctx, "drop", PlatformConnection(url, extra=extra))
    recorded = drop.ctx.warehouse.rows("select message from activation.sync_runs")
    assert "wr0ng" not in f"{told.value} {recorded} {caplog.text}"


def test_no_secret_is_logged_by_a_sync(drop: World, place: Place, caplog: pytest.LogCaptureFixture) -> None:
    drop.people(1)
    caplog.set_level(logging.DEBUG)
    send(drop, place)
    assert caplog.records
    assert not [word for word in SECRET_WORDS if word in caplog.text]
