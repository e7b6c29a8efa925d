"""Which records are one person: connected components, and what is left out to keep two apart. Pure functions on numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Numbers = npt.NDArray[np.int32]
_AT_A_TIME = 100_000


def components(size: int, parts: Iterable[npt.NDArray[np.int32]]) -> Numbers:
    """The component of each of the records ``0 .. size - 1``, over chains and rings of any length: its smallest record.

    Takes four bytes a record, and what a part takes.

    :param parts: each of shape (n, 2): records that are one person.
    """
    parent = np.arange(size, dtype=np.int32)  # never greater than the record, and its own at the top
    for pairs in parts:
        tops, ends = np.unique(_tops(parent, pairs), return_inverse=True)
        ends = ends.reshape(pairs.shape)
        edges = coo_array(
            (np.ones(len(ends), dtype=np.int8), (ends[:, 0], ends[:, 1])), shape=(len(tops), len(tops))
        )
        _, labels = connected_components(edges, directed=False) if len(tops) else (0, tops)
        _, firsts = np.unique(labels, return_index=True)  # tops are in order, so the first is the smallest
        parent[tops] = tops[firsts][labels]
        parent[pairs] = _tops(parent, pairs)
    for start in range(0, size, _AT_A_TIME):
        part = slice(start, start + _AT_A_TIME)
        parent[part] = _tops(parent, parent[part])
    return parent


def _tops(parent: Numbers, records: npt.NDArray[np.int32]) -> Numbers:
    tops = parent[records]
    while not np.array_equal(above := parent[tops], tops):
        tops = above
    return tops


def apart(
    records: Iterable[int], links: Iterable[Sequence[int]], strangers: Iterable[tuple[int, int]]
) -> tuple[dict[int, int], list[int]]:
    """Components in which no two strangers are together.

    Links (each the records that share something) are taken from the first to the last. One that would bring two
    strangers together, given those before it, is left out whole: it names nobody.

    :returns: record -> the smallest record of its component, and the numbers of the links that were left out.
    """
    parent = {record: record for record in records}
    members = {record: {record} for record in parent}
    foes: dict[int, set[int]] = {}
    for one, other in strangers:
        foes.setdefault(one, set()).add(other)
        foes.setdefault(other, set()).add(one)

    def root(record: int) -> int:
        while parent[record] != record:
            parent[record] = parent[parent[record]]
            record = parent[record]
        return record

    hostile = {record: {record} for record in foes}  # root -> its members that have foes
    left_out = []
    for number, link in enumerate(links):
        roots = {root(record) for record in link}
        met = set().union(*(hostile.get(each, set()) for each in roots))
        if any(foes[record] & met for record in met):
            left_out.append(number)
            continue
        first, *others = sorted(roots, key=lambda each: -len(members[each]))
        for other in others:
            parent[other] = first
            members[first] |= members.pop(other)
        if met:
            hostile[first] = met
    return {record: min(members[root(record)]) for record in parent}, left_out
