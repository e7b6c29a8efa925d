"""Run suites on queries of the warehouse; keep every result in ``control.quality_results`` and as pages (data docs).

Results hold counts and aggregates, never a value of a single record.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.expectations.expectation import Expectation

from lifehouse.context import Context
from lifehouse.quality import page
from lifehouse.quality import pages as docs
from lifehouse.warehouse.connection import Warehouse

_STORE = """
insert into control.quality_results
    (gate, run_id, load_id, subject, expectation, column_name, severity, success, checked, failed, observed,
     meaning, what_to_do, owner)
values
    (%(gate)s, %(run_id)s, %(load_id)s, %(subject)s, %(expectation)s, %(column)s, %(severity)s, %(success)s,
     %(checked)s, %(failed)s, %(observed)s, %(meaning)s, %(what_to_do)s, %(owner)s)
"""


@dataclass(frozen=True)
class SubjectCheck:
    """What must hold of the rows that ``query`` yields; ``subject`` is its name for people: source.table or a mart.

    Without a ``query`` the expectations bring what they judge along. An expectation's ``description`` says what must
    hold, its ``severity`` whether it closes the gate, its ``meta`` may have ``name``, ``subject``, ``what_to_do`` and
    ``owner``. ``rows``, if known, is told where an expectation does not count.
    """

    subject: str
    query: str | None
    expectations: Sequence[Expectation]
    owner: str | None = None
    rows: int | None = None


@dataclass(frozen=True)
class Result:
    """One judged expectation. ``checked`` and ``failed`` count rows, where the expectation is about rows."""

    subject: str
    expectation: str
    column: str | None
    severity: str
    success: bool
    checked: int | None
    failed: int | None
    observed: str | None
    meaning: str
    what_to_do: str | None
    owner: str | None


@dataclass(frozen=True)
class Failure(Result):
    """An expectation that did not hold. It closes the gate when it is critical."""

    @property
    def is_critical(self) -> bool:
        return self.severity == "critical"

    @property
    def sentence(self) -> str:
        """What did not hold, for a person."""
        place = f"{self.subject}.{self.column}" if self.column else self.subject
        found = ""
        if self.failed:
            of = f" of {self.checked:,}" if self.checked is not None else ""
            where = f": {self.observed}" if self.observed not in (None, str(self.failed)) else ""
            found = f" ({self.failed:,}{of} rows do not hold{where})"
        elif self.observed is not None:
            found = f" (found: {self.observed})"
        return f"{place}: {self.meaning}{found}" + (f"; {self.what_to_do}" if self.what_to_do else "")


def check(
    ctx: Context,
    gate: str,
    subject_checks: Sequence[SubjectCheck],
    run_id: int | None = None,
    load_id: int | None = None,
    pages: str = "all",
) -> list[Failure]:
    """Judge the queries; every result is stored, those that did not hold are returned, warnings included.

    :param gate: raw, release or push.
    :param pages: the group of the page: it is written to ``<home>/data_docs/<gate>/<pages>/run-<id>`` or ``load-<id>``.
    """
    subject_checks = [subject for subject in subject_checks if subject.expectations]
    if not subject_checks:
        return []
    results = _validate(ctx.warehouse, subject_checks)
    title = f"{gate}, run {run_id}" if run_id else f"{gate}, load {load_id} of {pages}" if load_id else gate
    page.write(docs.begin(ctx.home, gate, pages, run_id, load_id), title, results)
    docs.finish(ctx.home, gate, pages)
    with ctx.warehouse.connect() as connection, connection.cursor() as cursor:
        place = {"gate": gate, "run_id": run_id, "load_id": load_id}
        cursor.executemany(_STORE, [{**vars(result), **place} for result in results])
    return [Failure(**vars(result)) for result in results if not result.success]


def _validate(warehouse: Warehouse, checks: Sequence[SubjectCheck]) -> list[Result]:
    for noisy in ("great_expectations", "great_expectations.data_context.types.base"):
        logging.getLogger(noisy).setLevel(logging.ERROR)  # after its import, which sets others
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    with _data(context, warehouse, checks) as data:
        return [
            _result(judged, item)
            for number, judged in enumerate(checks)
            for item in _judge(data, number, judged).results
        ]


@contextmanager
def _data(context: Any, warehouse: Warehouse, checks: Sequence[SubjectCheck]) -> Iterator[dict[str, Any]]:
    """The sources of data that the checks need; nothing of them stays open."""
    data: dict[str, Any] = {"given": context.data_sources.add_pandas("given")}
    if any(judged.query is not None for judged in checks):
        data["warehouse"] = context.data_sources.add_postgres(
            "warehouse",
            connection_string=warehouse.sqlalchemy_url.replace("$", r"\$"),
            create_temp_table=False,
        )
    try:
        yield data
    finally:  # its pools would keep two connections for as long as the process lives
        if "warehouse" in data:
            data["warehouse"].get_execution_engine().close()
            data["warehouse"].get_engine().dispose()


def _judge(data: dict[str, Any], number: int, judged: SubjectCheck) -> Any:
    """Straight on the batch: definitions, checkpoints and their stores would copy every suite several times."""
    title = f"{judged.subject} {number}"
    if judged.query is None:
        rows = data["given"].add_dataframe_asset(title).add_batch_definition_whole_dataframe("figures")
        batch = rows.get_batch({"dataframe": pd.DataFrame({"figures": [len(judged.expectations)]})})
    else:
        asset = data["warehouse"].add_query_asset(title, query=judged.query)
        batch = asset.add_batch_definition_whole_table("rows").get_batch()
    suite = gx.ExpectationSuite(name=title, expectations=list(judged.expectations))
    return batch.validate(suite, result_format={"result_format": "BASIC", "partial_unexpected_count": 0})


def _result(judged: SubjectCheck, item: Any) -> Result:
    """An expectation that could not be judged, such as one on a missing column, did not hold."""
    expected, found = item.expectation_config, item.result or {}
    told = expected.meta or {}
    observed = found.get("observed_value")
    if not item.success and not found:
        observed = "could not be judged"
    return Result(
        subject=told.get("subject", judged.subject),
        expectation=told.get("name", expected.type),
        column=told.get("column"),
        severity=str(getattr(expected.severity, "value", expected.severity)),
        success=bool(item.success),
        checked=found.get("element_count", judged.rows),
        failed=found.get("unexpected_count", found.get("failed_rows")),
        observed=None if observed is None else str(observed),
        meaning=expected.description or expected.type,
        what_to_do=told.get("what_to_do"),
        owner=told.get("owner", judged.owner),
    )
