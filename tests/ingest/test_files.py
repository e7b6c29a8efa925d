"""Folders of files as a source: a file is known by name and content."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lifehouse.errors import GateClosed, SourceError
from lifehouse.ingest.record import TableCounts

LINES = """
kind: files
connection: {url: "${TEST_FEED}"}
quarantine_share: 0.2
tables:
  lines:
    files: "*.csv*"
    replaces: file
    columns:
      item: {type: text, from: Item, required: true}
      amount: {type: numeric, from: Amount}
"""
PEOPLE = """
kind: files
connection: {url: "${TEST_FEED}"}
quarantine_share: 0.2
tables:
  people:
    files: "*.jsonl"
    format: jsonl
    key: id
    columns:
      id: {type: bigint}
      name: {type: text}
      city: {type: text, from: address.city}
"""


@pytest.fixture
def feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "feed"
    folder.mkdir()
    monkeypatch.setenv("TEST_FEED", str(folder))
    return folder


@pytest.fixture
def lines(make_house: Callable[..., Any], feed: Path) -> Any:
    (feed / "1.csv").write_text('Item,Amount\ntea,1.005\n"a ""b"",\nc",2\n,3\n'.replace(",3", "x,3"))
    (feed / "2.csv").write_text("Item,Amount\nmilk,4\n")
    return make_house(LINES, "till")


def test_only_new_and_changed_files_are_read(lines: Any, feed: Path) -> None:
    assert lines.judged_night().tables["lines"] == TableCounts(4, 4, 0, 0)
    assert lines.night().load_id is None
    (feed / "3.csv").write_text("Item,Amount\nbread,5\n")
    (feed / "2.csv").write_text("Item,Amount\nmilk,4\ncream,6\n")
    third = lines.night()
    assert third.tables["lines"] == TableCounts(3, 3, 0, 0)
    read = lines.rows(f"select file, rows from control.files where load_id = {third.load_id} order by 1")
    assert read == [("2.csv", 2), ("3.csv", 1)]


def test_values_arrive_as_they_are_with_file_and_line(lines: Any) -> None:
    lines.night()
    rows = lines.rows("select item, amount::text, _file, _line from raw_till.lines order by _file, _line")
    assert rows == [
        ("tea", "1.005", "1.csv", 2),
        ('a "b",\nc', "2", "1.csv", 3),
        ("x", "3", "1.csv", 4),
        ("milk", "4", "2.csv", 2),
    ]


def test_a_malformed_line_is_set_aside_and_the_others_keep_their_numbers(lines: Any, feed: Path) -> None:
    many = "".join(f"item {n},{n}\n" for n in range(4, 20))
    (feed / "3.csv").write_text(f"Item,Amount\nbread,5\nbutter,6,7\n{many}oops\njam,not a number\n")
    result = lines.night()
    assert result.tables["lines"] == TableCounts(received=24, loaded=21, unchanged=0, quarantined=3)
    kept = lines.rows(
        "select reason, column_name, payload ->> '_line' as line, payload ->> '_malformed' as text "
        "from quarantine.till_lines order by (payload ->> '_line')::int"
    )
    assert kept == [
        ("malformed line", None, "3", "butter,6,7"),
        ("malformed line", None, "20", "oops"),
        ("not a numeric", "amount", "21", None),
    ]
    assert lines.value("select _line from raw_till.lines where item = 'item 19'") == 19


def test_a_file_of_nonsense_closes_the_gate_and_is_read_again_when_corrected(lines: Any, feed: Path) -> None:
    lines.night()
    (feed / "3.csv").write_text("Item,Amount\nbread\nbutter\njam,1\n")
    with pytest.raises(GateClosed) as closed:
        lines.judged_night()
    assert "till.lines: 2 of 3 records: malformed line" in closed.value.failures
    (feed / "3.csv").write_text("Item,Amount\nbread,1\nbutter,1\njam,1\n")
    assert lines.night().tables["lines"].loaded == 3


def test_a_missing_column_closes_the_gate_and_a_new_one_is_kept(lines: Any, feed: Path) -> None:
    (feed / "3.csv").write_text("Item,Amount,Colour\nbread,5,brown\nsalt,1,\n")
    lines.night()
    assert lines.rows("select item, _extra from raw_till.lines where _file = '3.csv' order by _line") == [
        ("bread", {"Colour": "brown"}),
        ("salt", None),
    ]
    (feed / "4.csv").write_text("Item\nbread\n")
    with pytest.raises(GateClosed) as closed:
        lines.judged_night()
    assert closed.value.failures == ["till.lines.amount: 1 declared column is missing at the source"]


def test_an_empty_file_is_set_aside_and_a_header_alone_is_a_quiet_day(lines: Any, feed: Path) -> None:
    (feed / "3.csv").write_text("")
    (feed / "4.csv").write_text("Item,Amount\n")
    assert lines.night().tables["lines"] == TableCounts(5, 4, 0, 1)
    assert lines.value("select count(*) from control.files") == 4


def test_words_and_dates_in_doubt_are_not_guessed(make_house: Callable[..., Any], feed: Path) -> None:
    dates = "2020-02-01T03:04:05+01:00 2020-02-01 yesterday now infinity 13/02/2020 1577836800"
    numbers = "1e3 -.5 NaN Infinity 1,5 12abc"
    (feed / "1.csv").write_text(
        "Item,Amount,At\n"
        + "".join(f"x,,{word}\n" for word in dates.split())
        + "".join(f'x,"{word}",\n' for word in numbers.split())
    )
    house = make_house(LINES + "      at: {type: timestamptz, from: At}\n", "till")
    house.declare("0.2", "1")
    assert house.night().tables["lines"] == TableCounts(13, 4, 0, 9)
    assert house.rows("select amount::text from raw_till.lines where amount is not null order by amount") == [
        ("-0.5",),
        ("1000",),
    ]
    house.declare("owner:", "date_order: dmy\nowner:")
    (feed / "2.csv").write_text("Item,Amount,At\nx,1,13/02/2020\n")
    house.night()
    assert str(house.value("select at from raw_till.lines where _file = '2.csv'")).startswith("2020-02-13")


def test_compressed_files_and_nul_characters_are_read(lines: Any, feed: Path) -> None:
    (feed / "3.csv.gz").write_bytes(gzip.compress(b"Item,Amount\nzip\x00ped,1\n"))
    assert lines.night().tables["lines"].loaded == 5
    assert lines.value("select item from raw_till.lines where _file = '3.csv.gz'") == "zip\ufffdped"


def test_parquet_keeps_what_text_can_say(make_house: Callable[..., Any], feed: Path) -> None:
    table = pa.table({"Item": ["tea", None], "Amount": pa.array([1.25, 2.5]), "Tags": [["a"], None]})
    pq.write_table(table, feed / "1.parquet")
    house = make_house(
        LINES.replace("*.csv*", "*.parquet").replace("replaces:", "format: parquet\n    replaces:"), "till"
    )
    house.declare("0.2", "0.5")
    assert house.night().tables["lines"] == TableCounts(2, 1, 0, 1)
    assert house.rows("select item, amount::text, _extra from raw_till.lines") == [
        ("tea", "1.25", {"Tags": '["a"]'})
    ]


def test_the_newest_file_wins_a_key(make_house: Callable[..., Any], feed: Path) -> None:
    ann = {"id": 1, "name": "Ann", "address": {"city": "Bath"}}
    (feed / "1.jsonl").write_text(json.dumps(ann) + "\n")
    (feed / "2.jsonl").write_text(json.dumps(ann | {"name": "Anne"}) + '\n{"id": 2, "name": null}\n{broken\n')
    house = make_house(PEOPLE, "club")
    house.declare("0.2", "0.25")
    assert house.night().tables["people"] == TableCounts(received=4, loaded=2, unchanged=1, quarantined=1)
    assert house.rows("select id, name, city, _file from raw_club.people order by id") == [
        (1, "Anne", "Bath", "2.jsonl"),
        (2, None, None, "2.jsonl"),
    ]
    (feed / "3.jsonl").write_text(json.dumps(ann | {"name": "Anne"}) + "\n")
    assert house.night().tables["people"] == TableCounts(1, 0, 1, 0)


def test_what_cannot_be_read_is_named(lines: Any, feed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (feed / "3.csv").write_bytes("Item,Amount\ncaf\xe9,1\n".encode("latin-1"))
    with pytest.raises(
        SourceError, match=r"till.lines: the file 3.csv cannot be read as csv \(wrong encoding\)"
    ):
        lines.ingest()
    lines.declare("files:", "encoding: latin-1\n    files:")
    assert lines.night().tables["lines"].loaded == 5
    monkeypatch.setenv("TEST_FEED", "/nowhere/at/all")
    with pytest.raises(SourceError, match=r"till.lines: the folder /nowhere/at/all does not exist"):
        lines.ingest()
