"""A platform's declaration: one YAML file says how its HTTP interface takes rows and how its answers are read.

Texts may hold placeholders, see ``template``; what is read from an answer is said in JMESPath (https://jmespath.org).
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, create_model, model_validator

from lifehouse import config
from lifehouse.activation.platforms import template
from lifehouse.activation.platforms.answers import Expression
from lifehouse.activation.platforms.base import Action
from lifehouse.activation.platforms.calls import Call, Login
from lifehouse.activation.platforms.listing import Members
from lifehouse.errors import ConfigError
from lifehouse.spelling import did_you_mean

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class Auth(config.Strict):
    """How we say who we are. ``{login}``, ``{secret}`` and ``{extra.NAME}`` are the connection's."""

    headers: dict[str, str] = Field(default_factory=dict)
    query: dict[str, str] = Field(default_factory=dict)
    basic: bool = Field(default=False, description="HTTP Basic with the connection's login and password")
    login: Login | None = None


class Pause(config.Strict):
    """The header (JSON) of an answer "rate limited" that says how many minutes it lasts."""

    header: str
    minutes: Expression


class Limits(config.Strict):
    in_flight: int = Field(default=4, ge=1, le=256, description="calls at once")
    per_second: float | None = Field(
        default=None, gt=0, description="calls a second, as the platform publishes it"
    )
    pause: Pause | None = None


class Option(config.Strict):
    """What a sync to the platform may or must say in its ``options``."""

    description: str = Field(min_length=1)
    required: bool = False
    default: str | int | bool | None = None


class Example(config.Strict):
    """A row, a sync's options and a connection's extra, as `lifehouse platform check` fills them in."""

    key: str = "ann@example.com"
    fields: dict[str, Any] = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict)
    extra: dict[str, Any] = Field(default_factory=dict)


