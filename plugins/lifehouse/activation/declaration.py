"""A sync's declaration: one YAML file in ``dags/syncs``: this segment, mirrored in that platform, under these guards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, PrivateAttr, model_validator

from lifehouse import config
from lifehouse.activation.caps import Cap
from lifehouse.activation.durations import Duration
from lifehouse.activation.platforms import OPTIONS, TELLING, catalog
from lifehouse.activation.platforms.declaration import Declared
from lifehouse.activation.quiet import QuietHours
from lifehouse.errors import ConfigError
from lifehouse.privacy import tags
from lifehouse.privacy.hashing import HASHED, PLACES, Kind, Place
from lifehouse.project import Project
from lifehouse.spelling import did_you_mean

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


Mode = Literal["mirror", "upsert", "update", "append"]


class Consent(config.Strict):
    """What a customer must have granted to be sent anywhere."""

    channel: Literal["email", "sms", "phone", "post", "ads"]
    purpose: str = "marketing"


class Holdout(config.Strict):
    """The share that is deliberately not touched. Syncs that name the same experiment share one draw."""

    share: float = Field(gt=0, lt=1)
    experiment: Name | None = Field(None, description="default: the name of the sync")
    salt: str | None = Field(
        None, description="default: the experiment; keep it for the experiment's whole life"
    )


class ForwardOnly(config.Strict):
    """A field with a stage that the platform's record never goes back in."""

    field: str = Field(description="one of the sync's fields")
    lifecycle: str = Field(description="whose order of stages counts")


class Guards(config.Strict):
    """What must hold before the first call, and afterwards of what the platform refused."""

    max_age: Duration | None = Field(
        default=timedelta(days=3), description="of the published release, by the clock"
    )
    max_behind: Duration | None = Field(
        default=timedelta(0), description="its as-of behind the newest ever published"
    )
    min_size: int = Field(default=0, ge=0, description="rows the platform should hold")
    max_size: int | None = Field(default=None, ge=0)
    max_growth: float | None = Field(
        default=1.0, ge=0, description="share of what the platform holds; 1.0 = may double"
    )
    max_shrink: float | None = Field(default=0.5, ge=0, le=1, description="share of what the platform holds")
    max_consent_drop: float | None = Field(
        default=0.2,
        ge=0,
        le=1,
        description="by which the share of members with consent may fall since the run before, of what it was",
    )
    max_refused_before: float | None = Field(
        default=0.5,
        ge=0,
        le=1,
        description="share of the rows that the platform refused in the last run it answered",
    )
    answer_within: Duration | None = Field(
        default=timedelta(hours=12),
        description="that a person has, in Airflow, to let a stopped run go on; null: it fails at once",
    )
    ignore_below: int = Field(default=100, ge=0, description="rows, below which no share of them is judged")
    max_refused: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="share of the rows sent; above it the sync fails, having settled all",
    )


class Sending(config.Strict):
    """How rows travel. Sizes are bounded by what the platform takes."""

    batch_size: int | None = Field(default=None, ge=1, description="rows a call; default: the platform's")
    in_flight: int | None = Field(
        default=None, ge=1, le=256, description="calls at once; default: the platform's"
    )
    per_second: float | None = Field(
        default=None, gt=0, description="calls a second; default: what the platform publishes"
    )
    attempts: int = Field(default=6, ge=1, le=50, description="calls for one batch while the platform fails")
    backoff: Duration = Field(
        default=timedelta(milliseconds=500),
        description="before the second attempt; then doubles, with jitter, up to a minute",
    )
    opens_after: int = Field(
        default=5,
        ge=2,
        description="calls lost in a row, of any batches: from then on one at a time is sent until one is answered",
    )
    patience: Duration = Field(
        default=timedelta(minutes=5), description="with a platform that answers no call; then the sync ends"
    )
    longest_wait: Duration = Field(
        default=timedelta(minutes=15), description="that a platform may ask of us at once"
    )


class Hashed(config.Strict):
    """A column as advertising platforms match it: normalised by its kind, then SHA-256 in hex."""

    column: str
    hash: Literal["sha256"]
    rules: Literal["google", "meta"] = Field(
        "google", description="Google hashes a phone number with its plus sign, Meta without"
    )
    country_code: str | None = Field(
        None, pattern=r"^[1-9][0-9]{0,2}$", description="of phone numbers that are written without one: 49"
    )
    kind: Place | None = Field(None, description="of a column that says where people live; for Meta alone")

    @property
    def hashed_as(self) -> Kind | None:
        """What the column holds, as far as platforms match it by hash."""
        given = tags.contract().get(self.column)
        return given if given in HASHED else self.kind


