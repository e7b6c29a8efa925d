"""The dbt project that is run: the shipped models, the company's staging and the compiled lifecycles in one folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from lifehouse.context import Context
from lifehouse.ingest.declaration import load_source
from lifehouse.lifecycles.compile import compile_models
from lifehouse.lifecycles.declaration import lifecycle_files
from lifehouse.project import INSTALLATION, Project

SHIPPED = INSTALLATION / "dbt_project"
_PARTS = ("macros", "models", "seeds", "tests")
_STAGING = Path("models/staging")
_GENERATED = Path("models/lifecycle/generated")
#: dbt reads the password from here; its name makes dbt keep the value out of its logs.
PASSWORD_VARIABLE = "DBT_ENV_SECRET_LIFEHOUSE_PASSWORD"  # noqa: S105


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
    for name, text in compile_models(lifecycle_files(project)).items():
        files[_GENERATED / name] = text
    settings = yaml.safe_load((SHIPPED / "dbt_project.yml").read_text(encoding="utf-8"))
    settings["vars"] = _variables(project)
    files[Path("dbt_project.yml")] = yaml.safe_dump(settings, sort_keys=False)
    return files


def assemble(ctx: Context) -> Path:
    """Bring the assembled project up to date; unchanged files are not touched, so dbt parses only what changed."""
    root = folder(ctx)
    wanted = contents(ctx.project)
    for part in _PARTS:
        for path in (root / part).rglob("*"):
            if path.is_file() and path.relative_to(root) not in wanted:
                path.unlink()
    for relative, text in wanted.items():
        _write(root / relative, text)
    _write(ctx.home.file("dbt", "profiles.yml"), yaml.safe_dump(_profile(ctx), sort_keys=False))
    return root


def sources(project: Project) -> list[str]:
    """The names of the company's sources."""
    return [path.stem for path in project.source_files]


def mart_names() -> list[str]:
    """The names of all marts: what BI and syncs may read."""
    return sorted(path.stem for path in (SHIPPED / "models" / "marts").rglob("*.sql"))


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
    return {
        "inputs": inputs,
        "units": units,
        "reporting_currency": company.reporting_currency,
        "time_zone": company.time_zone,
    }


def _profile(ctx: Context) -> dict[str, Any]:
    place = ctx.warehouse.parameters
    os.environ[PASSWORD_VARIABLE] = place.get("password", "")
    common = {
        "type": "postgres",
        "host": place.get("host", "127.0.0.1"),
        "port": int(place.get("port", 5432)),
        "user": place["user"],
        "password": f"{{{{ env_var('{PASSWORD_VARIABLE}') }}}}",
        "dbname": place["dbname"],
        "threads": 3,
        **({"role": ctx.warehouse.role} if ctx.warehouse.role else {}),
        **{key: place[key] for key in ("sslmode", "sslrootcert", "sslcert", "sslkey") if key in place},
    }
    return {
        "lifehouse": {
            "target": "blue",
            "outputs": {slot: {**common, "schema": slot} for slot in ("blue", "green")},
        }
    }


def _write(path: Path, text: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
