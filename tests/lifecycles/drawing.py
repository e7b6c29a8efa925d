"""Hypothesis strategies: rules of every kind and customers whose events meet on the edges of the windows."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from lifecycles.reference import Event

START = datetime(2024, 2, 20, 12, tzinfo=UTC)
TYPES = ["order", "refund", "crm_stage", "interaction"]
DETAILS = ["lead", "won", "lo'st", None]

_windows = st.sampled_from(["1d", "2d", "3d", "5d", "1w"])
_types = st.one_of(
    st.sampled_from(TYPES[:3]), st.lists(st.sampled_from(TYPES[:3]), min_size=1, max_size=2, unique=True)
)
_currency = st.fixed_dictionaries({}, optional={"currency": st.sampled_from(["USD", "EUR"])})


def _some_of(*keys: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping with at least one of the keys."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(keys, values)).filter(bool)


def _node(kind: str, parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return parts.map(lambda node: {kind: node})


def _merged(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda found: {key: value for part in found for key, value in part.items()})


_of = _types.map(lambda types: {"of": types})
_within = st.fixed_dictionaries({}, optional={"within": _windows})
_rhythms = st.builds(
    lambda times, first, second, known: {
        "times": times,
        "at_least": f"{min(first, second)}d",
        "at_most": f"{max(first, second)}d",
        "until_known": known,
    },
    st.sampled_from([0.5, 1, 1.25, 3]),
    st.integers(1, 6),
    st.integers(1, 9),
    _windows,
)
_paced = _node(
    "since_last",
    _merged(
        st.sampled_from(TYPES[:3]).map(lambda type_: {"of": type_}),
        _some_of("at_least", "less_than", values=st.one_of(_rhythms, _windows)),
    ),
)
_distinct = _node(
    "distinct",
    _merged(
        _of,
        st.sampled_from(["channel", "detail"]).map(lambda column: {"by": column}),
        _within,
        _some_of("at_least", "at_most", values=st.integers(1, 3)),
    ),
)
_latest = st.lists(st.sampled_from(TYPES[:3]), min_size=2, max_size=3, unique=True).map(
    lambda types: {"latest": {"of": types, "is": types[0]}}
)
_counted = _node(
    "count",
    _merged(_of, st.builds(dict, within=_windows), _some_of("at_least", "at_most", values=st.integers(1, 3))),
)
_leaves = st.one_of(
    st.builds(lambda kind, types: {kind: types}, st.sampled_from(["ever", "never"]), _types),
    _node("count", _merged(_of, _within, _some_of("at_least", "at_most", values=st.integers(1, 3)))),
    _node(
        "sum", _merged(_of, _within, _currency, _some_of("at_least", "less_than", values=st.integers(-5, 30)))
    ),
    *(
        _node(kind, _merged(_of, _some_of("at_least", "less_than", values=_windows)))
        for kind in ("since_last", "since_first")
    ),
    _paced,
    _distinct,
    _latest,
    _node(
        "trend",
        _merged(
            _of,
            _windows.map(lambda window: {"over": window}),
            _some_of("falls_below", "rises_above", values=st.sampled_from([0.5, 1, 1.5])),
            st.fixed_dictionaries({}, optional={"from_at_least": st.sampled_from([1, 2])}),
            st.one_of(st.just({}), _currency.map(lambda currency: {"measure": "sum", **currency})),
        ),
    ),
    st.lists(st.sampled_from(DETAILS[:3]), min_size=1, max_size=2, unique=True).map(
        lambda details: {"last": {"of": "crm_stage", "in": details}}
    ),
)
rules = st.recursive(
    _leaves,
    lambda parts: st.one_of(
        _node("all", st.lists(parts, min_size=1, max_size=3)),  # type: ignore[arg-type]
        _node("any", st.lists(parts, min_size=1, max_size=3)),  # type: ignore[arg-type]
        _node("not", parts),
    ),
    max_leaves=4,
)


def lifecycle(rules_: list[dict[str, Any]]) -> dict[str, Any]:
    """A whole declaration with these rules, tried in their order, and one stage for everyone else."""
    stages = [
        {
            "stage": f"s{place}",
            "label": {"en": f"S{place}", "zh": f"阶段{place}"},
            "definition": "drawn",
            "rule": rule,
            "kpi": {"name": "k", "formula": "1 / 1"},
            "plays": [{"name": "p", "measure": "m", "channel": "e-mail"}] * 2,
        }
        for place, rule in enumerate([*rules_, None])
    ]
    precedence = [str(stage["stage"]) for stage in stages]
    return {
        "lifecycle": "drawn",
        "label": {"en": "Drawn", "zh": "随机"},
        "description": "drawn",
        "stages": stages,
        "precedence": precedence,
    }


lifecycles = st.lists(rules, min_size=1, max_size=4).map(lifecycle)
#: Rules whose windows meet on the same day, side by side.
meeting = st.lists(st.one_of(_paced, _distinct, _latest, _counted), min_size=3, max_size=5).map(lifecycle)
_instants = st.builds(
    lambda days, microseconds: START + timedelta(days=days, microseconds=microseconds),
    st.integers(0, 12),
    st.sampled_from([0, 0, 0, 1, -1, 3_600_000_000]),
)
_events = st.builds(
    lambda at, type_, number, amount, currency, detail, channel, pipeline: Event(
        *(at, type_, f"{number:032x}", amount, currency),
        *(detail if type_ == "crm_stage" else None, channel, pipeline if type_ == "crm_stage" else None),
    ),
    _instants,
    st.sampled_from(TYPES),
    st.integers(0, 2**32),
    st.one_of(st.none(), st.integers(-900, 2000).map(lambda cents: Decimal(cents) / 100)),
    st.sampled_from(["USD", "EUR"]),
    st.sampled_from(DETAILS),
    st.sampled_from(["store", "web", None]),
    st.sampled_from(["sales", "sales ", "a b", None]),
)
customers = st.lists(
    st.lists(_events, min_size=1, max_size=14, unique_by=lambda event: event.id), min_size=1, max_size=5
)


def regular(dice: random.Random) -> list[Event]:
    """A customer whose events fall on whole days, so that one window ends where another event is."""
    step = dice.choice([1, 1, 2, 3])
    return [
        Event(
            START + timedelta(days=step * dice.randrange(12)),
            dice.choice(TYPES[:3]),
            f"{dice.getrandbits(64):032x}",
            detail=dice.choice(DETAILS),
            channel=dice.choice(["store", "web", None]),
        )
        for _ in range(dice.randrange(1, 16))
    ]
