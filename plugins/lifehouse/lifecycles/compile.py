"""Lifecycles compiled to dbt models: exact stage intervals for each customer, scheduled moves included.

A customer's stage can change only at an event, or when a window that a rule names has run out after one. So:
collect those points, keep running figures over them, take the first rule that holds at each, merge equal
neighbours. No daily scan and no clock: what will happen if nothing does is a row like any other.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import yaml

from lifehouse.lifecycles.conditions import condition, days, one_of, running, text
from lifehouse.lifecycles.declaration import Lifecycle, Stage
from lifehouse.lifecycles.marks import Mark, marks
from lifehouse.lifecycles.measures import Pace, leaves, measures, waits

#: ``<<name>>`` is filled in; the rest, dbt's braces included, stands as it is.
_INTERVALS = (Path(__file__).parent / "stage_intervals.sql").read_text(encoding="utf-8")
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
    *("definition", "kpi", "kpi_formula", "plays"),
)
_WHEN = "        when "


def compile_models(lifecycles: list[Lifecycle]) -> dict[str, str]:
    """File name -> content for ``models/lifecycle/generated/``.

    ``stage_intervals_<lifecycle>`` for each file; ephemeral, their union ``stage_intervals`` and the
    declarations as rows, ``lifecycle_declarations``; and the YAML that describes them.
    """
    models = {f"stage_intervals_{lifecycle.lifecycle}.sql": intervals(lifecycle) for lifecycle in lifecycles}
    models["stage_intervals.sql"] = _union([lifecycle.lifecycle for lifecycle in lifecycles])
    models["lifecycle_declarations.sql"] = _declarations(lifecycles)
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


def query(lifecycle: Lifecycle, timeline: str) -> str:
    """The model of one lifecycle as a plain query on a timeline, for every customer in it."""
    model = intervals(lifecycle).replace("{{ per_customer() }}", "")
    model = model.replace("{{ ref('customer_events') }}", timeline)
    return model.replace("{{ changed('customer_events') }}", "true")


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


def _declarations(lifecycles: list[Lifecycle]) -> str:
    """One row per lifecycle and stage."""
    rows = [
        (
            *(
                text(value)
                for value in (declared.lifecycle, declared.label.en, declared.label.zh, stage.stage)
            ),
            str(place),
            *(text(value) for value in (stage.label.en, stage.label.zh, stage.definition)),
            *(text(value) for value in (stage.kpi.name, stage.kpi.formula, _plays(stage))),
        )
        for declared in lifecycles
        for place, stage in enumerate(declared.stages, start=1)
    ]
    values = ",\n    ".join(f"({', '.join(row)})" for row in rows)
    body = f"select * from (values\n    {values}\n) as declared ({', '.join(_DECLARED)})"  # noqa: S608
    return _EPHEMERAL + "{% raw %}\n" + body + "\n{% endraw %}\n"


def _descriptions(lifecycles: list[Lifecycle]) -> str:
    grain = "One row per stay of a customer in a stage, half-open, scheduled moves included"
    described = {
        "stage_intervals": f"{grain}, in every lifecycle. Grain: customer_id, lifecycle, entered_at.",
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
