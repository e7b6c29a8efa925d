"""Rules are told in words that say all that they ask."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from lifecycles import drawing
from lifehouse.lifecycles.rule_words import in_words
from lifehouse.lifecycles.rules import Rule

RHYTHM = {"times": 2.5, "at_least": "20d", "at_most": "52w", "until_known": "180d"}
WORDS: list[tuple[dict[str, Any], str]] = [
    ({"ever": "order"}, "has had orders"),
    ({"never": ["order", "refund"]}, "has never had orders or refunds"),
    (
        {"count": {"of": "order", "within": "12w", "at_least": 2, "at_most": 5}},
        "at least 2 and at most 5 orders in the last 84 days",
    ),
    (
        {"sum": {"of": "order", "currency": "EUR", "at_least": 100, "less_than": 250.5}},
        "orders worth at least 100 and less than 250.5 EUR in all so far",
    ),
    (
        {"distinct": {"of": "order", "by": "channel", "within": "1d", "at_least": 3}},
        "orders of at least 3 different channels in the last 1 day",
    ),
    ({"since_last": {"of": "order", "at_least": "60d"}}, "had orders, but none for 60 days"),
    (
        {"since_last": {"of": "order", "at_least": "60d", "less_than": "180d"}},
        "orders in the last 180 days, but none for 60 days",
    ),
    (
        {"since_last": {"of": "order", "at_least": RHYTHM}},
        "had orders, but none for 2.5 times their usual gap (20 to 364 days; 180 until it is known)",
    ),
    ({"since_first": {"of": "order", "less_than": "30d"}}, "first had orders less than 30 days ago"),
    (
        {"trend": {"of": "order", "over": "60d", "falls_below": 0.5, "from_at_least": 6}},
        "orders of the last 60 days are fewer than 0.5 times those of the 60 days before, which held at least 6",
    ),
    (
        {"last": {"of": "crm_stage", "in": ["lead", "won"]}},
        "the latest of changes of stage in the source's pipeline says 'lead' or 'won'",
    ),
    (
        {"latest": {"of": ["order", "refund"], "is": "refund"}},
        "of orders or refunds the latest are refunds",
    ),
    (
        {"all": [{"ever": "order"}, {"any": [{"ever": "refund"}, {"not": {"ever": "call"}}]}]},
        "has had orders; and (has had refunds; or not (has had calls))",
    ),
]


@pytest.mark.parametrize(("rule", "words"), WORDS)
def test_a_rule_reads_well(rule: dict[str, Any], words: str) -> None:
    assert in_words(Rule.model_validate(rule)) == words


def test_no_rule_is_everyone_else() -> None:
    assert in_words(None) == "everyone else"


@settings(max_examples=300, derandomize=True, deadline=None)
@given(drawing.rules)
def test_every_rule_has_words_and_no_bound_is_left_out(rule: dict[str, Any]) -> None:
    told = in_words(Rule.model_validate(rule))
    for bound in _bounds(rule):
        assert bound in told


def _bounds(node: Any) -> list[str]:
    """What a reader must find again: the numbers of the rule, windows in days."""
    if isinstance(node, list):
        return [found for item in node for found in _bounds(item)]
    if isinstance(node, dict):
        return [found for item in node.values() for found in _bounds(item)]
    if isinstance(node, str) and node[:-1].isdigit():
        return [str(int(node[:-1]) * (7 if node[-1] == "w" else 1))]
    return [f"{node:g}"] if isinstance(node, int | float) else []
