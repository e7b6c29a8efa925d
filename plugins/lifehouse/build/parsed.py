"""The project as dbt parsed it: once for all places, and kept in a file for every process that runs the same files.

Of a place, parsing knows the database and the schemas, and nothing else differs: a kept project is moved there. dbt takes
seconds to parse, the file is read in a twentieth of one; each task of a night is a process of its own.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path
from typing import Any

from lifehouse.build.place import Place
from lifehouse.context import Context

#: Where the models are parsed for; nothing is built there.
NOWHERE = Place("parsed", "lifehouse_parsed")
#: A folder that several homes share; without it each keeps its own.
SHARED = "LIFEHOUSE_PARSED"
#: What a command needs of a manifest; the rest is for parsing a part of the files anew, or found from these.
_PARTS = (
    *("nodes", "sources", "macros", "docs", "exposures", "functions", "metrics", "groups", "selectors"),
    *("metadata", "disabled", "semantic_models", "unit_tests", "saved_queries", "env_vars"),
)
_KEPT = 32  # projects, some 2 MB each


def project(ctx: Context, files: str, parse: Callable[[], Any]) -> Any:
    """The manifest of a project, yours to change.

    :param files: what tells it from others. :param parse: has dbt parse it; called where no process did so before.
    """
    file = _folder(ctx) / f"{_key(files)}.pickle"
    if (kept := _read(file)) is not None and _is_as_asked(kept.env_vars):
        return kept
    manifest = parse()
    told = pickle.dumps({part: getattr(manifest, part) for part in _PARTS}, protocol=pickle.HIGHEST_PROTOCOL)
    _keep(file, told)
    return _loaded(told)


def move(manifest: Any, place: Place, database: str, root: Path) -> None:
    """Say of every model where it is: what ``generate_schema_name`` and dbt's profile say of this place."""
    for node in chain(manifest.nodes.values(), manifest.sources.values()):
        node.database = database
        node.schema = place.release if node.schema == NOWHERE.release else f"{place.prefix}{node.schema}"
        if node.relation_name:
            name = getattr(node, "alias", None) or node.identifier
            node.relation_name = f'"{database}"."{node.schema}"."{name}"'
        if getattr(node, "root_path", None):
            node.root_path = str(root)
    manifest.build_flat_graph()


def _folder(ctx: Context) -> Path:
    shared = os.environ.get(SHARED)
    return Path(shared) if shared else ctx.home.folder("dbt", "parsed")


def _key(said: str) -> str:
    """Of all that parsing depends on: the files, and who parses them with which macros."""
    versions = (
        f"{name} {_version(name)}" for name in ("dbt-core", "dbt-adapters", "dbt-postgres", "dbt-duckdb")
    )
    return hashlib.sha256("\n".join((said, sys.version, *versions)).encode()).hexdigest()[:32]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _is_as_asked(env_vars: Mapping[str, str]) -> bool:
    """Whether the environment says today what it said to the parsing models."""
    from dbt.constants import DEFAULT_ENV_PLACEHOLDER  # noqa: PLC0415  comes with dbt

    return all(os.environ.get(name, DEFAULT_ENV_PLACEHOLDER) == said for name, said in env_vars.items())


def _read(file: Path) -> Any:
    """None where nothing is kept, or nothing that can be read."""
    try:
        manifest = _loaded(file.read_bytes())
        os.utime(file)  # those used last are kept
    except Exception:
        return None
    return manifest


def _loaded(told: bytes) -> Any:
    """Only this process' user writes there, as they do the models themselves."""
    from dbt.contracts.graph.manifest import Manifest  # noqa: PLC0415  comes with dbt

    return Manifest(**pickle.loads(told))  # noqa: S301


def _keep(file: Path, told: bytes) -> None:
    """Whole or not at all; a folder that cannot be written costs time, no more."""
    with suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(dir=file.parent)
        with open(number, "wb") as handle:
            handle.write(told)
        Path(name).replace(file)
        older = sorted(file.parent.glob("*.pickle"), key=lambda kept: -kept.stat().st_mtime)[_KEPT:]
        for kept in older:
            kept.unlink(missing_ok=True)
