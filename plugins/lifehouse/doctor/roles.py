"""The roles: whether stations act with few rights, and whether anybody has more or less than is declared."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import errors

from lifehouse.context import Context
from lifehouse.doctor.findings import Finding, Verdict
from lifehouse.warehouse import rights, roles
from lifehouse.warehouse.catalog import Catalog

_SHOWN = 6
_EVERYBODY = "select has_schema_privilege('public', 'public', 'CREATE')"


def access(ctx: Context) -> Iterator[Finding]:
    """Makes nothing new where roles are missing and cannot be made: says what somebody else has to run."""
    separate = ctx.warehouse.has_roles
    with ctx.warehouse.as_role(None).connect() as connection:
        catalog = Catalog.read(connection)
        everybody = connection.execute(_EVERYBODY).fetchone()
    if not separate:
        yield Finding(
            "roles",
            Verdict.MIND,
            f"the stations act as {catalog.owner} with all its rights, and there is no role for BI: {_why(catalog)}",
            "everything works without; to separate the roles, somebody who may create roles runs once:\n"
            + roles.script(catalog),
        )
        return
    deviations = roles.audit(catalog)
    wrong = [deviation for deviation in deviations if deviation.kind is not roles.Kind.FOREIGN]
    foreign = [deviation for deviation in deviations if deviation.kind is roles.Kind.FOREIGN]
    if wrong:
        yield Finding("roles", Verdict.WRONG, _told(wrong), "lifehouse doctor --fix")
    else:
        yield Finding("roles", Verdict.FINE, f"{', '.join(rights.ROLES)}: each with its rights and no others")
    if foreign:
        undo = "; ".join(statement for deviation in foreign[:_SHOWN] for statement in deviation.statements)
        yield Finding(
            "roles",
            Verdict.MIND,
            f"outside of the warehouse's schemas: {_told(foreign)}",
            f"if not meant: {undo}",
        )
    if everybody and everybody[0]:
        yield Finding(
            "roles",
            Verdict.MIND,
            "everybody may create tables in the schema public, BI too",
            "revoke create on schema public from public",
        )


def mend(ctx: Context) -> list[str]:
    """Give and take until the roles are as declared; what was done, in sentences.

    :raises WarehouseError: sessions hold a table whose owner must change.
    """
    with ctx.warehouse.as_role(None).connect(autocommit=True) as connection:
        catalog = Catalog.read(connection)
        try:
            done = roles.repair(connection)
        except (errors.InsufficientPrivilege, errors.InvalidGrantOperation) as error:
            return [
                f"{catalog.owner} may not make the roles ({error.diag.message_primary}); somebody who may has to run:",
                *roles.script(catalog).splitlines(),
            ]
    return [f"mended: {deviation.sentence}" for deviation in done]


def _why(catalog: Catalog) -> str:
    missing = [role for role in rights.ROLES if role not in catalog.roles]
    if missing:
        return f"it may not create {', '.join(missing)}"
    return "it may not act as them, or not grant what they need"


def _told(deviations: list[roles.Deviation]) -> str:
    more = len(deviations) - _SHOWN
    return "; ".join(deviation.sentence for deviation in deviations[:_SHOWN]) + (
        f"; and {more} more" if more > 0 else ""
    )
