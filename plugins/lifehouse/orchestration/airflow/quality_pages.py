"""Serves ``<home>/data_docs`` in Airflow's API server, to those who may read the DAG that a page speaks of.

``/lifehouse/quality/release/all/run-<id>/`` and ``/lifehouse/quality/raw/<source>/load-<id>/`` are stable addresses.
Who is not logged in is sent to Airflow's own login and back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
from airflow.api_fastapi.core_api.security import bearer_scheme, get_user
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, RedirectResponse, Response
from fastapi.security import HTTPAuthorizationCredentials

from lifehouse.alerts.subject import Subject
from lifehouse.home import Home
from lifehouse.orchestration.airflow.links import PAGES
from lifehouse.project import Project

#: Pages are text: no script runs in Airflow's origin, nothing is fetched from elsewhere (Great Expectations' would be).
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-cache",
}
_KINDS = {".html", ".css", ".js", ".png", ".svg", ".ico", ".json", ".woff", ".woff2", ".ttf", ".map"}

app = FastAPI(title="Lifehouse", docs_url=None, redoc_url=None, openapi_url=None)


@app.get("/quality/{path:path}", response_model=None)
async def page(
    path: str,
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer_scheme)],
) -> Response:
    """A page or a part of one; a folder's ``index.html``."""
    try:
        user = await get_user(request, None, bearer)
    except HTTPException:
        if bearer is None and "text/html" in request.headers.get("accept", ""):
            return _login(request)
        raise
    subject = _subject(path)
    if subject is None:
        raise HTTPException(404, "there are pages of /release/... and /raw/<source>/...")
    if not get_auth_manager().is_authorized_dag(
        method="GET", details=DagDetails(id=subject.dag_id), user=user
    ):
        raise HTTPException(403, "Forbidden")
    root = Home.current(Project.current().root).path / "data_docs"
    found = _file(root, path)
    if found is None:
        raise HTTPException(
            404, f"no such page: its gate has not judged it, or it is older than what is kept ({path})"
        )
    if found.name == "index.html" and not path.endswith(("/", "index.html")):
        return RedirectResponse(f"{PAGES}/{quote(path)}/")
    return FileResponse(found, headers=_HEADERS)


def _subject(path: str) -> Subject | None:
    """Whose DAG one must be allowed to read for this page."""
    gate, _, rest = path.partition("/")
    if gate == "release":
        return Subject("marts")
    source = rest.partition("/")[0]
    return Subject("source", source) if gate == "raw" and source else None


def _file(root: Path, path: str) -> Path | None:
    """The file below ``root``, wherever links lead; None where there is none, or it is not a page's part."""
    try:
        place = (root / path).resolve()
        if place.is_dir():
            place = (place / "index.html").resolve()
        inside = root.resolve() in place.parents
    except (OSError, ValueError):
        return None
    # the path that was asked for decides who may read: it must be where the file is
    same = inside and _subject(str(place.relative_to(root.resolve()))) == _subject(path)
    return place if same and place.suffix in _KINDS and place.is_file() else None


def _login(request: Request) -> RedirectResponse:
    """Airflow's own login, and back here."""
    there = get_auth_manager().get_url_login()
    return RedirectResponse(f"{there}?next={quote(str(request.url), safe='')}", 302)
