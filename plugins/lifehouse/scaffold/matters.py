"""Drafts for whatever else a source tells: a table called like one of the contract's, column by column by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lifehouse.build import contract
from lifehouse.scaffold.roles import Guess
from lifehouse.scaffold.sketch import Column
from lifehouse.scaffold.sql import Draft, Writer, text

#: What such tables are called elsewhere, beside the contract's own name.
_CALLED = {
    "interactions": r"(web|site|page|app)_?(visit|view|hit|event)s?|visits?|page_?views?|hits?",
    "messages": r"(e?mail|message|mailing|newsletter)_?(event|message|send|log)?s",
    "campaigns": r"(marketing_)?campaigns?",
    "campaign_targets": r"campaign_?(member|target|recipient|customer)s?",
    "offers": r"(offer|coupon|voucher)s?",
    "offer_redemptions": r"((offer|coupon|voucher)_?)?redemptions?",
    "stage_changes": r"(stage|lifecycle|pipeline)_?(change|history|log)s?",
    "opportunities": r"(sales_)?(opportunit(y|ies)|deals?)",
    "follow_ups": r"follow_?ups?|(sales_)?(appointment|activit(y|ie))s?",
    "tickets": r"(support_|service_)?(ticket|case|complaint|request)s?",
    "survey_invitations": r"(survey|nps|csat)_?(invitation|invite)s?",
    "survey_answers": r"(survey|nps|csat)_?(answer|response|result|score)s?",
    "reviews": r"(product_)?(review|rating)s?",
    "service_costs": r"(service|support)_?(cost|expense)s?",
    "loyalty_entries": r"(loyalty|points?|bonus)_?(entr(y|ie)|transaction|booking|point)s?|points",
    "referrals": r"(customer_)?(referral|recommendation)s?",
    "subscriptions": r"(subscription|contract)(_?event)?s?",
    "product_usage": r"(product_|device_)?usages?(_?(event|log)s?)?",
    "market_indicators": r"(market|competitor)_?(indicator|figure|price)s?",
}
_PATTERNS = {table: re.compile(pattern) for table, pattern in _CALLED.items()}
#: What a column of the contract is called elsewhere, beside its own name, `<...>_id` for keys and `<...>_date` for times.
_SPELLINGS = {
    "amount": r"value|total|price|sum",
    "value": r"amount|face_value",
    "cost": r"budget|spend|costs",
    "score": r"rating|mark|answer|nps",
    "rating": r"stars|score|mark",
    "satisfaction": r"csat|satisfaction_(score|rating)",
    "points": r"amount|value",
    "topic": r"subject|category|reason",
    "kind": r"type|category",
    "event": r"event_type|type|status",
    "action": r"event_type|event|type",
    "arm": r"test_group|variant|group",
    "outcome": r"result|status",
    "stage": r"new_stage|to_stage",
    "comment": r"text|body|feedback",
    "survey": r"survey_(type|name)|type",
}
_OWN = ("source", "source_key", "_loaded_at", "currency")
#: Words of the contract's own, which a source will hardly use.
_WORDED = ("kind", "event", "action", "arm", "outcome", "status", "survey")


def called(name: str) -> str:
    """The contract table that a table of this name seems to be; '' if none."""
    return next(
        (table for table, pattern in _PATTERNS.items() if name == table or pattern.fullmatch(name)), ""
    )


class Matters(Writer):
    """Tables whose rows are what the rows of a contract table other than people, products and orders are."""

    def drafts(self, guess: Guess) -> Iterator[Draft]:
        table = called(guess.table.name)
        if table and guess.table.key and (draft := self._draft(table, guess)):
            yield draft

    def _draft(self, table: str, guess: Guess) -> Draft | None:
        declared = {column["name"]: column["data_type"] for column in contract.tables()[table]["columns"]}
        found: dict[str, Column] = {}
        for name, kind in declared.items():
            if name not in _OWN and (column := self._column(name, kind, guess, found)):
                found[name] = column
        checks = []
        times = contract.happenings().get(table, [])
        if times and times[0] not in found:
            if guess.time is None:
                return None
            found[times[0]] = guess.time
            checks.append(f"`{times[0]}` is `{guess.time.name}`, since no better time was found")
        if (
            "customer_key" in declared
            and "customer_key" not in found
            and table not in ("offers", "interactions")
        ):
            return None
        keys = [text(guess.table[column]) for column in guess.table.key]
        own = " || '-' || ".join(keys)
        fields = {"source_key": own}
        if f"{table.removesuffix('s')}_key" in declared and len(keys) == 1:
            fields[f"{table.removesuffix('s')}_key"] = own
        fields |= {name: self._as(declared[name], column) for name, column in found.items()}
        if "currency" in declared and {"amount", "value", "cost", "reward"} & found.keys():
            fields["currency"] = self.currency_of(guess)
        if worded := [name for name in _WORDED if name in found]:
            checks.append(
                f"{', '.join(f'`{name}`' for name in worded)}: translate to the words of docs/add-a-source.md"
            )
        if missing := [name for name in declared if name not in (*fields, *_OWN)]:
            checks.append(f"not found, so left out: {', '.join(missing)}")
        return self.model(table, guess, own, fields, checks)

    def _column(self, name: str, kind: str, guess: Guess, taken: dict[str, Column]) -> Column | None:
        """The source's column for one of the contract's; each column of the source is used once."""
        if name == "customer_key" and name in guess:
            return guess.roles[name]
        stem, _, ending = name.rpartition("_")
        spelt = [re.escape(name), _SPELLINGS.get(name, "")]
        if ending == "key":
            spelt.append(rf"{stem}_?(id|no|number|code|ref)")
        if ending == "at":
            spelt.append(rf"({stem}|{stem.removesuffix('ed')})_?(at|on|date|time|datetime|timestamp)")
        for pattern in filter(None, spelt):
            for column in guess.table.columns:
                free = column not in taken.values() and column.name not in guess.table.key
                if free and re.fullmatch(pattern, column.name) and _fits(kind, column):
                    return column
        return None

    def _as(self, kind: str, column: Column) -> str:
        if kind == "timestamptz":
            return self.instant(column)
        return text(column) if kind == "text" else column.name


def _fits(kind: str, column: Column) -> bool:
    numbers = column.type in ("bigint", "integer") or column.type.startswith("numeric")
    if kind == "timestamptz":
        return column.type in ("timestamp", "timestamptz", "date") or bool(column.date_format)
    if kind.startswith("numeric"):
        return numbers
    return kind == "text" or column.type in (kind, "integer")
