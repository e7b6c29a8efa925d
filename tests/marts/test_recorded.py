"""The pipelines that a source keeps itself, against the corner shop's own books."""

from __future__ import annotations

import hashlib
from typing import Any

Record = dict[str, Any]


def _one(rows: list[Record]) -> Record:
    assert len(rows) == 1
    return rows[0]


def test_a_pipeline_stands_in_the_stage_history_as_its_source_recorded_it(corner: Any) -> None:
    people = {"p38": "p1"}
    told: dict[tuple[str, str], list[tuple[Any, str, str]]] = {}
    for change in corner.company.stages:
        if stage := (change["stage"] or "").strip():
            event_id = hashlib.md5(f"crm_stage|corner|{change['change_id']}".encode()).hexdigest()
            lifecycle = "recorded_sales" if change["pipeline"].strip() else "recorded"
            life = told.setdefault((people.get(change["person_id"], change["person_id"]), lifecycle), [])
            life.append((change["changed_at"], event_id, stage))
    expected = []
    for (person, lifecycle), life in told.items():
        last = {
            at: (event_id, stage) for at, event_id, stage in sorted(life)
        }  # of simultaneous ones the last
        moves = [(at, *last[at]) for at in sorted(last)]
        moves = [move for place, move in enumerate(moves) if place == 0 or move[2] != moves[place - 1][2]]
        order = {"lead": 1, "talking": 2, "customer": 3, "gone": 4} if lifecycle == "recorded_sales" else {}
        for place, (at, event_id, stage) in enumerate(moves):
            until = moves[place + 1][0] if place + 1 < len(moves) else None
            expected.append((person, lifecycle, stage, order.get(stage), at, until, "record", event_id))
    found = corner.rows(
        """
        with names as (select customer_id, min(customer_key) as name from customer_refs group by customer_id)
        select name, lifecycle, stage, stage_order, entered_at, exited_at, cause_type, cause_event_id
        from stage_history inner join names using (customer_id)
        where lifecycle like 'recorded%'
        """
    )
    assert sorted(map(_comparable, expected)) == sorted(_comparable(tuple(row.values())) for row in found)
    assert {row["lifecycle"] for row in found} == {"recorded_sales", "recorded"}
    assert any(len(life) > len({at for at, _, _ in life}) for life in told.values()), "nobody has a tie"


def _comparable(row: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(str(value) for value in row)


def test_a_recorded_lifecycle_has_its_stages_labels_metrics_and_moves(corner: Any) -> None:
    stages = corner.rows(
        "select * from lifecycle_stages where is_recorded order by lifecycle, stage_order, stage"
    )
    named = {row["stage"]: row for row in stages if row["lifecycle"] == "recorded_sales"}
    assert list(named) == ["lead", "talking", "customer", "gone", "on hold"]
    assert (named["talking"]["label_en"], named["talking"]["label_zh"]) == ("In talks", "洽谈")
    assert (named["on hold"]["label_en"], named["on hold"]["stage_order"]) == ("on hold", None)
    assert {row["lifecycle_label_en"] for row in stages} == {"sales (recorded)", "stages (recorded)"}
    measured = corner.rows(
        "select lifecycle, stage, customers from stage_metrics where lifecycle like 'recorded%'"
    )
    assert {(row["lifecycle"], row["stage"]) for row in measured} == {
        (row["lifecycle"], row["stage"]) for row in stages
    }
    lives = (
        "select count(distinct (customer_id, lifecycle)) as n from stage_history where cause_type = 'record'"
    )
    assert sum(row["customers"] for row in measured) == _one(corner.rows(lives))["n"]
    moves = "select sum(moves)::int as n from stage_transitions where lifecycle like 'recorded%'"
    steps = (
        "select count(*)::int as n from stage_history where cause_type = 'record' and exited_at is not null"
    )
    assert _one(corner.rows(moves)) == _one(corner.rows(steps))
    coming = "select count(*) as n from stage_forecast where lifecycle like 'recorded%'"
    assert _one(corner.rows(coming))["n"] == 0, "nothing is scheduled by a record"
