"""A lifecycle's declaration: one YAML file with its stages in the order of a customer's life."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError, ValidationInfo, field_validator, model_validator

from lifehouse import config
from lifehouse.errors import ConfigError
from lifehouse.lifecycles.kpis import Measure
from lifehouse.lifecycles.recorded import PREFIX, Label
from lifehouse.lifecycles.rules import Rule, Window
from lifehouse.project import INSTALLATION, MARKER, Project
from lifehouse.spelling import did_you_mean

_WINDOWS = ("within", "over", "at_least", "less_than")
_SENTENCES = ("definition", "formula")
FOLDER = Path("dbt_project") / "lifecycles"
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Kpi(config.Strict):
    """The number by which a stage's success is judged: in words, and as a measure that computes it."""

    name: str = Field(min_length=1)
    formula: str = Field(min_length=1)
    measure: Measure | None = None


class Play(config.Strict):
    """What to do for the people in a stage."""

    name: str = Field(min_length=1)
    measure: str = Field(min_length=1)
    channel: str = Field(min_length=1)
    offer: str | None = None


class Stage(config.Strict):
    """One stage. Only the last of the lifecycle's precedence has no rule: it takes everyone else."""

    stage: Name
    label: Label
    definition: str = Field(min_length=1, description="what the literature means by it, with its source")
    rule: Rule | None = None
    onward: tuple[str, ...] = Field((), description="the stages to which moving on is a success")
    kpi: Kpi
    plays: list[Play] = Field(min_length=2)


class Lifecycle(config.Strict):
    """Stages in the order of a customer's life; rules are tried in the order of ``precedence``.

    ``windows`` have names, by which rules and definitions (``{lost}``) call them and a company sets its own.
    """

    lifecycle: Name
    label: Label
    description: str
    windows: dict[Name, Window] = Field(default_factory=dict)
    stages: list[Stage] = Field(min_length=2)
    precedence: list[str]

    @model_validator(mode="before")
    @classmethod
    def _windows_for_their_names(cls, data: Any) -> Any:
        windows = data.get("windows") if isinstance(data, dict) else None
        if not isinstance(windows, dict):
            return data
        return {**data, "stages": _resolved(data.get("stages"), windows)}

    @field_validator("stages")
    @classmethod
    def _named_once(cls, stages: list[Stage]) -> list[Stage]:
        names = [stage.stage for stage in stages]
        labels = [label for stage in stages for label in (stage.label.en, stage.label.zh)]
        for kind, values in (("stage", names), ("label", labels)):
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                raise ValueError(f"{kind} {twice[0]!r} is used twice")
        return stages

    @field_validator("precedence")
    @classmethod
    def _every_stage_can_be_reached(cls, precedence: list[str], info: ValidationInfo) -> list[str]:
        stages = {stage.stage: stage for stage in info.data.get("stages", [])}
        if not stages:
            return precedence
        for name in precedence:
            if name not in stages:
                raise ValueError(_unknown(name, stages))
        if sorted(precedence) != sorted(stages):
            odd = next(name for name in [*stages, *precedence] if precedence.count(name) != 1)
            raise ValueError(f"each stage stands here once; {odd!r} stands {precedence.count(odd)} times")
        *tried, otherwise = precedence
        without = [name for name in tried if stages[name].rule is None]
        if without:
            raise ValueError(f"stage {without[0]!r} has no rule; only the last may have none")
        if stages[otherwise].rule is not None:
            raise ValueError(f"the last stage {otherwise!r} takes everyone else and must have no rule")
        return precedence

    @field_validator("lifecycle")
    @classmethod
    def _is_not_recorded(cls, name: str) -> str:
        if name.startswith(PREFIX):
            raise ValueError(f"names that begin with {PREFIX!r} are those of the sources' own pipelines")
        return name

    @property
    def order(self) -> dict[str, int]:
        """Each stage's place in a customer's life, from 1."""
        return {stage.stage: place for place, stage in enumerate(self.stages, start=1)}

    @property
    def tried(self) -> list[Stage]:
        """The stages in the order in which their rules are tried."""
        stages = {stage.stage: stage for stage in self.stages}
        return [stages[name] for name in self.precedence]


def _unknown(name: str, known: Iterable[str], kind: str = "stage") -> str:
    hint = did_you_mean(name, known) or f"; known are {', '.join(known) or 'none'}"
    return f"unknown {kind} {name!r}{hint}"


