"""The words in which the corruptions are written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Size = Literal["large", "medium", "small"]
Where = Literal["shop", "crm", "marts"]


@dataclass(frozen=True)
class Corruption:
    """One way for a night to go wrong.

    ``touches`` names table.column; ``share`` says which rows, of what. ``imitates`` is the accident of real life.
    ``how`` are SQL statements. For the shop (schema public) and the CRM (schema crm) they run in the sources'
    database when the night's records are there, entered in [{since}, {until}); whatever a statement rewrites in bulk
    gets an ``updated_at`` of that night, as a rewriting system would give it. For the marts they run in the warehouse
    between the release and its gate: {slot} is the copy that is judged, {served} the one that is read, {as_of} the
    run's instant. ``wire`` is a fault of the CRM's answers instead: see :mod:`mutations.crm_server`.

    Size: *large* touches at least a fifth of what a table delivers that night, or of what a mart holds, and 50 rows
    or more; *medium* at least a hundredth, or the whole of fewer than 50 rows; *small* is less: a handful of rows.
    """

    id: str
    name: str
    where: Where
    touches: tuple[str, ...]
    size: Size
    share: str
    imitates: str
    how: tuple[str, ...] = ()
    wire: str = ""