class Declared(config.Strict):
    """A platform. ``actions`` are the calls, in turn, for a row that is added, changed or removed."""

    platform: Name
    description: str = Field(min_length=1)
    documentation: str | None = Field(default=None, description="where its maker describes the interface")
    tested: str = Field(
        min_length=1, description="against what: the maker's contract, a simulator, a real system"
    )
    keyed: bool = Field(description="a repeated row replaces itself")
    auth: Auth = Auth()
    headers: dict[str, str] = Field(default_factory=dict)
    limits: Limits = Limits()
    example: Example = Example()
    options: dict[Name, Option] = Field(default_factory=dict)
    calls: dict[Name, Call] = Field(min_length=1)
    members: Members | None = Field(default=None, description="how those who are there are read back")
    opted_out: Members | None = Field(
        default=None, description="who unsubscribed there, where the members do not tell it themselves"
    )
    unreadable: str | None = Field(
        default=None, min_length=1, description="why there are no members to read, and what to do instead"
    )
    actions: dict[Action, tuple[Name, ...]]
    removals_have_fields: bool = Field(
        default=False,
        description="a removal has {fields}, as known now: for a platform that matches people by any of them",
    )
    update: tuple[Name, ...] | None = Field(
        default=None, description="the calls for a row of a sync in mode update, which create nobody"
    )

    @model_validator(mode="after")
    def _hangs_together(self) -> Declared:
        used = {
            **{f"actions.{action}": names for action, names in self.actions.items()},
            "update": self.update or (),
            "members.look_up": (self.members.look_up,) if self.members and self.members.look_up else (),
        }
        for where, names in used.items():
            for name in names:
                if name not in self.calls:
                    raise ValueError(f"{where}: there is no call {name!r}{did_you_mean(name, self.calls)}")
        missing = {"add", "change"} - self.actions.keys()
        if missing:
            raise ValueError(f"actions: say what is called for: {', '.join(sorted(missing))}")
        if not self.keyed and any(len(names) > 1 for names in used.values()):
            raise ValueError("keyed: false: a batch that is repeated must be one call for each action")
        unused = self.calls.keys() - {name for names in used.values() for name in names}
        if unused:
            raise ValueError(f"calls: no action uses {', '.join(sorted(unused))}")
        if not self.removals_have_fields:
            self._require_no_fields_of_removals()
        known = {"sync", "batch", "rows", "row", "key", "id", "fields", "token", "job", "login", "secret"}
        if self.members and not (self.members.key or self.members.asks or self.members.look_up):
            raise ValueError("members: a list of ids alone needs look_up, for rows whose id is not kept")
        if self.members and self.unreadable:
            raise ValueError("unreadable: there are members")
        parts = {"auth", "headers", "calls", "members", "opted_out"}
        for where, text in template.texts(self.model_dump(include=parts)):
            of_lists = {"cursor"} if where.startswith(("members", "opted_out")) else set()
            for name in template.names(text):
                head, _, tail = name.partition(".")
                is_option = head == "options" and tail in self.options
                if not (name in known | of_lists or is_option or (head in ("fields", "extra") and tail)):
                    near = difflib.get_close_matches(
                        name, [*known, *(f"options.{o}" for o in self.options)], n=1
                    )
                    hint = f"; did you mean {{{near[0]}}}?" if near else ""
                    raise ValueError(f"{where}: nothing is called {{{name}}}{hint}")
        return self

    def _require_no_fields_of_removals(self) -> None:
        called = set(self.actions.get("remove", ())) - {*self.actions["add"], *self.actions["change"]}
        for name in sorted(called):
            for where, text in template.texts(self.calls[name].model_dump()):
                if any(one.partition(".")[0] == "fields" for one in template.names(text)):
                    raise ValueError(
                        f"calls.{name}.{where}: a removal has no {{fields}}, unless you write removals_have_fields: true"
                    )

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes that a sync to it may have."""
        return ("mirror", "upsert", "append", *(("update",) if self.update else ()))

    def for_sync(self, mode: str, *, has_fields: bool) -> Declared:
        """The declaration as a sync in that mode uses it."""
        actions = dict(self.actions)
        if mode == "update" and self.update:
            actions |= {"add": self.update, "change": self.update}
        if not has_fields:
            actions = {
                action: tuple(name for name in names if not self.calls[name].if_fields)
                for action, names in actions.items()
            }
        return self.model_copy(update={"actions": actions})

    def size(self, action: Action) -> int:
        """Rows a batch: as many as the calls that are made for all of them take; a look-up may take fewer at a time."""
        calls = [self.calls[name] for name in self.actions[action]]
        always = [call.batch_size for call in calls if not call.only]
        return min(always or [call.batch_size for call in calls], default=1)

    def requests(self, action: Action) -> int:
        """Requests that a batch takes: of calls that are made for some rows alone, a look-up and what it leads to.

        The polling of jobs is not among them.
        """
        names = self.actions[action]
        always = [self.calls[name] for name in names if not self.calls[name].only]
        return sum(map(_requests, always)) or min(2, len(names))

    @property
    def options_model(self) -> type[config.Strict]:
        """The sync's ``options`` as a model of their own."""
        kinds: dict[str, Any] = {
            name: (
                str | int | bool if option.required else str | int | bool | None,
                Field(... if option.required else option.default, description=option.description),
            )
            for name, option in self.options.items()
        }
        return create_model(f"Options_{self.platform}", __base__=config.Strict, **kinds)


def _requests(call: Call) -> int:
    """Of one call: the call, what brings its job's file, what reads its job's end."""
    job = call.job
    return 1 + (len(job.steps) + len(job.reads) + bool(job.more) if job else 0)


def load(path: Path) -> Declared:
    """The declaration in ``path``.

    :raises ConfigError: one line per mistake with ``file:line``.
    """
    declared = config.load(path, Declared, variables=False)
    if declared.platform != path.stem:
        raise ConfigError(
            f"{path}: platform: is {declared.platform!r}, but the file's name says {path.stem!r}"
        )
    return declared
