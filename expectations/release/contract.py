"""Each mart keeps the contract of its YAML: its keys identify a row, required columns have values, others only allowed ones."""

from __future__ import annotations

from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import EVERY_MART, Rule, key, none
from lifehouse.releases.shape import Shape, shapes

TABLES = EVERY_MART


def expectations(candidate: Candidate, table: str) -> list[Rule]:
    shape, here = shapes().get(table), candidate.table(table)
    if shape is None:
        return []
    found = [key(here, *columns) for columns in shape.keys]
    missing = set(shape.columns) - candidate.columns.get(candidate.run.slot, {}).get(table, set())
    if missing:
        found.append(_whole(here, sorted(missing)))
    present = Shape(
        shape.columns,
        shape.keys,
        {name: where for name, where in shape.required.items() if name not in missing},
        {name: values for name, values in shape.allowed.items() if name not in missing},
    )
    if present.required:
        absent = {
            name: f"{name} is null" if where == "true" else f"({name} is null and {where})"
            for name, where in present.required.items()
        }
        found.append(
            none(
                "required values",
                here,
                " or ".join(absent.values()),
                detail=_which(absent),
                meaning="no required column is null",
                what_to_do="see which staging model leaves the column empty; fill it there or reject the load",
            )
        )
    if present.allowed:
        strange = {name: f"{name} not in ({_listed(values)})" for name, values in present.allowed.items()}
        found.append(
            none(
                "allowed values",
                here,
                " or ".join(strange.values()),
                detail=_which(strange),
                meaning="columns have only the values that their description allows",
                what_to_do="translate the source's value in its staging model, or allow it in the mart's YAML",
            )
        )
    return found


def _whole(here: str, missing: list[str]) -> Rule:
    return Rule(
        "columns",
        str(len(missing)),
        meaning="the mart has all columns of its contract",
        what_to_do="run with --full-refresh: the table is of an older shape",
        detail=f"'missing: {', '.join(missing)}'",
    )


def _which(conditions: dict[str, str]) -> str:
    """The columns at fault, each with its count of rows."""
    counts = ", ".join(
        f"'{name} ' || nullif(count(*) filter (where {condition}), 0)"
        for name, condition in conditions.items()
    )
    return f"concat_ws(', ', {counts})"


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join("'" + str(value).replace("'", "''") + "'" for value in values)
