"""Which records are one person: connected components, and ids that stay with them for life. Pure functions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

#: An identifier that more records share than this names nobody (info@, a shop's own number); it is not matched on.
CAP = 20


def components(identifiers: pd.DataFrame, cap: int = CAP) -> tuple[pd.Series, pd.DataFrame]:
    """Group records that share an identifier, over chains of any length.

    :param identifiers: columns ``ref`` (a record) and ``identifier``, one row each pair.
    :returns: a series ref -> component number, over every ref, and the identifiers cut off (``identifier``, ``records``).
    """
    refs, ref_names = pd.factorize(identifiers["ref"])
    values, value_names = pd.factorize(identifiers["identifier"])
    shared = np.bincount(values, minlength=len(value_names))
    keep = shared[values] <= cap
    size = len(ref_names) + len(value_names)
    edges = coo_array(
        (np.ones(keep.sum(), dtype=np.int8), (refs[keep], values[keep] + len(ref_names))), shape=(size, size)
    )
    _, labels = connected_components(edges, directed=False)
    over = shared > cap
    cut = pd.DataFrame({"identifier": value_names[over], "records": shared[over]})
    return pd.Series(labels[: len(ref_names)], index=ref_names, name="component"), cut


def new_id(ref: str, taken: Mapping[str, object]) -> str:
    """An id from the natural key of a customer's first record; salted if a customer who left it behind still owns it."""
    salt = 0
    while True:
        digest = hashlib.md5(
            f"{ref}|{salt}".encode() if salt else ref.encode(), usedforsecurity=False
        ).hexdigest()
        customer_id = f"c_{digest[:16]}"
        if customer_id not in taken:
            return customer_id
        salt += 1


def assign(
    component: pd.Series, current: Mapping[str, str], age: Mapping[str, int]
) -> tuple[dict[str, str], dict[str, str]]:
    """Give every record its customer, keeping ids for life.

    A component keeps the oldest id among its records; the other ids retire into it. When one id stands in
    several components (a correction split them), the one with the smallest record keeps it.

    :param component: ref -> component number.
    :param current: ref -> customer_id so far (refs never seen are absent).
    :param age: customer_id -> run in which it was first handed out; every id ever handed out is here.
    :returns: ref -> customer_id, and retired id -> the id it was merged into.
    """
    members: dict[int, list[str]] = {}
    for ref, number in component.items():
        members.setdefault(int(number), []).append(str(ref))
    groups = sorted((sorted(refs) for refs in members.values()), key=lambda refs: refs[0])
    claimed: dict[str, int] = {}
    for index, refs in enumerate(groups):
        for ref in refs:
            if ref in current:
                claimed.setdefault(current[ref], index)
    result: dict[str, str] = {}
    retired: dict[str, str] = {}
    taken: dict[str, int] = dict(age)
    for index, refs in enumerate(groups):
        known = {current[ref] for ref in refs if ref in current}
        own = sorted(
            (customer for customer in known if claimed[customer] == index), key=lambda c: (age.get(c, 0), c)
        )
        customer_id = own[0] if own else new_id(refs[0], taken)
        taken.setdefault(customer_id, -1)
        retired.update(dict.fromkeys(own[1:], customer_id))
        result.update(dict.fromkeys(refs, customer_id))
    return result, retired
