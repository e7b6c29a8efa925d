"""The raw gate: judges a load before anything right of raw may read it."""

from __future__ import annotations

from typing import Any

from psycopg import sql

from lifehouse.context import Context
from lifehouse.errors import GateClosed, LifehouseError
from lifehouse.ingest import counted, decisions, deletion_suite, lock, profile, rhythm, suite, vanished
from lifehouse.ingest.declaration import Source, find_source
from lifehouse.ingest.raw import Place
from lifehouse.quality.figure import ExpectFigure
from lifehouse.quality.runner import Failure, SubjectCheck, check
from lifehouse.warehouse.rights import TRANSFORM

GATE = "raw"
_TABLES = """
select
    counts.table_name, counts.received, counts.loaded, counts.quarantined, counts.cursor_from,
    exists (
        select
        from control.load_tables as earlier
        inner join control.loads on earlier.load_id = loads.load_id
        where loads.source = %(source)s and loads.status = 'accepted'
            and earlier.table_name = counts.table_name and earlier.loaded > 0
    ) as is_known
from control.load_tables as counts
where counts.load_id = %(load)s
order by counts.table_name
"""


def judge(ctx: Context, load_id: int) -> None:
    """Accept the load, or reject it, which rewinds its source's cursor. A load that is decided stays as it is.

    :raises GateClosed: it was rejected; one sentence for every table and column that did not hold, with counts.
    """
    load = decisions.find(ctx, load_id)
    source = find_source(ctx.project, load["source"])
    with lock.held(ctx, source.source):
        decide(ctx, source, load_id)


def decide(ctx: Context, source: Source, load_id: int) -> None:
    """Judge one load while the source's lock is held."""
    load = decisions.find(ctx, load_id)
    if load["status"] == "accepted":
        return
    if load["status"] == "rejected":
        raise GateClosed(GATE, f"load {load_id} of {source.source}", str(load["reason"]).split("\n"))
    tables = ctx.warehouse.rows(_TABLES, {"source": source.source, "load": load_id})
    gone = [row["table_name"] for row in tables if row["table_name"] not in source.tables]
    if gone:
        raise LifehouseError(
            f"load {load_id} has tables that {source.source} no longer declares: {', '.join(gone)}"
        )
    zone = ctx.project.company.time_zone
    expected: list[ExpectFigure] = []
    with ctx.warehouse.connect() as connection:
        places = [Place(source, row["table_name"]) for row in tables]
        stored = [place for place, row in zip(places, tables, strict=True) if row["loaded"]]
        profile.write(connection, stored, load_id, zone)
        found = counted.of_load(connection, load_id)
        usual = rhythm.judge(connection, places, load_id, zone)
        for place, row in zip(places, tables, strict=True):
            is_first = not row["is_known"]
            is_whole = (
                place.table.whole or is_first or (place.table.cursor is not None and not row["cursor_from"])
            )
            found[place.name] |= counted.age(connection, place, load_id)
            expected += suite.of_table(
                place,
                load_id,
                found[place.name],
                usual[place.name],
                is_whole=is_whole,
                is_profiled=bool(row["loaded"]),
            )
            expected += deletion_suite.expectations(connection, place, load_id)
        for name, count in vanished.of_load(connection, source, load_id).items():
            expected.append(deletion_suite.shown_again(Place(source, name), count))
    checks = [SubjectCheck(source.source, None, expected, source.owner)]
    failures = [f for f in check(ctx, GATE, checks, load_id=load_id, pages=source.source) if f.is_critical]
    if not failures:
        decisions.settle(ctx, load_id, "accepted", by="raw gate")
        return
    counts = {row["table_name"]: row for row in tables}
    sentences = [
        sentence
        for failure in failures
        for sentence in _sentences(ctx, source, load_id, failure, counts[failure.subject.split(".", 1)[1]])
    ]
    decisions.settle(ctx, load_id, "rejected", by="raw gate", reason="\n".join(sentences))
    raise GateClosed(GATE, f"load {load_id} of {source.source}", sentences)


