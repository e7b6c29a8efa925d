"""Components are those of networkx, however the pairs are cut into parts."""

from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lifehouse.identity import graph

RECORDS = 24
PAIRS = st.lists(st.tuples(st.integers(0, RECORDS - 1), st.integers(0, RECORDS - 1)), max_size=40)


@given(st.lists(PAIRS, max_size=6))
def test_records_are_called_by_the_smallest_of_their_component(parts: list[list[tuple[int, int]]]) -> None:
    plain = nx.Graph()
    plain.add_nodes_from(range(RECORDS))
    plain.add_edges_from(pair for pairs in parts for pair in pairs)
    smallest = {record: min(group) for group in nx.connected_components(plain) for record in group}
    found = graph.components(RECORDS, (np.array(pairs, dtype=np.int32).reshape(-1, 2) for pairs in parts))
    assert found.tolist() == [smallest[record] for record in range(RECORDS)]


def test_a_chain_told_from_its_end_in_many_parts_is_one() -> None:
    size = 250_001  # more than is looked at in one go
    chain = np.stack([np.arange(size - 1), np.arange(1, size)], axis=1).astype(np.int32)[::-1]
    assert not graph.components(size, iter(np.array_split(chain, 300))).any()
    assert graph.components(0, iter(())).tolist() == []
