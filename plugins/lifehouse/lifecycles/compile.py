"""Lifecycles compiled to dbt models: exact stage intervals for each customer, scheduled moves included.

A customer's stage can change only at an event, or when a window that a rule names has run out after one. So:
collect those points, keep running figures over them, take the first rule that holds at each, merge equal
neighbours. No daily scan and no clock: what will happen if nothing does is a row like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from lifehouse.lifecycles.conditions import condition, days, one_of, running, text
from lifehouse.lifecycles.declaration import Lifecycle, Stage
from lifehouse.lifecycles.marks import Mark, marks
from lifehouse.lifecycles.measures import Pace, leaves, measures, waits
from lifehouse.lifecycles.recorded import PREFIX, Pipelines, label_of, name_of

#: ``<<name>>`` is filled in; the rest, dbt's braces included, stands as it is.
_INTERVALS = (Path(__file__).parent / "stage_intervals.sql").read_text(encoding="utf-8")
_RECORDED = (Path(__file__).parent / "stage_intervals_recorded.sql").read_text(encoding="utf-8")
_EPHEMERAL = "{{ config(materialized='ephemeral') }}\n\n"
_DECLARED = (
    *(
        "lifecycle",
        "lifecycle_label_en",
        "lifecycle_label_zh",
        "stage",
        "stage_order",
        "label_en",
        "label_zh",
    ),
    *("definition", "kpi", "kpi_formula", "plays", "is_recorded"),
)
_WHEN = "        when "


def compile_models(lifecycles: list[Lifecycle], pipelines: Pipelines) -> dict[str, str]:
    """File name -> content for ``models/lifecycle/generated/``.

    ``stage_intervals_<lifecycle>`` for each file, and ``stage_intervals_recorded`` for what the sources record
    themselves; ephemeral, their union ``stage_intervals`` and the declarations as rows, ``lifecycle_declarations``;
    and the YAML that describes them.
    """
    models = {f"stage_intervals_{lifecycle.lifecycle}.sql": intervals(lifecycle) for lifecycle in lifecycles}
    models["stage_intervals_recorded.sql"] = recorded(pipelines)
    models["stage_intervals.sql"] = _union([*(lifecycle.lifecycle for lifecycle in lifecycles), PREFIX])
    models["lifecycle_declarations.sql"] = _declarations(lifecycles, pipelines)
    models["generated.yml"] = _descriptions(lifecycles)
    return models


def intervals(lifecycle: Lifecycle) -> str:
    """The model of one lifecycle, see ``stage_intervals.sql``."""
    rules = [stage.rule for stage in lifecycle.stages if stage.rule]
    named = waits(rules)
    needed = dict.fromkeys(measure for rule in rules for leaf in leaves(rule) for measure in measures(leaf))
    brought = marks(needed)
    parts = {
        "lifecycle": lifecycle.lifecycle,
        "marks": _more(f"{mark.expression} as {mark.name}" for mark in brought),
        "no_marks": _more(f"null::{mark.type} as {mark.name}" for mark in brought),
        "own_marks": _more(f"events.{mark.name}" for mark in brought),
        "paced": "".join(_paced(measure, brought) for measure in needed if isinstance(measure, Pace)),
        "named_events": one_of("event_type", tuple(sorted({wait.event_type for wait in named}))),
        "waits": _lines(f"({text(wait.event_type)}, {wait.days}, {text(wait.after)})" for wait in named),
        "figures": _lines(f"{running(measure)} as {measure.column}" for measure in needed),
        "cases": "\n".join(_case(stage, lifecycle.order[stage.stage]) for stage in lifecycle.tried),
        "names": "\n".join(f"{_WHEN}{place} then {text(name)}" for name, place in lifecycle.order.items()),
    }
    model = _INTERVALS
    for name, value in parts.items():
        model = model.replace(f"<<{name}>>", value)
    return model


def recorded(pipelines: Pipelines) -> str:
    """The model of the pipelines that sources record, see ``stage_intervals_recorded.sql``."""
    cases = [
        f"when lifecycle = {text(name_of(name))} and stage = {text(stage.stage)} then {place}"
        for name, pipeline in pipelines.items()
        for place, stage in enumerate(pipeline.stages, start=1)
    ]
    order = f"case {' '.join(cases)} end" if cases else "cast(null as integer)"
    return _RECORDED.replace("<<prefix>>", PREFIX).replace("<<order>>", order)


def query(lifecycle: Lifecycle | Pipelines, timeline: str, changed: str = "true") -> str:
    """The model of a lifecycle, or of the recorded ones, as a plain query on a timeline.

    :param changed: which rows of ``customer_events`` are read; all of a customer's or none.
    """
    model = intervals(lifecycle) if isinstance(lifecycle, Lifecycle) else recorded(lifecycle)
    model = model.replace("{{ per_customer() }}", "").replace("{{ ref('customer_events') }}", timeline)
    return model.replace("{{ changed('customer_events') }}", changed)


def _paced(pace: Pace, brought: list[Mark]) -> str:
    """The points at which a window that follows the customer's rhythm runs out after their latest event."""
    until = f"events.occurred_at + events.{pace.column} * {days(1)}"
    return f"""
    union all
    select
        events.customer_id, {until}, events.{pace.column}, events.event_type, events.event_id,
        0, null, null, null, true{_more(f"null::{mark.type}" for mark in brought)}
    from events
    where
        {one_of("events.event_type", (pace.event,))}
        and (events.next_at is null or events.next_at > {until})"""  # noqa: S608  names and numbers of a validated declaration


