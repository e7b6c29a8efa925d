"""What was accepted reaches the input contract: of the loads shown first, raw's current rows and staging's are as many."""

from __future__ import annotations

from lifehouse.releases.candidate import Candidate, Delivery
from lifehouse.releases.expectation import Rule, none
from lifehouse.releases.staged import Staged

TABLES = ("staging.records",)


def expectations(candidate: Candidate, table: str) -> list[Rule]:
    delivered = {(delivery.source, delivery.table): delivery for delivery in candidate.deliveries}
    counts = [
        _counts(candidate, model, delivered[model.source, model.table])
        for model in candidate.staged
        if (model.source, model.table) in delivered and delivered[model.source, model.table].has_raw
    ]
    if not counts:
        return []
    return [
        none(
            "nothing lost on the way",
            f"({' union all '.join(counts)}) as counts",
            "in_raw <> in_staging",
            detail="string_agg(place || ' has ' || in_raw || ' rows, ' || model || ' ' || in_staging, '; ') "
            "filter (where in_raw <> in_staging)",
            meaning="staging has every row of the new loads that no later delivery replaced, where it takes raw row by row",
            what_to_do="changes were missed when loads were followed: run with --full-refresh and report it",
        )
    ]


def _counts(candidate: Candidate, model: Staged, delivery: Delivery) -> str:
    raw, loads = f'"raw_{model.source}"."{model.table}"', ", ".join(map(str, delivery.loads))
    later = [load for load in candidate.run.loads if load > min(delivery.loads)]
    delivered = f"select load_id from control.loads where load_id in ({loads}) and kind = 'delivery'"
    replaced = ""
    if later:  # a released record is as old as the delivery it was set aside from
        same = (
            f"control.files as newer inner join control.loads on newer.load_id = loads.load_id "
            f"where newer.source = '{model.source}' and newer.table_name = '{model.table}' and newer.file = records._file"
            if model.unit == ("_file",)
            else f"{raw} as newer inner join control.loads on newer._load_id = loads.load_id where "
            + " and ".join(f'newer."{name}" = records."{name}"' for name in model.unit)
        )
        replaced = (
            f" and not exists (select from {same} and loads.load_id in ({', '.join(map(str, later))}) "
            "and (coalesce(loads.origin_load_id, loads.load_id), loads.load_id) > (records._load_id, records._load_id))"
        )
    return f"""
        select '{model.source}.{model.table}' as place, '{model.model}' as model,
            (
                select count(*) from {raw} as records where _load_id in ({delivered}) and not _deleted{replaced}
            ) as in_raw,
            (
                select count(*) from staging."{model.model}"
                where _loaded_at in (select distinct _loaded_at from {raw} where _load_id in ({delivered}))
            ) as in_staging
    """
