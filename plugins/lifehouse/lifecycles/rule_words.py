"""Rules in words, for those who read a stage and do not write its rule."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from lifehouse.lifecycles import event_words
from lifehouse.lifecycles.rules import (
    Count,
    Distinct,
    Last,
    Latest,
    Rhythm,
    Rule,
    Since,
    SinceLast,
    Sum,
    Trend,
)

_BY = {"channel": "channels", "detail": "details", "source": "sources", "campaign_key": "campaigns"}


def in_words(rule: Rule | None) -> str:
    """``at least 13 orders in the last 90 days; and first had orders at least 180 days ago``. No rule takes everyone else."""
    if rule is None:
        return "everyone else"
    match rule.kind, rule.node:
        case "every", parts:
            return _joined("and", parts)
        case "some", parts:
            return _joined("or", parts)
        case "negated", part:
            return f"not ({in_words(part)})"
    return _leaf(rule.kind, rule.node)


def _leaf(kind: str, node: Any) -> str:  # noqa: PLR0911 - one for each kind of rule
    if kind in ("ever", "never"):
        return f"has {'had' if kind == 'ever' else 'never had'} {_events(node)}"
    of = _events(node.of if isinstance(node.of, tuple) else (node.of,))
    match kind, node:
        case _, Count() as count:
            return f"{_bounds(count.at_least, count.at_most)} {of} {_window(count.within)}"
        case _, Sum() as total:
            most = f"less than {_number(total.less_than)}" if total.less_than is not None else ""
            least = f"at least {_number(total.at_least)}" if total.at_least is not None else ""
            worth = " and ".join(filter(None, (least, most)))
            currency = f" {total.currency}" if total.currency else ""
            return f"{of} worth {worth}{currency} in all {_window(total.within)}"
        case _, Distinct() as distinct:
            bounds = _bounds(distinct.at_least, distinct.at_most)
            return f"{of} of {bounds} different {_BY[distinct.by]} {_window(distinct.within)}"
        case "since_first", Since() as since:
            ago = [f"at least {_length(since.at_least)} ago"] if since.at_least else []
            ago += [f"less than {_length(since.less_than)} ago"] if since.less_than else []
            return f"first had {of} {' and '.join(ago)}"
        case _, SinceLast() as since:
            seen = f"{of} in the last {_length(since.less_than)}" if since.less_than else f"had {of}"
            return f"{seen}, but none for {_length(since.at_least)}" if since.at_least else seen
        case _, Trend() as trend:
            return _trend(trend, of)
        case _, Last() as last:
            return f"the latest of {of} says {_either(repr(value) for value in last.is_in)}"
        case _, Latest() as latest:
            return f"of {of} the latest are {_events(latest.is_of)}"
    raise AssertionError(kind)


def _trend(trend: Trend, of: str) -> str:
    over = _length(trend.over)
    less, more = ("fewer", "more") if trend.measure == "count" else ("worth less", "worth more")
    moves = [f"{less} than {_number(trend.falls_below)} times" if trend.falls_below else ""]
    moves += [f"{more} than {_number(trend.rises_above)} times" if trend.rises_above else ""]
    unit = f" {trend.currency}" if trend.currency else ""
    before = f"the {over} before, which held at least {_number(trend.from_at_least)}{unit}"
    return f"{of} of the last {over} are {' and '.join(filter(None, moves))} those of {before}"


def _joined(word: str, parts: tuple[Rule, ...]) -> str:
    told = [
        f"({in_words(part)})" if len(parts) > 1 and part.kind in ("every", "some") else in_words(part)
        for part in parts
    ]
    return f"; {word} ".join(told)


def _events(types: Iterable[str]) -> str:
    return _either(event_words.several(type_) for type_ in types)


def _either(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _bounds(least: int | None, most: int | None) -> str:
    told = [f"at least {least:,}"] if least is not None else []
    told += [f"at most {most:,}"] if most is not None else []
    return " and ".join(told)


def _window(within: int | None) -> str:
    return f"in the last {_length(within)}" if within else "so far"


def _length(window: int | Rhythm) -> str:
    if isinstance(window, Rhythm):
        bounds = f"{window.at_least} to {window.at_most} days; {window.until_known} until it is known"
        return f"{_number(window.times)} times their usual gap ({bounds})"
    return f"{window} day{'' if window == 1 else 's'}"


def _number(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"
