"""How a table's source tells what it deleted: by a flag on the record, a full list of keys, or a log of deleted keys."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from lifehouse import config

_Name = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*$", max_length=60)]


def _as_text(value: Any) -> Any:
    """A YAML scalar as Postgres writes it; a single one is a list of one."""
    values = value if isinstance(value, list | tuple) else [value]
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in values]


class Flag(config.Strict):
    """The record itself says that it is deleted."""

    column: _Name
    values: Annotated[tuple[str, ...], BeforeValidator(_as_text)] = Field(
        (),
        description="which mean deleted; without them true of a boolean, of another column any that is set",
    )


class KeyList(config.Strict):
    """The full list of keys is read with every extract; a key that raw holds and the list lacks is deleted."""

    path: str | None = Field(None, description="rest, with a cursor: where the list of keys is")
    records: str | None = Field(None, description="rest: JSON path of the list; else that of the table")
    params: dict[str, Any] = Field(default_factory=dict, description="rest: query parameters")


class Log(config.Strict):
    """Another table of the source lists deleted keys; each of its new records deletes once."""

    table: _Name
    key: dict[_Name, _Name] = Field(min_length=1, description="this table's key column: the log's column")
    at: _Name | None = Field(
        None, description="the log's time; a record of the same load with a later cursor lives"
    )


class Deletions(config.Strict):
    """Exactly one of the three ways, and how many keys may go at once before the raw gate closes."""

    flag: Flag | None = None
    keys: KeyList | None = None
    log: Log | None = None
    max_share: float = Field(0.1, ge=0, le=1, description="of the keys that live; more closes the gate")
    spare_rows: int = Field(20, ge=0, description="so many may always go")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """``deletions: keys`` and ``keys: true`` are short for ``{keys: {}}``."""
        if value == "keys":
            return {"keys": {}}
        if isinstance(value, dict) and value.get("keys", False) in (None, True):
            return {**value, "keys": {}}
        return value

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(way is not None for way in (self.flag, self.keys, self.log)) != 1:
            raise ValueError("say one of `flag`, `keys`, `log`")
        return self
