"""The dbt project that is run: the shipped models, the company's staging and the compiled lifecycles in one folder."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import yaml

from lifehouse import config
from lifehouse.build.parsed import NOWHERE
from lifehouse.build.place import Place, nightly
from lifehouse.context import Context
from lifehouse.errors import ConfigError
from lifehouse.ingest.declaration import load_source
from lifehouse.lifecycles.compile import compile_macro, compile_models
from lifehouse.lifecycles.declaration import lifecycles
from lifehouse.project import INSTALLATION, MARKER, Project
from lifehouse.spelling import did_you_mean

SHIPPED = INSTALLATION / "dbt_project"
_PARTS = ("macros", "models", "seeds", "tests")
_STAGING = Path("models/staging")
_GENERATED = Path("models/lifecycle/generated")
_STAYS = Path("macros/generated/declared_stays.sql")
#: dbt reads the password from here; its name makes dbt keep the value out of its logs.
PASSWORD_VARIABLE = "DBT_ENV_SECRET_LIFEHOUSE_PASSWORD"  # noqa: S105

#: DuckDB's sessions are like ours on Postgres: in UTC, and nulls come where Postgres has them.
DUCKDB = {"TimeZone": "UTC", "default_null_order": "postgres"}


def folder(ctx: Context) -> Path:
    """Where the assembled project lives."""
    return ctx.home.folder("dbt", "project")


def contents(project: Project) -> dict[Path, str]:
    """Every file of the assembled project, by its path in it: a function of the checkout and the company's folder.

    The release's fingerprint is a hash of this.
    """
    files = {
        path.relative_to(SHIPPED): path.read_text(encoding="utf-8")
        for part in _PARTS
        for path in sorted((SHIPPED / part).rglob("*"))
        if path.is_file() and not _is_a_source(path.relative_to(SHIPPED))
    }
    for source in sources(project):
        for path in sorted((project.staging_folder / source).rglob("*")):
            if path.is_file():
                files[_STAGING / path.relative_to(project.staging_folder)] = path.read_text(encoding="utf-8")
    declared = lifecycles(project)
    for name, text in compile_models(declared, project.company.recorded).items():
        files[_GENERATED / name] = text
    files[_STAYS] = compile_macro(declared)
    settings = config.read((SHIPPED / "dbt_project.yml").read_text(encoding="utf-8"))
    settings["vars"] = _variables(project)
    files[Path("dbt_project.yml")] = yaml.safe_dump(settings, sort_keys=False)
    return files


def assemble(ctx: Context) -> tuple[Path, str]:
    """Bring the assembled project up to date; unchanged files are not touched, so dbt parses only what changed.

    :returns: its folder, and a digest of its files.
    """
    root = folder(ctx)
    wanted = contents(ctx.project)
    for part in _PARTS:
        for path in (root / part).rglob("*"):
            if path.is_file() and path.relative_to(root) not in wanted:
                path.unlink()
    for relative, text in wanted.items():
        _write(root / relative, text)
    told = json.dumps(sorted((path.as_posix(), text) for path, text in wanted.items()))
    return root, hashlib.sha256(told.encode()).hexdigest()


def profiles(ctx: Context, place: Place) -> Path:
    """The folder with dbt's connection for a place, brought up to date.

    Parsing, the nights, each scratch build and DuckDB have one of their own: a profile that changes has dbt parse anew.
    """
    is_nightly = not place.is_scratch and not place.file and place != NOWHERE
    folder = ctx.home.folder("dbt") if is_nightly else ctx.home.folder("dbt", "profiles", place.target)
    if place.file:
        said = _in_a_file(place)
    else:
        said = _profile(ctx, [nightly(slot) for slot in ("blue", "green")] if is_nightly else [place])
    _write(folder / "profiles.yml", yaml.safe_dump(said, sort_keys=False))
    return folder


def sources(project: Project) -> list[str]:
    """The names of the company's sources."""
    return [path.stem for path in project.source_files]


def mart_names(*, dated: bool = False) -> list[str]:
    """The names of all marts: what BI and syncs may read.

    :param dated: only those that are refilled whole for each instant, not those that grow customer by customer.
    """
    files = (SHIPPED / "models" / "marts").rglob("*.sql")
    return sorted(
        path.stem for path in files if not dated or "per_customer(" not in path.read_text(encoding="utf-8")
    )


def _is_a_source(relative: Path) -> bool:
    return relative.is_relative_to(_STAGING) and relative.relative_to(_STAGING).parts[0] != "contract"


def _variables(project: Project) -> dict[str, Any]:
    inputs: dict[str, list[str]] = {}
    for source in sources(project):
        for path in sorted((project.staging_folder / source).rglob(f"stg_{source}__*.sql")):
            inputs.setdefault(path.stem.removeprefix(f"stg_{source}__"), []).append(source)
    units = {
        f"{source.source}.{name}": list(table.unit)
        for source in map(load_source, project.source_files)
        for name, table in source.tables.items()
    }
    company = project.company
    if unknown := sorted(company.identity.named_sources - set(sources(project))):
        hint = did_you_mean(unknown[0], sources(project))
        raise ConfigError(f"{project.root / MARKER}: identity: there is no source {unknown[0]!r}{hint}")
    return {
        "inputs": inputs,
        "units": units,
        "priority": company.identity.priority,
        "field_priority": company.identity.fields,
        "reporting_currency": company.reporting_currency,
        "time_zone": company.time_zone,
    }


def _profile(ctx: Context, places: list[Place]) -> dict[str, Any]:
    # Parsing does not connect: what it is told is the same wherever the warehouse is.
    nowhere = {"user": "nobody", "dbname": "nowhere"}
    address = nowhere if places == [NOWHERE] else ctx.warehouse.parameters
    os.environ[PASSWORD_VARIABLE] = address.get("password", "")
    common = {
        "type": "postgres",
        "host": address.get("host", "127.0.0.1"),
        "port": int(address.get("port", 5432)),
        "user": address["user"],
        "password": f"{{{{ env_var('{PASSWORD_VARIABLE}') }}}}",
        "dbname": address["dbname"],
        "threads": 3,
        **({"role": ctx.warehouse.role} if ctx.warehouse.role else {}),
        **{key: address[key] for key in ("sslmode", "sslrootcert", "sslcert", "sslkey") if key in address},
    }
    return {
        "lifehouse": {
            "target": places[0].target,
            "outputs": {place.target: {**common, "schema": place.release} for place in places},
        }
    }


def _in_a_file(place: Place) -> dict[str, Any]:
    output = {
        "type": "duckdb",
        "path": str(place.file),
        "schema": place.release,
        "threads": 1,  # one statement uses all cores
        "settings": DUCKDB,
    }
    return {"lifehouse": {"target": place.target, "outputs": {place.target: output}}}


def _write(path: Path, text: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
