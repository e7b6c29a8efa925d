"""The fingerprint of the code that builds: another fingerprint means another build of everything."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import phonenumbers

from lifehouse.build import project
from lifehouse.context import Context
from lifehouse.ingest.declaration import load_source
from lifehouse.project import INSTALLATION

_PACKAGE = INSTALLATION / "plugins" / "lifehouse"


def fingerprint(ctx: Context) -> str:
    """16 hex digits over the assembled dbt project and the Python steps that compute rows.

    Models, macros, seeds, compiled lifecycles and the company's settings are in it. Schedules, addresses,
    owners and gates are not: they change no row of a mart.
    """
    digest = hashlib.sha256()
    for name, content in sorted(_parts(ctx)):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _parts(ctx: Context) -> Iterator[tuple[str, bytes]]:
    for path, text in project.contents(ctx.project).items():
        yield f"dbt/{path}", text.encode()
    for folder in ("build", "identity"):
        for path in (_PACKAGE / folder).rglob("*.py"):
            yield f"steps/{path.relative_to(_PACKAGE)}", path.read_bytes()
    regions = {path.stem: load_source(path).phone_region for path in ctx.project.source_files}
    yield "identity", repr((ctx.project.company.identity, regions, phonenumbers.__version__)).encode()