def _case(stage: Stage, place: int) -> str:
    return f"    {_WHEN}{condition(stage.rule)} then {place}" if stage.rule else f"            else {place}"


def _more(items: Iterable[str]) -> str:
    return "".join(f",\n        {item}" for item in items)


def _lines(items: Iterable[str]) -> str:
    return ",\n        ".join(items)


def _union(names: list[str]) -> str:
    selects = [f"select * from {{{{ ref('stage_intervals_{name}') }}}}" for name in names]  # noqa: S608
    return _EPHEMERAL + "\nunion all\n".join(selects) + "\n"


def _declarations(lifecycles: list[Lifecycle], pipelines: Pipelines) -> str:
    """One row per lifecycle and stage; of a recorded one what the company said of it."""
    rows = [*(row for declared in lifecycles for row in _stages(declared)), *_recorded_stages(pipelines)]
    values = ",\n    ".join(f"({', '.join(row)})" for row in rows)
    body = f"select * from (values\n    {values}\n) as declared ({', '.join(_DECLARED)})"  # noqa: S608
    return _EPHEMERAL + "{% raw %}\n" + body + "\n{% endraw %}\n"


def _stages(declared: Lifecycle) -> Iterator[tuple[str, ...]]:
    for place, stage in enumerate(declared.stages, start=1):
        yield (
            *(
                text(value)
                for value in (declared.lifecycle, declared.label.en, declared.label.zh, stage.stage)
            ),
            str(place),
            *(text(value) for value in (stage.label.en, stage.label.zh, stage.definition)),
            *(text(value) for value in (stage.kpi.name, stage.kpi.formula, _plays(stage))),
            "false",
        )


def _recorded_stages(pipelines: Pipelines) -> Iterator[tuple[str, ...]]:
    for name, pipeline in pipelines.items():
        label = label_of(name, pipeline)
        for place, stage in enumerate(pipeline.stages, start=1):
            labels = (stage.label.en, stage.label.zh) if stage.label else (stage.stage, stage.stage)
            yield (
                *(text(value) for value in (name_of(name), label.en, label.zh, stage.stage)),
                str(place),
                *(text(value) for value in labels),
                text(stage.definition) if stage.definition else "null",
                *("null", "null", "null", "true"),
            )


def _descriptions(lifecycles: list[Lifecycle]) -> str:
    grain = "One row per stay of a customer in a stage, half-open, scheduled moves included"
    described = {
        "stage_intervals": f"{grain}, in every lifecycle. Grain: customer_id, lifecycle, entered_at.",
        "stage_intervals_recorded": (
            f"{grain}, as the sources' own stage changes tell it, from the first record on. "
            "Kind - per customer. Grain: customer_id, lifecycle, entered_at."
        ),
        "lifecycle_declarations": "One row per declared stage. Grain: lifecycle, stage.",
    }
    for declared in lifecycles:
        described[f"stage_intervals_{declared.lifecycle}"] = (
            f"{grain}; {declared.description.strip()} Kind - per customer. Grain: customer_id, entered_at."
        )
    models = [{"name": name, "description": description} for name, description in described.items()]
    return yaml.safe_dump({"models": models}, sort_keys=False, allow_unicode=True, width=110)


def _plays(stage: Stage) -> str:
    """One line a play: its name, what is done, by which channel, and the offer if there is one."""
    return "\n".join(
        f"{play.name}: {play.measure} ({'; '.join(filter(None, (play.channel, play.offer)))})"
        for play in stage.plays
    )