def _sentences(
    ctx: Context, source: Source, load_id: int, failure: Failure, counts: dict[str, Any]
) -> list[str]:
    """A failure in the words of the source: which table, which column, how many."""
    table = counts["table_name"]
    place = Place(source, table)
    if failure.expectation in ("missing_columns", "narrowed_columns"):
        return _drifted(ctx, load_id, place, failure.expectation.removesuffix("_columns"))
    if failure.expectation.startswith("usual "):
        where = f"{failure.subject}.{failure.column}" if failure.column else failure.subject
        return [f"{where}: {failure.meaning}; {failure.what_to_do}"]
    if failure.expectation == "quarantined_share":
        return _bad(ctx, load_id, place, counts)
    if failure.expectation == "received at least" and counts["received"] == 0:
        return [f"{failure.subject}: the extract is empty (0 rows){_held(ctx, place)}"]
    if failure.expectation.startswith("received"):
        return [f"{failure.subject}: {counts['received']:,} rows came, expected are {failure.meaning}"]
    return [failure.sentence]


def _drifted(ctx: Context, load_id: int, place: Place, kind: str) -> list[str]:
    rows = ctx.warehouse.rows(
        "select distinct column_name, declared, found from control.schema_changes "
        "where load_id = %s and table_name = %s and kind = %s order by column_name",
        (load_id, place.name, kind),
    )
    broken = _broken(ctx, place, [row["column_name"] for row in rows])
    sentences = []
    for row in rows:
        what = "1 declared column is missing at the source"
        if kind == "narrowed":
            what = f"the column is {row['found']} at the source now, which holds less than the declared {row['declared']}"
        told = f"; {broken[row['column_name']]}" if row["column_name"] in broken else ""
        sentences.append(f"{place.source.source}.{place.name}.{row['column_name']}: {what}{told}")
    return sentences


def _broken(ctx: Context, place: Place, columns: list[str]) -> dict[str, str]:
    """Which marts each column feeds, in words; nothing while no model has been built."""
    if ctx.warehouse.value("select fingerprint from control.core_state") is None:
        return {}
    from lifehouse.build.lineage import Lineage  # noqa: PLC0415  dbt: only where there is something to say

    try:
        lineage = Lineage.of(ctx.acting_as(TRANSFORM))
    except LifehouseError as error:
        return dict.fromkeys(columns, str(error))
    return {column: lineage.breaks(place.source.source, place.name, [column]).sentence for column in columns}


def _bad(ctx: Context, load_id: int, place: Place, counts: dict[str, Any]) -> list[str]:
    rows = ctx.warehouse.rows(
        """
        select bad.column_name, bad.reason, bad.rows, changes.found
        from control.quarantined as bad
        left join control.schema_changes as changes
            on bad.load_id = changes.load_id and bad.table_name = changes.table_name
            and bad.column_name = changes.column_name and changes.found is not null
        where bad.load_id = %s and bad.table_name = %s
        order by bad.rows desc, bad.column_name, bad.reason
        """,
        (load_id, place.name),
    )
    received, bad = counts["received"], counts["quarantined"]
    name = f"{place.source.source}.{place.name}"
    sentences = []
    for row in rows:
        column = f"{name}.{row['column_name']}" if row["column_name"] else name
        retyped = f" (the column is {row['found']} at the source now)" if row["found"] else ""
        sentences.append(f"{column}: {row['rows']:,} of {received:,} records: {row['reason']}{retyped}")
    share = place.source.quarantine_share
    sentences.append(
        f"{name}: {bad:,} of {received:,} records are bad ({bad / received:.2%}); allowed are {share:.2%}"
    )
    return sentences


def _held(ctx: Context, place: Place) -> str:
    rows = ctx.warehouse.value(sql.SQL("select count(*) from {}").format(place.raw).as_string())
    return f"; {rows:,} records came with earlier loads" if rows else ""
