"""The project: the company, its declarations, its staging models."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from lifehouse.context import Context
from lifehouse.doctor.findings import Finding, Verdict
from lifehouse.errors import LifehouseError
from lifehouse.project import INSTALLATION

_REQUIRED_VARIABLE = re.compile(r"\$\{(\w+)\}")


def company(ctx: Context) -> Iterator[Finding]:
    company = ctx.project.company
    yield Finding("project", Verdict.FINE, f"{company.company} ({ctx.project.root})")
    known = {path.stem for path in ctx.project.source_files}
    unknown = [name for name in company.required_sources if name not in known]
    if unknown:
        yield Finding(
            "project",
            Verdict.WRONG,
            f"lifehouse.yml requires {', '.join(unknown)}, and dags/sources has no such file",
            f"correct required_sources; known: {', '.join(sorted(known)) or 'none'}",
        )


def declarations(ctx: Context) -> Iterator[Finding]:
    from lifehouse.activation.declaration import load_sync  # noqa: PLC0415  heavy
    from lifehouse.ingest.declaration import load_source  # noqa: PLC0415  heavy

    if not ctx.project.source_files:
        yield Finding(
            "sources", Verdict.MIND, "none declared", "lifehouse init, or write dags/sources/<name>.yml"
        )
    demo = ctx.project.root == INSTALLATION
    yield from _declared("source", ctx.project.source_files, load_source, demo)
    yield from _declared("sync", ctx.project.sync_files, load_sync, demo)


def _declared(kind: str, files: list[Path], load: Callable[[Path], object], demo: bool) -> Iterator[Finding]:
    for path in files:
        subject = f"{kind} {path.stem}"
        unset = sorted(
            {name for name in _REQUIRED_VARIABLE.findall(path.read_text()) if name not in os.environ}
        )
        if unset:
            yield Finding(
                subject,
                Verdict.MIND if demo else Verdict.WRONG,
                f"needs the environment variable{'s' if len(unset) > 1 else ''} {', '.join(unset)}",
                "nothing: `lifehouse demo` sets it"
                if demo
                else "export it before `lifehouse run` and `lifehouse up`",
            )
            continue
        try:
            load(path)
        except LifehouseError as error:
            yield Finding(subject, Verdict.WRONG, str(error), "correct the line that the message names")
        else:
            yield Finding(subject, Verdict.FINE, "well declared")


def staging(ctx: Context) -> Iterator[Finding]:
    for path in ctx.project.source_files:
        folder = ctx.project.staging_folder / path.stem
        models = sorted(folder.glob("*.sql"))
        if not models:
            yield Finding(
                f"staging {path.stem}",
                Verdict.WRONG,
                f"{folder} has no models: the source would be loaded and never read",
                "write staging models (docs/add-a-source.md)",
            )
