"""dlt's part: extract what the resources give into ``landing_<source>``, replaced whole, no state kept.

The landing schema is dropped before and, by the record step, after: nothing of an earlier shape or a killed
process is left to be mistaken for this delivery.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Sequence
from typing import Any

from psycopg import sql

from lifehouse.context import Context
from lifehouse.errors import LifehouseError, SourceError
from lifehouse.ingest.declaration import Source

#: Set before dlt is imported. Identifiers stay as they are; files are small enough to be copied side by side.
_SETTINGS = {
    "DO_NOT_TRACK": "1",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "CRITICAL",  # dlt's own messages may quote values
    "RESTORE_FROM_DESTINATION": "false",
    "PROVIDERS__ENABLE_AIRFLOW_SECRETS": "false",
    "SCHEMA__NAMING": "direct",
    "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true",
    "DATA_WRITER__FILE_MAX_ITEMS": "500000",
    "LOAD__WORKERS": "2",
    "LOAD__DELETE_COMPLETED_JOBS": "true",
}


def configure(ctx: Context) -> None:
    """Settings of dlt for this process, telemetry off, its folders below the home. Call before importing dlt."""
    os.environ.update(_SETTINGS)
    os.environ["DLT_DATA_DIR"] = str(ctx.home.folder("dlt", "data"))
    os.environ["DLT_PROJECT_DIR"] = str(ctx.home.folder("dlt", "project"))
    for name in ("dlt", "sqlalchemy.engine"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def clear(ctx: Context, source: Source) -> None:
    """Remove what an earlier ingest of this source left behind."""
    shutil.rmtree(ctx.home.path / "dlt" / "work" / source.source, ignore_errors=True)
    query = sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(source.landing_schema))
    with ctx.warehouse.connect() as connection:
        connection.execute("set local client_min_messages = warning")
        connection.execute(query)


def land(ctx: Context, source: Source, resources: Sequence[Any]) -> None:
    """Run the resources into the landing schema.

    :raises SourceError: extraction or landing failed; the message names the table and the kind of error, no values.
    """
    import dlt  # noqa: PLC0415  after configure()
    from dlt.pipeline.exceptions import PipelineStepFailed  # noqa: PLC0415

    pipeline = dlt.pipeline(
        pipeline_name=source.source,
        pipelines_dir=str(ctx.home.folder("dlt", "work", source.source)),
        destination=dlt.destinations.postgres(credentials=ctx.warehouse.role_url),
        dataset_name=source.landing_schema,
    )
    try:
        pipeline.run(list(resources), loader_file_format="csv", write_disposition="replace")
    except PipelineStepFailed as error:
        raise _told(source, error) from None


def _told(source: Source, error: BaseException) -> LifehouseError:
    """The error that a person should see: our own if one is in the chain, else the kind of the innermost one."""
    chain = [error]
    while (inner := chain[-1].__cause__ or chain[-1].__context__) is not None and inner not in chain:
        chain.append(inner)
    for link in chain:
        if isinstance(link, LifehouseError):
            return link
    step = getattr(error, "step", "landing")
    kinds = " < ".join(dict.fromkeys(type(link).__name__ for link in reversed(chain)))
    return SourceError(f"source {source.source}: {step} failed ({kinds})")
