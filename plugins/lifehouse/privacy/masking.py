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

#: Queries of their own are asked once a statement. The normal shapes are those in which identities are matched.
_HASHED = (
    "'m_' || left(encode(sha256((select control.mask_secret()) || convert_to("
    "case when {column} like '%@%' then lower(trim({column})) when {column} ~ '^[+][0-9]+$' then right({column}, 10) "
    "else {plain} end, 'UTF8')), 'hex'), 20)"
)
_DIGITS = "right(regexp_replace({column}, '[^0-9]', '', 'g'), 10)"
_LETTERS = "upper(regexp_replace({column}, '[^0-9A-Za-z]', '', 'g'))"


def viewed(column: str, kind: Personal, data_type: str) -> sql.Composable:
    """The column of a view: the value for those who may see it, else its mask, of the same type."""
    name = sql.Identifier(column)
    mask: sql.Composable = sql.SQL("null::{}").format(sql.SQL(data_type))
    if data_type == "text" and kind in IDENTIFIERS:
        plain = sql.SQL(_DIGITS if kind == "phone" else _LETTERS).format(column=name)
        mask = sql.SQL(_HASHED).format(column=name, plain=plain)
    elif data_type == "date" and kind == "birth":
        mask = sql.SQL("date_trunc('year', {})::date").format(name)
    return sql.SQL(_VIEWED).format(column=name, mask=mask)
