"""Looks at a folder of CSV files: which belong together, how they are written, what types and keys their values fit."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from lifehouse.errors import SourceError
from lifehouse.scaffold import types
from lifehouse.scaffold.sketch import Column, Found, Table, snake

_FILES_LOOKED_AT = 12  # spread over the folder, first and last included
_ROWS_LOOKED_AT = 300_000
_SAMPLE = 64 * 1024  # bytes for the delimiter
_DELIMITERS = ",;\t|"
_ID = re.compile(r"(^|_)(id|no|nr|number|key|code|sku|uuid|email)$")
_PLACE = re.compile(r"(order_|invoice_)?(line|row|position|pos|sequence|seq)(_?(id|no|nr|number))?")
_DATE_OR_NUMBER = re.compile(r"[-_. ]*\d+([-_.:T ]*\d+)*[-_. ]*")


def look(folder: Path) -> Found:
    """Every table that the folder's CSV files seem to hold.

    :raises SourceError: no CSV files, or a file without a header.
    """
    paths = sorted(path for path in folder.glob("*.csv") if path.is_file()) if folder.is_dir() else []
    if not paths:
        below = len(list(folder.glob("*/**/*.csv"))) if folder.is_dir() else 0
        hint = f"; {below} lie in folders below it: name one of those" if below else ""
        raise SourceError(f"{folder}: no files named *.csv{hint}")
    groups: dict[tuple[str, ...], list[Path]] = {}
    writing: dict[Path, tuple[str, str]] = {}
    for path in paths:
        writing[path] = _how_written(path)
        groups.setdefault(tuple(_header(path, *writing[path])), []).append(path)
    tables = []
    for header, members in groups.items():
        delimiter, encoding = writing[members[0]]
        pattern, name = _pattern(members, paths)
        tables.append(_table(name, header, members, pattern, delimiter, encoding))
    return Found("files", str(folder.resolve()), tuple(tables))


def _how_written(path: Path) -> tuple[str, str]:
    """Delimiter and encoding of a file."""
    with path.open("rb") as handle:
        sample = handle.read(_SAMPLE)
    encoding = "utf-8-sig" if sample.startswith(b"\xef\xbb\xbf") else "utf-8"
    try:
        text = (
            sample.decode(encoding, errors="strict")
            if len(sample) < _SAMPLE
            else sample[:-4].decode(encoding)
        )
    except UnicodeDecodeError:
        encoding, text = "cp1252", sample.decode("cp1252", errors="replace")
    first = text.splitlines()[0] if text else ""
    delimiter = max(_DELIMITERS, key=first.count)
    return delimiter, encoding


def _header(path: Path, delimiter: str, encoding: str) -> list[str]:
    with path.open(newline="", encoding=encoding, errors="replace") as handle:
        header = next(csv.reader(handle, delimiter=delimiter), [])
    names = [name.strip() for name in header]
    if not names or not all(names) or len(set(map(snake, names))) < len(names):
        raise SourceError(
            f"{path}: the first line must name every column, each once; found {len(names)} names"
        )
    if all(types.looks_like_data(name) for name in names):
        raise SourceError(
            f"{path}: the first line looks like data, not like a header; add a line with the columns' names"
        )
    return names


def _pattern(members: list[Path], everything: list[Path]) -> tuple[str, str]:
    """The glob that means exactly these files, and a name for the table."""
    stems = {_DATE_OR_NUMBER.sub("", path.stem) for path in members}
    stem = stems.pop() if len(stems) == 1 else ""
    name = snake(stem) if stem else ""
    if len(members) == len(everything):
        return "*.csv", name
    if stem and len(members) > 1:
        pattern = f"{stem}*.csv" if members[0].stem.startswith(stem) else f"*{stem}*.csv"
        if {path for path in everything if path.match(pattern)} == set(members):
            return pattern, name
    if len(members) == 1:
        return members[0].name, name
    raise SourceError(
        f"{members[0].parent}: {len(members)} files share one header ({members[0].name}, {members[1].name}...) "
        "but no pattern of names sets them apart from the others; put each table's files under one prefix"
    )


def _table(
    name: str, header: tuple[str, ...], members: list[Path], pattern: str, delimiter: str, encoding: str
) -> Table:
    step = max(1, (len(members) - 1) // (_FILES_LOOKED_AT - 1))
    looked_at = sorted({*members[::step], members[-1]})
    rows = list(_rows(looked_at, len(header), delimiter, encoding))
    columns = tuple(_column(label, [row[index] for row in rows]) for index, label in enumerate(header))
    return Table(
        name=name,
        columns=columns,
        key=_key(columns, rows),
        files=pattern,
        delimiter=delimiter,
        encoding=encoding,
        rows_seen=len(rows),
        file_count=len(members),
    )


def _rows(paths: list[Path], width: int, delimiter: str, encoding: str) -> Iterator[list[str]]:
    """Well-formed rows, values stripped; malformed lines are the raw gate's matter."""
    for path in paths:
        with path.open(newline="", encoding=encoding, errors="replace") as handle:
            reader = csv.reader(handle, delimiter=delimiter)
            next(reader, None)
            for number, row in enumerate(reader):
                if number >= _ROWS_LOOKED_AT // len(paths):
                    break
                if len(row) == width:
                    yield [value.strip() for value in row]


def _column(header: str, values: list[str]) -> Column:
    given = [value for value in values if value]
    kind = types.of(given)
    return Column(
        name=snake(header),
        header=header,
        type=kind.name,
        complete=bool(values) and len(given) == len(values),
        float_ids=kind.float_ids,
        date_format=kind.date_format,
        latest=max(given)[:10] if kind.name in ("date", "timestamp", "timestamptz") else "",
    )


def _key(columns: tuple[Column, ...], rows: list[list[str]]) -> tuple[str, ...]:
    """The first id, else the first id with a number within it (an order's line), that tells every row apart; else none.

    Other pairs are not taken: an order and a product look like a key until somebody scans the same thing twice.
    """
    ids = [
        index
        for index, column in enumerate(columns)
        if column.complete and _ID.search(column.name) and not column.date_format
    ]
    places = [
        index for index, column in enumerate(columns) if column.complete and _PLACE.fullmatch(column.name)
    ]
    for candidate in [*((index,) for index in ids), *((a, b) for a in ids for b in places if a != b)]:
        if len({tuple(row[index] for index in candidate) for row in rows}) == len(rows):
            return tuple(columns[index].name for index in candidate)
    return ()
