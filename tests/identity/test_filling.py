"""What is done for millions at once leaves the tables as they were, whatever happens on the way."""

from __future__ import annotations

import numpy as np
import pytest
from tests.identity.town import Town

from lifehouse.identity import binary
from lifehouse.identity.filling import unindexed

_INDEXES = """
    select tablename, indexname, indexdef, conname, contype
    from pg_indexes left join pg_constraint on conname = indexname
    where schemaname = 'core' and tablename in ('identifiers', 'customer_refs', 'customer_ref_history', 'customer_registry')
    order by indexname
"""


def test_a_table_filled_from_nothing_has_its_indexes_and_keys_again(town: Town) -> None:
    town.empty()
    before = town.ctx.warehouse.rows(_INDEXES)
    assert {row["contype"] for row in before} == {"p", None}
    town.night(
        {("crm", "1"): [("email", "a@example.com")], ("shop", "1"): [("email", "a@example.com")]}, full=True
    )
    assert len(set(town.customers().values())) == 1
    assert town.ctx.warehouse.rows(_INDEXES) == before


def test_a_filling_that_breaks_off_loses_no_index_and_a_table_with_rows_keeps_its_own(town: Town) -> None:
    town.empty()
    before = town.ctx.warehouse.rows(_INDEXES)
    count = "select count(*) from pg_indexes where schemaname = 'core' and tablename = 'identifiers'"

    def indexes_within() -> None:
        with town.ctx.warehouse.connect() as connection:
            connection.execute("set local search_path = core")
            with unindexed(connection, "identifiers"):
                row = connection.execute(count).fetchone()
                assert row is not None
                raise InterruptedError(row[0])

    with pytest.raises(InterruptedError, match="0"):
        indexes_within()
    assert town.ctx.warehouse.rows(_INDEXES) == before
    town.night({("crm", "1"): [("email", "a@example.com")]}, full=True)
    with pytest.raises(InterruptedError, match="2"):
        indexes_within()


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 57])
def test_numbers_go_and_pairs_come_in_parts_of_any_size(
    town: Town, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binary, "_ROWS", 10)
    with town.ctx.warehouse.connect() as connection:
        connection.execute("create temporary table pairs (one int, other int) on commit drop")
        binary.write_numbered(connection, "pairs", -2 * np.arange(size, dtype=np.int32))
        parts = list(binary.read_pairs(connection, "select one, other from pairs order by one"))
    assert np.concatenate(parts).tolist() == [[number, -2 * number] for number in range(size)]
    assert max(map(len, parts)) <= 20
