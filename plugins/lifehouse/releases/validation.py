"""Great Expectations on tables of the warehouse: suites in, plain results and pages (data docs) out."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import great_expectations as gx

from lifehouse.releases.expectation import Expectation
from lifehouse.warehouse.connection import Warehouse

_SITE = "pages"

#: A table (``schema.table``) and what must hold of it.
Suite = tuple[str, list[Expectation]]


@dataclass(frozen=True)
class Result:
    """One judged expectation. ``failed`` counts rows, where the expectation is about rows; values are never kept."""

    subject: str
    name: str
    severity: str
    success: bool
    failed: int | None
    observed: str | None
    meaning: str
    what_to_do: str | None
    owner: str | None

    @property
    def is_fatal(self) -> bool:
        return not self.success and self.severity == "critical"

    @property
    def sentence(self) -> str:
        """What did not hold, for a person."""
        found = (
            f" ({self.failed} rows do not hold)"
            if self.failed
            else f" ({self.observed})"
            if self.observed
            else ""
        )
        return f"{self.subject}: {self.meaning}{found}; {self.what_to_do}"


def validate(
    warehouse: Warehouse, gate: str, run: str, suites: Mapping[str, Suite], pages: Path
) -> list[Result]:
    """Judge tables by their suites (name -> suite) and write the pages; their index is ``pages/index.html``.

    An expectation that cannot be judged, such as one on a missing column, did not hold.
    """
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message="`schema_name` is deprecated", category=DeprecationWarning)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    context.add_data_docs_site(_SITE, _site(pages))
    source = context.data_sources.add_postgres(
        "warehouse", connection_string=warehouse.sqlalchemy_url.replace("$", r"\$"), create_temp_table=False
    )
    definitions = []
    for name, (table, expected) in suites.items():
        schema, table_name = table.split(".")
        asset = source.add_table_asset(name, table_name=table_name, schema_name=schema)
        data = asset.add_batch_definition_whole_table("all rows")
        suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=expected))
        definition = gx.ValidationDefinition(name=name, data=data, suite=suite)
        definitions.append(context.validation_definitions.add(definition))
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(
            name=gate,
            validation_definitions=definitions,
            result_format={"result_format": "BASIC", "partial_unexpected_count": 0},
        )
    )
    outcome = checkpoint.run(run_id=gx.RunIdentifier(run_name=run))
    context.build_data_docs(site_names=[_SITE])
    return [
        _result(validation.suite_name, item)
        for validation in outcome.run_results.values()
        for item in validation.results
    ]


def _site(pages: Path) -> Any:
    return {
        "class_name": "SiteBuilder",
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(pages)},
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }


def _result(subject: str, item: Any) -> Result:
    expected, found = item.expectation_config, item.result
    told = expected.meta or {}
    failed = found.get("unexpected_count")
    observed = found.get("observed_value")
    if not item.success and not found:
        observed = "could not be judged"
    return Result(
        subject=subject,
        name=told.get("name", expected.type),
        severity=str(getattr(expected.severity, "value", expected.severity)),
        success=bool(item.success),
        failed=failed,
        observed=None if observed is None else str(observed),
        meaning=expected.description or expected.type,
        what_to_do=told.get("what_to_do"),
        owner=told.get("owner"),
    )
