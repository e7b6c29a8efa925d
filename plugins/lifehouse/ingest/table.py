"""What a declaration says of one table: its columns, its key, its rules, and how it is read."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator

from lifehouse import config
from lifehouse.ingest.deletions import Deletions
from lifehouse.privacy.kinds import Personal

ColumnName = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*$", max_length=60)]
ClosedDay = Annotated[str, BeforeValidator(str), StringConstraints(pattern=r"^(\d{4}-)?\d{2}-\d{2}$")]
ColumnNames = Annotated[tuple[ColumnName, ...], BeforeValidator(lambda v: (v,) if isinstance(v, str) else v)]
Duration = Annotated[str, StringConstraints(pattern=r"^\d+\s*(s|m|h|d)$")]

TYPES = (
    "text", "bigint", "integer", "smallint", "numeric", "double precision",
    "boolean", "timestamptz", "timestamp", "date", "jsonb",
)  # fmt: skip
TIMES = ("timestamptz", "timestamp", "date")
NUMBERS = ("bigint", "integer", "smallint", "numeric", "double precision")
#: Columns that ingest adds; a declaration may use only the first two, in a file table's ``key``.
RESERVED = ("_file", "_line", "_malformed", "_extra", "_load_id", "_loaded_at", "_hash", "_row", "_deleted")


class Column(config.Strict):
    """One column: its Postgres type and the rules that each value must keep."""

    type: str
    from_: str | None = Field(None, alias="from", description="its name at the source, if that differs")
    required: bool = Field(False, description="null is not allowed")
    allowed: list[str] | None = Field(None, alias="in", min_length=1)
    min: Decimal | str | None = Field(None, description="smallest allowed value; an ISO date for times")
    max: Decimal | str | None = Field(None, description="largest allowed value; an ISO date for times")
    matches: str | None = Field(None, description="POSIX regular expression that text must match")
    not_before: ColumnName | None = Field(None, description="a time that is never later than this one")
    history: bool = Field(True, description="judge how its values look against earlier days")
    personal: Personal | None = Field(
        None, description="what it says of a person: it is masked, hashed, erased"
    )
    description: str = ""

    @field_validator("type")
    @classmethod
    def _known_type(cls, value: str) -> str:
        value = re.sub(r"\s*([(),])\s*", r"\1", value.strip().lower())
        if re.sub(r"^numeric\(\d+(,\d+)?\)$", "numeric", value) not in TYPES:
            raise ValueError(f"unknown type {value!r}; use one of {', '.join(TYPES)}, numeric(12,2)")
        return value

    @property
    def base_type(self) -> str:
        """The type without precision."""
        return self.type.split("(")[0]


class Volume(config.Strict):
    """How many rows are expected.

    ``min_rows`` and ``max_rows`` bound a delivery that is whole: no cursor, or the first load of one with a cursor.
    Besides, the rows of each day are judged against those of earlier days.
    """

    min_rows: int | None = Field(None, ge=0)
    max_rows: int | None = Field(None, ge=0)
    history: bool = Field(True, description="judge rows by earlier days, same weekday first")
    factor: float = Field(1, gt=0, le=10, description="bounds by history are so many times as wide")
    clock: ColumnName | None = Field(None, description="the time that says to which day a record belongs")
    closed: list[ClosedDay] = Field(
        [], description="days without records: 12-25 of each year, 2026-04-05 once"
    )


class Freshness(config.Strict):
    """The newest value of ``column`` must not be older than ``within`` when a load comes in."""

    column: ColumnName
    within: Duration
    history: bool = Field(True, description="judge the age by that of earlier loads, too")
    factor: float = Field(1, gt=0, le=10, description="bounds by history are so many times as wide")


class Table(config.Strict):
    """One table of a source, of whatever kind."""

    description: str = ""
    key: ColumnNames = ()
    cursor: ColumnName | None = Field(None, description="a column that only grows; without it: read whole")
    overlap: Duration | Annotated[int, Field(ge=0)] | None = Field(None, description="read again from there")
    columns: dict[ColumnName, Column] = Field(min_length=1)
    volume: Volume = Field(default_factory=lambda: Volume.model_validate({}))
    freshness: Freshness | None = None
    empty: Literal["allowed", "refused"] | None = None
    deletions: Deletions | None = Field(
        None, description="how deleted records are seen; without it they stay"
    )
    retention: Duration | None = Field(
        None, description="a baseline replaces what is older; else the source's"
    )

    @property
    def unit(self) -> tuple[str, ...]:
        """The columns whose newest accepted delivery replaces all older rows of the same values."""
        return self.key

    @property
    def given(self) -> dict[str, str]:
        """Columns that ingest adds to each row by itself, with their types."""
        return {}

    @property
    def whole(self) -> bool:
        """Every extract is the whole table."""
        return self.cursor is None

    @property
    def refuses_empty(self) -> bool:
        return self.empty == "refused" if self.empty else self.whole

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        named = {*self.key}
        named |= {self.cursor} if self.cursor else set()
        named |= {self.freshness.column} if self.freshness else set()
        named |= {self.volume.clock} if self.volume.clock else set()
        if unknown := sorted(named - set(self.columns) - set(self.given)):
            raise ValueError(f"{', '.join(unknown)}: not among the columns")
        if taken := sorted(set(self.columns) & set(RESERVED)):
            raise ValueError(f"{', '.join(taken)}: such names are given by ingest itself")
        self._times_in_order()
        if not self.unit:
            raise ValueError("needs a `key` (or `replaces: file`, for files of lines without one)")
        if self.cursor and self.overlap is not None:
            clock = self.columns[self.cursor].base_type in TIMES
            if clock != isinstance(self.overlap, str):
                raise ValueError("overlap: a duration such as 1h for a time, a number for a number")
        if self.volume.clock and self.columns[self.volume.clock].base_type not in TIMES:
            raise ValueError(f"volume: clock: {self.volume.clock} must be a time")
        if self.cursor and self.columns[self.cursor].base_type not in (*TIMES, *NUMBERS):
            raise ValueError(f"cursor: {self.cursor} must be a time or a number")
        if self.deletions:
            self._deletions_fit(self.deletions)
        return self

    def _deletions_fit(self, deletions: Deletions) -> None:
        if not self.key or "_file" in self.key:
            raise ValueError("deletions: a record needs a `key` of its own, by which it is known to be gone")
        if deletions.flag and deletions.flag.column not in self.columns:
            raise ValueError(f"deletions: flag: {deletions.flag.column} is not among the columns")
        if deletions.log and set(deletions.log.key) != set(self.key):
            raise ValueError(f"deletions: log: key: say the log's column of each of {', '.join(self.key)}")
        if deletions.keys and deletions.keys.path and not isinstance(self, RestTable):
            raise ValueError("deletions: keys: path: only an API has paths")

    def _times_in_order(self) -> None:
        for name, column in self.columns.items():
            if column.not_before is None:
                continue
            other = self.columns.get(column.not_before)
            if other is None or column.not_before == name:
                raise ValueError(f"{name}: not_before: {column.not_before} is no other column")
            if not {column.base_type, other.base_type} <= set(TIMES):
                raise ValueError(f"{name}: not_before: both columns must be times")


class SqlTable(Table):
    """A table of a database."""

    table: str | None = Field(None, description="its name at the source, if that differs")


class RestTable(Table):
    """A list that an API gives."""

    path: str
    records: str = Field("$", description="JSON path of the list of records in an answer")
    cursor_param: str | None = Field(None, description="query parameter that takes the cursor")
    params: dict[str, Any] = Field(default_factory=dict, description="further query parameters")

    @model_validator(mode="after")
    def _listed(self) -> Self:
        if self.cursor and self.deletions and self.deletions.keys and not self.deletions.keys.path:
            raise ValueError(
                "deletions: keys: a table with a cursor needs the `path` of the full list of keys"
            )
        return self


class FileTable(Table):
    """Files of one shape. A file is known by name and content: only new and changed ones are read."""

    files: str = Field(description="glob below the connection's url, such as '*.csv'")
    format: Literal["csv", "jsonl", "parquet"] = "csv"
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    encoding: str = "utf-8"
    replaces: Literal["file"] | None = Field(None, description="a file replaces its own earlier delivery")

    @property
    def unit(self) -> tuple[str, ...]:
        return ("_file",) if self.replaces else self.key

    @property
    def given(self) -> dict[str, str]:
        return {"_file": "text", "_line": "bigint"}

    @property
    def whole(self) -> bool:
        return False

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        if self.key and self.replaces:
            raise ValueError("`key` or `replaces: file`, not both")
        if self.cursor:
            raise ValueError("files have no cursor: they are known by name and content")
        return self
