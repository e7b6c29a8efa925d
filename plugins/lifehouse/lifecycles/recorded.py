"""What a company may say of the pipelines that its source systems keep themselves: ``recorded:`` in ``lifehouse.yml``.

Nothing need be declared: a pipeline's stages stand in the stage history as they are recorded. Only their order and
their labels cannot be known from the records.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator

from lifehouse import config

#: Before the pipeline's name: no declared lifecycle may be named so.
PREFIX = "recorded"


class Label(config.Strict):
    """What people call it, in English and Chinese."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)


class RecordedStage(config.Strict):
    """A stage as the source spells it."""

    stage: str = Field(min_length=1)
    label: Label | None = None
    definition: str | None = Field(None, min_length=1, description="what the company means by it")


def _stage(value: Any) -> Any:
    return {"stage": value} if isinstance(value, str) else value


class Recorded(config.Strict):
    """A pipeline: its stages in the order of a customer's life."""

    label: Label | None = None
    stages: Annotated[list[Annotated[RecordedStage, BeforeValidator(_stage)]], Field(min_length=1)]

    @field_validator("stages")
    @classmethod
    def _named_once(cls, stages: list[RecordedStage]) -> list[RecordedStage]:
        names = [stage.stage for stage in stages]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"stage {twice[0]!r} is used twice")
        if odd := [name for name in names if name != name.strip()]:
            raise ValueError(f"stage {odd[0]!r} begins or ends with a blank; records are trimmed")
        return stages


#: Pipelines by the name that ``stage_changes.lifecycle`` gives them.
Pipelines = Mapping[str, Recorded]


def name_of(pipeline: str) -> str:
    """What a pipeline's lifecycle is called in the stage history: ``recorded_<pipeline>``."""
    return f"{PREFIX}_{pipeline.strip()}"


def label_of(pipeline: str, recorded: Recorded) -> Label:
    """The declared label, or the pipeline's name in words (the model ``lifecycle_stages`` has the same words)."""
    words = pipeline.strip().replace("_", " ")
    return recorded.label or Label(en=f"{words} (recorded)", zh=f"{words}（来源记录）")
