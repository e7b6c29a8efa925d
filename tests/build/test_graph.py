"""Identity: exact components, ids for life."""

from __future__ import annotations

import networkx as nx
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from lifehouse.build import graph

pairs = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=60)


def _frame(edges: list[tuple[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(edges, columns=["ref", "identifier"])


@settings(max_examples=300, deadline=None)
@given(pairs)
def test_components_are_those_of_networkx(edges: list[tuple[int, int]]) -> None:
    frame = _frame([(f"r{a}", f"i{b}") for a, b in edges]).drop_duplicates()
    ours, cut = graph.components(frame, cap=1000)
    theirs = nx.Graph(frame.itertuples(index=False, name=None))
    expected = {frozenset(n for n in group if n.startswith("r")) for group in nx.connected_components(theirs)}
    assert {frozenset(group.index) for _, group in ours.groupby(ours)} == expected
    assert cut.empty


def test_a_chain_of_a_hundred_thousand_records_is_one_customer() -> None:
    size = 100_000
    links = [(f"r{i}", f"i{i + step}") for i in range(size) for step in (0, 1)]
    component, _ = graph.components(_frame(links))
    assert component.nunique() == 1


def test_an_identifier_of_too_many_records_joins_nobody_and_is_told() -> None:
    links = [(f"r{i}", "info@shop") for i in range(graph.CAP + 1)]
    own = [(ref, f"id:{ref}") for ref, _ in links]
    component, cut = graph.components(_frame(links + own))
    assert component.nunique() == graph.CAP + 1
    assert cut.to_dict("records") == [{"identifier": "info@shop", "records": graph.CAP + 1}]


def _assign(
    groups: list[list[str]], current: dict[str, str], age: dict[str, int]
) -> tuple[dict[str, str], dict[str, str]]:
    component = pd.Series({ref: number for number, refs in enumerate(groups) for ref in refs})
    return graph.assign(component, current, age)


def test_a_merge_keeps_the_older_id_and_retires_the_younger() -> None:
    assigned, retired = _assign([["a", "b", "c"]], {"b": "young", "c": "old"}, {"young": 5, "old": 2})
    assert set(assigned.values()) == {"old"}
    assert retired == {"young": "old"}


def test_a_split_leaves_the_id_with_the_smallest_record_and_hands_out_a_new_one() -> None:
    assigned, retired = _assign([["b"], ["a"]], {"a": "one", "b": "one"}, {"one": 1})
    assert assigned["a"] == "one"
    assert assigned["b"] not in {"one", None}
    assert retired == {}


def test_a_record_that_comes_back_after_leaving_its_id_behind_gets_a_fresh_one() -> None:
    first, _ = _assign([["a", "b"]], {}, {})
    assert first["a"] == first["b"] == graph.new_id("a", {})
    second, _ = _assign([["a"], ["b"]], first, {first["a"]: 1})
    third, _ = _assign([["a"], ["b"]], second, dict.fromkeys(second.values(), 1))
    assert second == third


@settings(max_examples=200, deadline=None)
@given(st.lists(pairs, min_size=1, max_size=5))
def test_ids_are_for_life_through_any_sequence_of_merges_and_splits(
    nights: list[list[tuple[int, int]]],
) -> None:
    current: dict[str, str] = {}
    age: dict[str, int] = {}
    for run, edges in enumerate(nights):
        frame = _frame(
            [(f"r{a}", f"i{b}") for a, b in edges] + [(ref, f"id:{ref}") for ref in current]
        ).drop_duplicates()
        component, _ = graph.components(frame, cap=1000)
        assigned, retired = graph.assign(component, current, age)
        assert set(assigned) >= set(current)
        by_customer = pd.Series(assigned).groupby(pd.Series(assigned)).groups
        by_component = component.groupby(component).groups
        assert {frozenset(v) for v in by_customer.values()} == {frozenset(v) for v in by_component.values()}
        for gone, kept in retired.items():
            assert gone not in assigned.values()
            assert kept in assigned.values()
            assert (age[kept], kept) <= (age[gone], gone)
        lost = set(current.values()) - set(assigned.values())
        assert lost == set(retired)
        for customer in assigned.values():
            age.setdefault(customer, run)
        current = assigned
