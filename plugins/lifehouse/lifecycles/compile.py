"""Lifecycles compiled to dbt models: exact stage intervals for each customer, scheduled moves included.

A customer's stage can change only at an event, or when a window that a rule names has run out after one. So:
collect those points, keep running figures over them, take the first rule that holds at each, merge equal
neighbours. No daily scan and no clock: what will happen if nothing does is a row like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from lifehouse.lifecycles.conditions import condition, running, text
from lifehouse.lifecycles.declaration import Lifecycle, Stage
from lifehouse.lifecycles.marks import columns, marks
from lifehouse.lifecycles.measures import Pace
from lifehouse.lifecycles.points import Points, Whose, passes
from lifehouse.lifecycles.recorded import PREFIX, Pipelines, label_of, name_of
from lifehouse.lifecycles.rule_words import in_words

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
    *("definition", "rule", "onward", "kpi", "kpi_formula", "kpi_unit", "plays", "is_recorded"),
)
#: A KPI's measure as a row: text, but for the days.
_MEASURED = {
    **dict.fromkeys(("measure", "of_whom"), "text"),
    **dict.fromkeys(("over_days", "within_days"), "int"),
    **dict.fromkeys(("to_stages", "in_stages", "event_types", "figure", "unit"), "text"),
}

_DESCRIBED = {
    "models": [
        {
            "name": "stage_intervals_recorded",
            "description": (
                "One row per stay of a customer in a stage, half-open, as the sources' own stage changes tell it, from the "
                "first record on. Kind - per customer. Grain: customer_id, lifecycle, entered_at."
            ),
        },
        {
            "name": "lifecycle_declarations",
            "description": "One row per declared stage. Grain: lifecycle, stage.",
        },
        {
            "name": "kpi_declarations",
            "description": "One row per declared stage whose KPI is computed: its measure. Grain: lifecycle, stage.",
        },
    ]
}


def compile_models(lifecycles: list[Lifecycle], pipelines: Pipelines) -> dict[str, str]:
    """File name -> content for ``models/lifecycle/generated/``.

    ``stage_intervals_recorded`` for what the sources record themselves; ephemeral, the declarations as rows,
    ``lifecycle_declarations`` and ``kpi_declarations``; and the YAML that describes them.
    """
    return {
        "stage_intervals_recorded.sql": recorded(pipelines),
        "lifecycle_declarations.sql": _declarations(lifecycles, pipelines),
        "kpi_declarations.sql": _kpis(lifecycles),
        "generated.yml": yaml.safe_dump(_DESCRIBED, sort_keys=False, allow_unicode=True, width=110),
    }


def compile_macro(lifecycles: list[Lifecycle]) -> str:
    """``declared_stays()``: the stays that the files declare, as the query of whoever calls it, the mart ``stage_history``.

    Mostly one pass over the timeline; several, if there are too many lifecycles for one.
    """
    queries = map(intervals, passes(lifecycles))
    stays = "\nunion all\n".join(
        f"select * from (\n{text}) as pass_{number}"  # noqa: S608  compiled from validated files
        for number, text in enumerate(queries, start=1)
    )
    nobody = "select * from {{ ref('stage_intervals_recorded') }} where false"
    return f"{{% macro declared_stays() %}}\n{stays or nobody}\n{{% endmacro %}}\n"


def intervals(points: Points) -> str:
    """The query of the lifecycles of one pass, see ``stage_intervals.sql``."""
    brought = marks(points.needed)
    carried = [*(mark.name for mark in brought), *columns(points.needed, of_points=True)]
    whose = points.whose.values()
    shifted = list(zip(points.lifecycles, points.shifts, strict=True))
    parts = {
        "files": ", ".join(f"{declared.lifecycle}.yml" for declared in points.lifecycles),
        "read": _more(columns(points.needed)),
        "named": _cases((text(event), str(number)) for number, event in enumerate(points.named, start=1)),
        "marks": _more(f"{mark.expression} as {mark.name}" for mark in brought),
        "waits": _cases(_numbers(points)),
        "first_waits": _cases(_numbers(points, 0)),
        "paces": "".join(
            f" when waits.wait = {points.number[pace.event, pace]} then {pace.column}"
            for pace in points.paces
        ),
        "days": ", ".join("0" if isinstance(days, Pace) else str(days) for _, days in points.whose),
        "carried": _more(carried),
        "all": str(sum(points.bits)),
        **{after: ", ".join(str(getattr(each, after)) for each in whose) for after in Whose._fields},
        "figures": _lines(f"{running(measure, points)} as {measure.column}" for measure in points.needed),
        "states": "\n        + ".join(_state(declared, shift) for declared, shift in shifted),
        "none": "cast(0 as bigint)",
        "lives": ", ".join(f"({bits})" for bits in points.bits),
        "stages": _lines(
            f"({place << shift}, {text(declared.lifecycle)}, {text(name)}, {place})"
            for declared, shift in shifted
            for name, place in declared.order.items()
        ),
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


def query(declared: Lifecycle | Sequence[Lifecycle] | Pipelines, timeline: str, changed: str = "true") -> str:
    """The model of lifecycles that fit into one pass, or of the recorded ones, as a plain query on a timeline.

    :param changed: which rows of ``customer_events`` are read; all of a customer's or none.
    """
    if isinstance(declared, Mapping):
        model = recorded(declared)
    else:
        model = intervals(Points([declared] if isinstance(declared, Lifecycle) else declared))
    model = model.replace("{{ per_customer() }}", "").replace("{{ ref('customer_events') }}", timeline)
    return model.replace("{{ changed('customer_events') }}", changed)


def _numbers(points: Points, *before: int) -> Iterator[tuple[str, str]]:
    """(number of the event type, array of the numbers of its waits) of each that rules name."""
    for named, numbers in enumerate(points.named.values(), start=1):
        yield str(named), f"array[{', '.join(map(str, [*before, *numbers]))}]"


def _state(declared: Lifecycle, shift: int) -> str:
    """The stage's place in the lifecycle's bits."""
    *tried, otherwise = declared.tried
    cases = "".join(
        f" when {condition(stage.rule)} then {declared.order[stage.stage] << shift}"
        for stage in tried
        if stage.rule
    )
    return f"(case{cases} else {declared.order[otherwise.stage] << shift} end)"


def _cases(pairs: Iterable[tuple[str, str]]) -> str:
    return " ".join(f"when {value} then {result}" for value, result in pairs)


def _more(items: Iterable[str]) -> str:
    return "".join(f",\n        {item}" for item in items)


def _lines(items: Iterable[str]) -> str:
    return ",\n        ".join(items)


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
            text(in_words(stage.rule)),
            *(text(value) for value in ("|".join(stage.onward), stage.kpi.name, stage.kpi.formula)),
            text(stage.kpi.measure.unit) if stage.kpi.measure else "null",
            text(_plays(stage)),
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
                *("null", "''", "null", "null", "null", "null", "true"),
            )


def _kpis(lifecycles: list[Lifecycle]) -> str:
    """One row per stage whose KPI has a measure; lists are joined by ``|``."""
    rows = [
        (
            text(declared.lifecycle),
            text(stage.stage),
            *(_literal(stage.kpi.measure.row[name], kind) for name, kind in _MEASURED.items()),
        )
        for declared in lifecycles
        for stage in declared.stages
        if stage.kpi.measure
    ]
    # a row that says nothing gives the columns their types, also where no lifecycle has a measure
    rows.append((text(""), text(""), *(f"null::{kind}" for kind in _MEASURED.values())))
    values = ",\n    ".join(f"({', '.join(row)})" for row in rows)
    columns = ", ".join(("lifecycle", "stage", *_MEASURED))
    body = f"select * from (values\n    {values}\n) as declared ({columns})\nwhere measure is not null"  # noqa: S608
    return _EPHEMERAL + body + "\n"


def _literal(value: str | int | None, kind: str) -> str:
    if value is None:
        return f"null::{kind}"
    return text(value) if isinstance(value, str) else str(value)


def _plays(stage: Stage) -> str:
    """One line a play: its name, what is done, by which channel, and the offer if there is one."""
    return "\n".join(
        f"{play.name}: {play.measure} ({'; '.join(filter(None, (play.channel, play.offer)))})"
        for play in stage.plays
    )
