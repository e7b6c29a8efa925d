"""The mask of a personal column, as the views in ``marts`` show it to who is no member of ``lifehouse_personal``.

Identifiers become keyed hashes: countable, joinable across marts, and nothing without the key. What many people
share (names, addresses, free text) becomes null: a hash of a first name would be found by its frequency. A birth date
keeps its year.
"""

from __future__ import annotations

from psycopg import sql

from lifehouse.privacy.kinds import IDENTIFIERS, Personal

#: A query of its own, so that it is asked once a statement and not once a row.
_VIEWED = "case when (select control.sees_personal()) then {column} else {mask} end as {column}"


def viewed(column: str, kind: Personal, data_type: str) -> sql.Composable:
    """The column of a view: the value for those who may see it, else its mask, of the same type."""
    name = sql.Identifier(column)
    mask: sql.Composable = sql.SQL("null::{}").format(sql.SQL(data_type))
    if data_type == "text" and kind in IDENTIFIERS:
        mask = sql.SQL("control.mask_token({}, {})").format(name, sql.Literal(kind))
    elif data_type == "date" and kind == "birth":
        mask = sql.SQL("date_trunc('year', {})::date").format(name)
    return sql.SQL(_VIEWED).format(column=name, mask=mask)
