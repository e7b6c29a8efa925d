"""Files in a bucket and on an SFTP server as a source."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lifehouse.errors import SourceError
from lifehouse.ingest.record import TableCounts
from support.remote import SECRET_WORDS, Bucket, Place, SftpFolder

TABLES = """
kind: files
connection: CONNECTION
quarantine_share: 0.2
tables:
  lines:
    files: "*.csv"
    replaces: file
    empty: EMPTY
    columns:
      item: {type: text, from: Item, required: true}
      amount: {type: numeric, from: Amount}
"""


@pytest.fixture
def till(make_house: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Makes the house that reads a place; its credentials come from the environment."""

    def make(place: Place, empty: str = "refused") -> Any:
        options = {}
        for name, value in place.settings.items():
            monkeypatch.setenv(f"TILL_{name.upper()}", str(value))
            options[name] = f"${{TILL_{name.upper()}}}"
        connection = json.dumps({"url": place.url, "options": options})
        return make_house(TABLES.replace("CONNECTION", connection).replace("EMPTY", empty), "till")

    return make


def test_new_and_changed_files_are_read_and_no_other(till: Callable[..., Any], place: Place) -> None:
    place.put("1.csv", b"Item,Amount\ntea,1\n")
    place.put("2.csv", b"Item,Amount\nmilk,4\n")
    place.put(".3.csv.part", b"Item,Amo")
    house = till(place)
    assert house.judged_night().tables["lines"] == TableCounts(2, 2, 0, 0)
    assert house.night().load_id is None
    place.put("3.csv", b"Item,Amount\nbread,5\n")
    place.put("2.csv", b"Item,Amount\nmilk,4\ncream,6\n")
    third = house.night()
    read = house.rows(f"select file, rows from control.files where load_id = {third.load_id} order by 1")
    assert read == [("2.csv", 2), ("3.csv", 1)]
    assert house.night().load_id is None


def test_a_file_of_several_megabytes_arrives_whole(till: Callable[..., Any], place: Place) -> None:
    place.put("1.csv", b"Item,Amount\n" + b"".join(b"%0100d,%d\n" % (n, n) for n in range(60_000)))
    house = till(place)
    assert house.night().tables["lines"].loaded == 60_000
    assert house.value("select sum(amount)::bigint from raw_till.lines") == 60_000 * 59_999 // 2


def test_an_unknown_host_key_is_refused(
    till: Callable[..., Any], sftp_folder: SftpFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    sftp_folder.put("1.csv", b"Item,Amount\ntea,1\n")
    del sftp_folder.settings["host_key"]
    with pytest.raises(SourceError, match=r"till: the SFTP server .* shows an unknown host key, ssh-ed25519"):
        till(sftp_folder).ingest()


def test_a_folder_that_is_not_there_is_told(till: Callable[..., Any], sftp_folder: SftpFolder) -> None:
    with pytest.raises(
        SourceError, match=r"till\.lines: the folder sftp://127\.0\.0\.1:\d+/\S+ does not exist"
    ):
        till(sftp_folder, empty="allowed").ingest()


def test_an_empty_folder_of_a_bucket_is_empty_and_a_bucket_that_is_not_there_is_told(
    till: Callable[..., Any], bucket: Bucket
) -> None:
    house = till(bucket, empty="allowed")
    assert house.ingest().load_id is None
    house.declare(bucket.name, "nowhere")
    with pytest.raises(SourceError, match="the folder s3://nowhere/in/here does not exist"):
        house.ingest()


def test_a_bucket_that_does_not_let_us_in_is_no_empty_bucket(
    till: Callable[..., Any], bucket: Bucket
) -> None:
    bucket.put("1.csv", b"Item,Amount\ntea,1\n")
    wrong = replace(bucket, settings={**bucket.settings, "secret": "wr0ng-credential"})
    with pytest.raises(SourceError, match="cannot be read \\(PermissionError\\)") as told:
        till(wrong, empty="allowed").ingest()
    assert "wr0ng" not in str(told.value)


def test_no_secret_is_logged(
    till: Callable[..., Any], place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.put("1.csv", b"Item,Amount\ntea,1\n")
    caplog.set_level(logging.DEBUG)
    till(place).night()
    assert caplog.records
    assert not [word for word in SECRET_WORDS if word in caplog.text]
