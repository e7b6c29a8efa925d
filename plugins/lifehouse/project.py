"""A project: the folder of one company's configuration, marked by ``lifehouse.yml``.

The repository itself is the project of the demo company. ``lifehouse init`` makes others. A project has
``lifehouse.yml``, ``dags/sources/*.yml``, ``dags/syncs/*.yml`` and ``dbt_project/models/staging/<source>/``;
everything else (the models right of staging, the DAGs, the gates) comes from the installation.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from lifehouse import config
from lifehouse.activation.caps import Cap
from lifehouse.activation.durations import Duration
from lifehouse.alerts.declaration import Channel
from lifehouse.errors import ConfigError
from lifehouse.identity.declaration import Identity
from lifehouse.lifecycles.recorded import Recorded

#: The checkout that this package is installed from (``plugins/lifehouse/project.py`` is two levels below it).
INSTALLATION = Path(__file__).resolve().parents[2]
MARKER = "lifehouse.yml"


class Company(config.Strict):
    """``lifehouse.yml``: what the whole house must know about the company."""

    company: str = Field(description="the company's name, shown on reports")
    note: str = Field(
        "", description="a sentence shown wherever the data is shown, e.g. that it is simulated"
    )
    reporting_currency: str = Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")
    time_zone: str = Field("UTC", description="IANA zone in which days, weeks and months are reported")
    schedule: str = Field("0 4 * * *", description="cron clock of the marts DAG, in the company's time zone")
    windows: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="lifecycle -> window -> its length here: 365d, or one that follows the rhythm",
    )
    recorded: dict[str, Recorded] = Field(
        default_factory=dict,
        description="pipeline that a source records itself -> its stages in order, with labels",
    )
    required_sources: list[str] = Field(
        default_factory=list, description="sources that a release waits for when they are late"
    )
    deadline: Duration | None = Field(
        None,
        gt=timedelta(0),
        description="after a tick of the schedule, by which its release must be published",
    )
    caps: dict[str, Cap] = Field(
        default_factory=dict,
        description="kind of push -> how often it may reach the same customer, of all syncs together",
    )
    alerts: list[Channel] = Field(default_factory=list, description="who is told of what, and how")

    identity: Identity = Field(
        default_factory=lambda: Identity.model_validate({}), description="how records find their customer"
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError) as error:
            raise ValueError(f"unknown time zone {zone!r}; use an IANA name such as Europe/Berlin") from error
        return zone

    @field_validator("alerts")
    @classmethod
    def _different(cls, alerts: list[Channel]) -> list[Channel]:
        keys = [channel.key for channel in alerts]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"two channels are named {twice[0]!r}; give them a name: each")
        return alerts


@dataclass(frozen=True)
class Project:
    """A company's configuration folder."""

    root: Path

    @classmethod
    def current(cls) -> Project:
        """The project named by ``LIFEHOUSE_PROJECT``, else the nearest folder upwards with ``lifehouse.yml``, else the demo's."""
        named = os.environ.get("LIFEHOUSE_PROJECT")
        if named:
            root = Path(named).absolute()
            if not (root / MARKER).is_file():
                raise ConfigError(f"{root}: has no {MARKER}; LIFEHOUSE_PROJECT must name a project folder")
            return cls(root)
        here = Path.cwd()
        for folder in (here, *here.parents):
            if (folder / MARKER).is_file():
                return cls(folder)
        return cls(INSTALLATION)

    @cached_property
    def company(self) -> Company:
        return config.load(self.root / MARKER, Company)

    @property
    def source_files(self) -> list[Path]:
        """The declarations of the sources, ``dags/sources/*.yml``, sorted by name."""
        return sorted((self.root / "dags" / "sources").glob("*.yml"))

    @property
    def sync_files(self) -> list[Path]:
        """The declarations of the syncs, ``dags/syncs/*.yml``, sorted by name."""
        return sorted((self.root / "dags" / "syncs").glob("*.yml"))

    @property
    def staging_folder(self) -> Path:
        return self.root / "dbt_project" / "models" / "staging"
