"""A lifecycle's declaration: one YAML file with its stages in the order of a customer's life."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from lifehouse import config
from lifehouse.errors import ConfigError
from lifehouse.lifecycles.rules import Rule
from lifehouse.project import INSTALLATION, Project

FOLDER = Path("dbt_project") / "lifecycles"
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Label(config.Strict):
    """What people call it, in English and Chinese."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)


class Kpi(config.Strict):
    """The number by which a stage's success is judged."""

    name: str = Field(min_length=1)
    formula: str = Field(min_length=1)


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
    kpi: Kpi
    plays: list[Play] = Field(min_length=2)


class Lifecycle(config.Strict):
    """Stages in the order of a customer's life; rules are tried in the order of ``precedence``."""

    lifecycle: Name
    label: Label
    description: str
    stages: list[Stage] = Field(min_length=2)
    precedence: list[str]

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

    @property
    def order(self) -> dict[str, int]:
        """Each stage's place in a customer's life, from 1."""
        return {stage.stage: place for place, stage in enumerate(self.stages, start=1)}

    @property
    def tried(self) -> list[Stage]:
        """The stages in the order in which their rules are tried."""
        stages = {stage.stage: stage for stage in self.stages}
        return [stages[name] for name in self.precedence]


def _unknown(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
    return f"unknown stage {name!r}; {hint}"


def load(path: Path) -> Lifecycle:
    """The lifecycle that ``path`` declares.

    :raises ConfigError: one line per mistake, each beginning with ``file:line``.
    """
    declared = config.load(path, Lifecycle)
    if declared.lifecycle != path.stem:
        raise ConfigError(
            f"{path}:1: lifecycle: {declared.lifecycle!r} must be the file's name {path.stem!r}"
        )
    return declared


def lifecycle_files(project: Project) -> list[Path]:
    """The shipped lifecycles and the company's own; a company's file replaces the shipped one of its name."""
    roots = (INSTALLATION, project.root)
    found = {path.name: path for root in roots for path in (root / FOLDER).glob("*.yml")}
    return [found[name] for name in sorted(found)]
