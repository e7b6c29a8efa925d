"""A source's declaration, ``dags/sources/<name>.yml``: what is loaded, how, how often, and what must hold of it.

Each rule is written once there; it is compiled into the quarantine SQL and into the Great Expectations suite.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

import yaml
from phonenumbers import SUPPORTED_REGIONS
from pydantic import Field, StringConstraints, field_validator, model_validator

from lifehouse import config
from lifehouse.activation.durations import Duration as Length
from lifehouse.errors import ConfigError
from lifehouse.ingest.connections import FilesConnection, RestConnection, SqlConnection
from lifehouse.ingest.table import Duration, FileTable, RestTable, SqlTable, Table
from lifehouse.project import Project

#: Names become identifiers in Postgres (63 bytes): ``quarantine.<source>_<table>``, ``raw_<source>``.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=28)]


class Source(config.Strict):
    """One source system, of whatever kind."""

    source: Name
    owner: str = Field(description="who is told when its gate closes")
    description: str
    kind: Literal["sql", "rest", "files"]
    connection: SqlConnection | RestConnection | FilesConnection
    schedule: str = Field(description="cron")
    time_zone: str = Field("UTC", description="IANA zone in which the source means times without an offset")
    date_order: Literal["ymd", "mdy", "dmy"] = Field("ymd", description="of dates that come as text")
    phone_region: str | None = Field(
        None, description="of telephone numbers that are written without a country code, ISO 3166: DE"
    )
    quarantine_share: float = Field(0.01, ge=0, le=1, description="of bad records; above it the gate closes")
    retention: Duration | None = Field(
        None, description="how long superseded records are kept; without it always"
    )
    deadline: Length | None = Field(
        None,
        gt=timedelta(0),
        description="after a tick of the schedule, by which its delivery must be accepted",
    )
    tables: Mapping[Name, Table] = Field(min_length=1)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError) as error:
            raise ValueError(f"unknown time zone {zone!r}; use an IANA name: Europe/Berlin") from error
        return zone

    @field_validator("phone_region")
    @classmethod
    def _known_region(cls, region: str | None) -> str | None:
        if region is not None and region not in SUPPORTED_REGIONS:
            near = difflib.get_close_matches(region.upper(), sorted(SUPPORTED_REGIONS), n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(f"no telephone numbers are known of the region {region!r}{hint}")
        return region

    @model_validator(mode="after")
    def _logs_are_declared(self) -> Self:
        for name, table in self.tables.items():
            log = table.deletions.log if table.deletions else None
            if log is None:
                continue
            if log.table not in self.tables or log.table == name:
                raise ValueError(
                    f"tables: {name}: deletions: log: {log.table} is no other table of this source"
                )
            named = {*log.key.values(), *((log.at,) if log.at else ())}
            if unknown := sorted(named - set(self.tables[log.table].columns)):
                raise ValueError(f"tables: {name}: deletions: log: {log.table} has no column {unknown[0]}")
            if log.at and not table.cursor:
                raise ValueError(
                    f"tables: {name}: deletions: log: `at` is compared with a cursor, and there is none"
                )
        return self

    @property
    def raw_schema(self) -> str:
        return f"raw_{self.source}"

    @property
    def landing_schema(self) -> str:
        return f"landing_{self.source}"


class SqlSource(Source):
    """A database."""

    kind: Literal["sql"]
    connection: SqlConnection
    tables: dict[Name, SqlTable] = Field(min_length=1)


class RestSource(Source):
    """An HTTP API."""

    kind: Literal["rest"]
    connection: RestConnection
    tables: dict[Name, RestTable] = Field(min_length=1)


class FilesSource(Source):
    """Folders of files."""

    kind: Literal["files"]
    connection: FilesConnection
    tables: dict[Name, FileTable] = Field(min_length=1)


_KINDS: dict[Any, type[Source]] = {"sql": SqlSource, "rest": RestSource, "files": FilesSource}


def load_source(path: Path) -> Source:
    """The declaration in ``path``. ``${NAME}`` in ``connection`` is looked up only when the source is read.

    :raises ConfigError: one line per mistake, with file and line.
    """
    try:
        kind = (config.read(path.read_text(encoding="utf-8")) or {}).get("kind")
    except (OSError, yaml.YAMLError, AttributeError):
        kind = None  # config.load says what is wrong
    source = config.load(path, _KINDS.get(kind, Source), variables=False)
    if source.source != path.stem:
        raise ConfigError(f"{path}: source: {source.source!r} must be the file's name, {path.stem!r}")
    return source


def find_source(project: Project, name: str) -> Source:
    """The project's source of this name.

    :raises ConfigError: there is none, or its declaration is wrong.
    """
    for path in project.source_files:
        if path.stem == name:
            return load_source(path)
    known = ", ".join(path.stem for path in project.source_files) or "none"
    raise ConfigError(f"{project.root}/dags/sources: no source {name!r}; there are: {known}")