class Sync(config.Strict):
    """One push. ``fields`` maps the platform's names to columns of ``marts.customers``, as they are or hashed.

    A sync that hands on a hash goes to a platform that matches by hashes: it hands on no e-mail, phone or name as it is.
    """

    sync: Name
    owner: str = Field(min_length=1, description="who is told when it fails")
    description: str = Field(min_length=1)
    segment: str = Field(min_length=1, description="a segment of marts.segments")
    platform: str
    connection: str | None = Field(None, description="id of an Airflow Connection")
    account: str | None = Field(None, description="the platform account, if several connections lead to one")
    mode: Mode = Field(
        "mirror",
        description="mirror: who leaves is removed; upsert: who leaves stays as they are; update: likewise, and nobody is "
        "created; append: everybody once",
    )
    key: str | Hashed = Field(
        "email", description="the column of marts.customers by which the platform knows a person"
    )
    fields: dict[str, str | Hashed] = Field(default_factory=dict, max_length=50)
    consent: Consent | Literal["none"]
    reason_without_consent: str | None = None
    kind: Name | None = Field(
        None, description="what sort of push it is; lifehouse.yml caps how often each sort reaches a customer"
    )
    forward_only: ForwardOnly | None = None
    quiet_hours: QuietHours | None = Field(
        None, description="when nothing is added or changed; removals always are"
    )
    read_back: Duration | None = Field(
        None,
        description="after which the sync first reads back who is there, and mends what differs: `sync reconcile --repair`",
    )
    holdout: Holdout | None = None
    guards: Guards = Guards()
    sending: Sending = Sending()
    options: dict[str, Any] = Field(default_factory=dict, description="the platform's own settings")
    _declared: Declared | None = PrivateAttr(None)
    _cap: Cap | None = PrivateAttr(None)
    _zone: str = PrivateAttr("UTC")

    @model_validator(mode="after")
    def _complete(self) -> Sync:
        if self.consent == "none" and not (self.reason_without_consent or "").strip():
            raise ValueError("consent: none needs a reason_without_consent (the legal basis, in a sentence)")
        if self.consent != "none" and self.reason_without_consent:
            raise ValueError("reason_without_consent goes only with consent: none")
        return self

    @model_validator(mode="after")
    def _moves_a_field_of_its_own(self) -> Sync:
        if self.forward_only and not isinstance(self.fields.get(self.forward_only.field), str):
            known = [name for name, field in self.fields.items() if isinstance(field, str)]
            hint = did_you_mean(self.forward_only.field, known)
            raise ValueError(f"forward_only: {self.forward_only.field!r} is none of the fields{hint}")
        return self

    @model_validator(mode="after")
    def _hashes_what_platforms_know(self) -> Sync:
        given = {"key": self.key, **{f"fields.{name}": field for name, field in self.fields.items()}}
        hashes = {name: field for name, field in given.items() if isinstance(field, Hashed)}
        for name, field in hashes.items():
            if field.hashed_as is None:
                raise ValueError(
                    f"{name}: {field.column} is no e-mail, phone or name, which are what platforms match by hash; "
                    f"of where people live say the kind, for Meta: {', '.join(PLACES)}"
                )
            if field.hashed_as in PLACES and field.rules != "meta":
                raise ValueError(f"{name}: Google takes where people live as it is; write {field.column}")
        for name, plain in given.items() if hashes else ():
            if isinstance(plain, str) and tags.contract().get(plain) in HASHED:
                raise ValueError(
                    f"{name}: {plain} would be sent as it is to a platform that gets hashes; write "
                    f"{name.rpartition('.')[2]}: {{column: {plain}, hash: sha256}}, or take it out"
                )
        return self

    @property
    def declared(self) -> Declared | None:
        """The platform's declaration as the sync's mode uses it; None for one in Python."""
        return self._declared

    @property
    def removals_have_fields(self) -> bool:
        """The platform finds whom it removes by their fields too."""
        return bool(self._declared and self._declared.removals_have_fields and self.fields)

    @property
    def unreadable(self) -> str | None:
        """Why `reconcile` cannot read back who is there, and what to do; None where it can."""
        if self._declared is None:
            option, say = TELLING.get(self.platform, ("", ""))
            is_untold = option and not self.options.get(option)
            return f"the sync's options do not say {say}" if is_untold else None
        if self._declared.members:
            return None
        return (
            self._declared.unreadable
            or "its declaration has no `members:` (docs/add-a-platform.md, Reading back)"
        )

    @property
    def cap(self) -> Cap | None:
        """How often the sync's kind may reach a customer; None where it has no kind."""
        return self._cap

    def quiet_until(self, now: datetime | None = None) -> datetime | None:
        """When the quiet hours end that hold now (UTC); None outside of them."""
        return self.quiet_hours.until(now or datetime.now(UTC), self._zone) if self.quiet_hours else None

    @property
    def zone_column(self) -> str | None:
        """The column of each one's own time zone, if their clocks count."""
        return self.quiet_hours.zone_column if self.quiet_hours else None

    @property
    def zone(self) -> str:
        """The time zone of its quiet hours."""
        return (self.quiet_hours.time_zone if self.quiet_hours else None) or self._zone

    @property
    def key_column(self) -> str:
        """The column that the platform's key is made of."""
        return self.key.column if isinstance(self.key, Hashed) else self.key

    @property
    def columns(self) -> dict[str, str]:
        """The platform's names, and the columns that they are made of."""
        return {
            name: field.column if isinstance(field, Hashed) else field for name, field in self.fields.items()
        }

    @property
    def account_name(self) -> str:
        """What the outbox, the records and the one-sender lock are kept by."""
        return self.account or self.connection or f"{self.platform}:{self.sync}"

    @property
    def experiment(self) -> str:
        return (self.holdout.experiment if self.holdout else None) or self.sync