def in_words(window: Any) -> str:
    """``180d`` as it is said in a sentence, or a rhythm's declaration."""
    if isinstance(window, dict):
        bounds = f"{in_words(window.get('at_least'))} to {in_words(window.get('at_most'))}"
        return f"{window.get('times')} times their usual gap ({bounds})"
    number, unit = re.sub(r"\D", "", str(window)), str(window).strip()[-1:]
    word = {"d": "day", "w": "week"}.get(unit, "")
    return f"{number} {word}{'' if number == '1' else 's'}"


def _resolved(node: Any, windows: Mapping[str, Any]) -> Any:
    """``node`` with windows for their names, in rules and, in words, in sentences."""
    if isinstance(node, list):
        return [_resolved(item, windows) for item in node]
    if not isinstance(node, dict):
        return node
    found = {}
    for key, value in node.items():
        if key in _WINDOWS and isinstance(value, str):
            found[key] = windows.get(value, value)
        elif key in _SENTENCES and isinstance(value, str):
            for name, window in windows.items():
                value = value.replace(f"{{{name}}}", in_words(window))  # noqa: PLW2901
            found[key] = value
        else:
            found[key] = _resolved(value, windows)
    return found


def _called(node: Any) -> Iterator[str]:
    """What rules write where a window stands: its name, or a length."""
    if isinstance(node, list):
        for item in node:
            yield from _called(item)
    if isinstance(node, dict):
        for key, value in node.items():
            if key in _WINDOWS and isinstance(value, str):
                yield value
            yield from _called(value)


def load(path: Path, windows: Mapping[str, Any] | None = None) -> Lifecycle:
    """The lifecycle that ``path`` declares.

    :param windows: a company's own, by name, in place of the file's.
    :raises ConfigError: one line per mistake, each beginning with ``file:line``.
    """
    declared = config.load(path, Lifecycle)
    node, data = config.parsed(path.read_text(encoding="utf-8"))
    called = set(_called(data["stages"]))
    for name in declared.windows:
        if name not in called:
            line = config.line_of(node, ["windows", name])
            raise ConfigError(f"{path}:{line}: windows: no rule uses {name!r}")
    if windows:
        for name, window in windows.items():
            if name not in declared.windows:
                raise ConfigError(
                    f"{MARKER}: windows.{path.stem}: {_unknown(name, declared.windows, 'window')}"
                )
            try:
                TypeAdapter(Window).validate_python(window)
            except ValidationError as error:
                told = error.errors()[0]["msg"].removeprefix("Value error, ")
                raise ConfigError(f"{MARKER}: windows.{path.stem}.{name}: {told}") from None
        data["windows"].update(windows)
        declared = config.validate(data, Lifecycle, path, node)
    _names_known_stages(declared, path, node)
    if declared.lifecycle != path.stem:
        raise ConfigError(
            f"{path}:1: lifecycle: {declared.lifecycle!r} must be the file's name {path.stem!r}"
        )
    return declared


def _names_known_stages(declared: Lifecycle, path: Path, node: Any) -> None:
    for place, stage in enumerate(declared.stages):
        measure = stage.kpi.measure
        named = [("onward", name) for name in stage.onward]
        named += [("kpi.measure", name) for name in (measure.named_stages if measure else ())]
        for where, name in named:
            if name not in declared.order:
                line = config.line_of(node, ["stages", place, *where.split(".")])
                told = _unknown(name, declared.order)
                raise ConfigError(f"{path}:{line}: stages.{place}.{where}: {told}")


def lifecycle_files(project: Project) -> list[Path]:
    """The shipped lifecycles and the company's own; a company's file replaces the shipped one of its name."""
    roots = (INSTALLATION, project.root)
    found = {path.name: path for root in roots for path in (root / FOLDER).glob("*.yml")}
    return [found[name] for name in sorted(found)]


def lifecycles(project: Project) -> list[Lifecycle]:
    """The project's lifecycles, with the company's own windows.

    :raises ConfigError: a file is wrong, each mistake with ``file:line``; or ``lifehouse.yml`` names what there is not.
    """
    files = {path.stem: path for path in lifecycle_files(project)}
    own = project.company.windows
    for name in own:
        if name not in files:
            raise ConfigError(f"{MARKER}: windows: {_unknown(name, files, 'lifecycle')}")
    return [load(path, own.get(name)) for name, path in files.items()]
