"""Identity once more, plainly: records as dictionaries, networkx, one customer after another. For the tests alone."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping

import networkx as nx

Record = tuple[str, str]  # source and key
Identifier = tuple[str, str]  # kind and value
_STRENGTH = ("id", "loyalty_card", "email", "phone", "cookie")


def components(
    records: Mapping[Record, Collection[Identifier]],
    cap: int,
    same: Collection[tuple[Record, Record]] = (),
    apart: Collection[tuple[Record, Record]] = (),
) -> list[frozenset[Record]]:
    """The customers of these records. ``same``: the newest first."""
    carriers: dict[Identifier, set[Record]] = defaultdict(set)
    for record, identifiers in records.items():
        for identifier in identifiers:
            carriers[identifier].add(record)
    carriers = {identifier: them for identifier, them in carriers.items() if len(them) <= cap}
    for source, key in records:
        carriers.setdefault((f"id:{source}", key), set()).add((source, key))
    weak_last = sorted(
        carriers, key=lambda each: (_STRENGTH.index(each[0].split(":")[0]), len(carriers[each]), *each)
    )
    links = [{*pair} for pair in same if {*pair} <= set(records)]
    links += [carriers[identifier] for identifier in weak_last]
    graph = nx.Graph()
    graph.add_nodes_from(records)
    for link in links:
        wider = graph.copy() if apart else graph
        nx.add_star(wider, sorted(link))
        if all(not (a in wider and b in wider and nx.has_path(wider, a, b)) for a, b in apart):
            graph = wider
    return [frozenset(group) for group in nx.connected_components(graph)]


def assign(
    groups: list[frozenset[Record]], current: Mapping[Record, str], age: Mapping[str, int]
) -> tuple[dict[Record, str], dict[str, str]]:
    """Record -> customer, and retired id -> the id it was merged into."""
    ordered = sorted((sorted(group) for group in groups), key=lambda group: group[0])
    claimed: dict[str, int] = {}
    for index, group in enumerate(ordered):
        for record in group:
            if record in current:
                claimed.setdefault(current[record], index)
    result: dict[Record, str] = {}
    retired: dict[str, str] = {}
    taken = set(age)
    for index, group in enumerate(ordered):
        known = {current[record] for record in group if record in current}
        own = sorted((each for each in known if claimed[each] == index), key=lambda each: (age[each], each))
        customer = own[0] if own else _new(group[0], taken)
        taken.add(customer)
        retired.update(dict.fromkeys(own[1:], customer))
        result.update(dict.fromkeys(group, customer))
    return result, retired


def _new(record: Record, taken: set[str]) -> str:
    salt = 0
    while True:
        text = "\x1f".join(record) + (f"|{salt}" if salt else "")
        customer = "c_" + hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:16]
        if customer not in taken:
            return customer
        salt += 1