def load_sync(path: Path) -> Sync:
    """The declaration in ``path``.

    :raises ConfigError: one line per mistake with ``file:line``.
    """
    sync = config.load(path, Sync)
    if sync.sync != path.stem:
        raise ConfigError(f"{path}: sync: is {sync.sync!r}, but the file's name says {path.stem!r}")
    try:
        declared = catalog.find(sync.platform, path.parents[2])
    except LookupError as error:
        line = config.line_of(_node(path), ["platform"])
        raise ConfigError(f"{path}:{line}: platform: {error.args[0]}") from None
    options = declared.options_model if declared else OPTIONS[sync.platform]
    config.validate(sync.options, options, path, _node(path, "options"), below="options")
    if sync.mode == "update" and "update" not in (declared.modes if declared else ()):
        line = config.line_of(_node(path), ["mode"])
        raise ConfigError(f"{path}:{line}: mode: {sync.platform} cannot update without creating; use upsert")
    if sync.kind is not None:
        sync._cap = _cap(sync.kind, path)
    if sync.quiet_hours is not None:
        sync._zone = Project(path.parents[2]).company.time_zone
    sync._declared = declared.for_sync(sync.mode, has_fields=bool(sync.fields)) if declared else None
    if sync.read_back is not None and (why := sync.unreadable):
        line = config.line_of(_node(path), ["read_back"])
        raise ConfigError(f"{path}:{line}: read_back: {sync.platform} cannot be read back: {why}")
    return sync


def _cap(kind: str, path: Path) -> Cap:
    caps = Project(path.parents[2]).company.caps
    if kind not in caps:
        line = config.line_of(_node(path), ["kind"])
        hint = did_you_mean(kind, caps)
        raise ConfigError(f"{path}:{line}: kind: lifehouse.yml has no cap for the kind {kind!r}{hint}")
    return caps[kind]


def find_sync(project: Project, name: str) -> Sync:
    """The project's sync of that name.

    :raises ConfigError: there is none, with the nearest right spelling.
    """
    files = {path.stem: path for path in project.sync_files}
    if name not in files:
        hint = did_you_mean(name, files) or f"; there are: {', '.join(files) or 'none'}"
        raise ConfigError(f"no sync {name!r} in {project.root / 'dags' / 'syncs'}{hint}")
    return load_sync(files[name])


def _node(path: Path, key: str | None = None) -> yaml.Node | None:
    document = config.parsed(path.read_text(encoding="utf-8"))[0]
    if key is None:
        return document
    pairs = document.value if isinstance(document, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)
