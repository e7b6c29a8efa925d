"""Plain tables for the terminal: numbers to the right, text not wrapped, except sentences."""

from __future__ import annotations

from rich.table import Table

_NUMBERS = {
    *(
        "received",
        "loaded",
        "same",
        "bad",
        "deleted",
        "unchanged",
        "quarantined",
        "records",
        "rows",
        "size_bytes",
    ),
    *("sent", "confirmed", "refused", "calls"),
    *("waiting", "released", "discarded", "flagged", "revived", "loads"),
    *("seconds", "only Postgres has", "only DuckDB has"),
}
#: Columns of sentences.
_WRAPPED = {"why", "what it is", "tested against"}


def table_of(*columns: str, title: str | None = None) -> Table:
    """A table with these headings; columns of sentences may wrap."""
    table = Table(title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(
            column, justify="right" if column in _NUMBERS else "left", no_wrap=column not in _WRAPPED
        )
    return table
