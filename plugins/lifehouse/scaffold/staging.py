"""Drafts of staging models for tables that hold one matter each: customers, products, orders, order lines, and the rest."""

from __future__ import annotations

from collections.abc import Iterator

from lifehouse.scaffold.lines import Lines
from lifehouse.scaffold.matters import Matters
from lifehouse.scaffold.roles import Guess, Kind
from lifehouse.scaffold.sql import Draft, Writer, plain, text

PERSON = (
    *(
        "email",
        "phone",
        "loyalty_card",
        "first_name",
        "last_name",
        "full_name",
        "birth_date",
        "gender",
        "company_name",
    ),
    *("industry", "street", "city", "region", "postal_code", "country", "acquisition_channel"),
)
PRODUCT = {
    "product_name": "name",
    **{role: role for role in ("category", "subcategory", "brand", "unit_price", "unit_cost")},
}


def drafts(guesses: list[Guess], source: str, currency: str, zone: str) -> list[Draft]:
    """At most one draft for each contract table: from tables of their own, then from what lines of orders tell besides."""
    tables, lines = Tables(source, currency, zone), Lines(source, currency, zone)
    found: dict[str, Draft] = {}
    for guess in guesses:
        for draft in tables.drafts(guess):
            found.setdefault(draft.contract, draft)
    for guess in guesses:
        for draft in (*lines.drafts(guess), *tables.without_lines(guess)):
            found.setdefault(draft.contract, draft)
    for guess in guesses:
        for draft in Matters(source, currency, zone).drafts(guess):
            found.setdefault(draft.contract, draft)
    return list(found.values())


class Tables(Writer):
    """Tables whose rows are what the contract's rows are."""

    def drafts(self, guess: Guess) -> Iterator[Draft]:
        if guess.kind is Kind.CUSTOMERS and "customer_key" in guess:
            yield self._profiles(guess)
            if "opt_in" in guess and ("updated_at" in guess or guess.time):
                yield self._consents(guess)
        elif guess.kind is Kind.PRODUCTS and "product_key" in guess:
            yield self._products(guess)
        elif guess.kind is Kind.ORDERS and "order_key" in guess and guess.time:
            yield self._orders(guess)
        elif guess.kind is Kind.LINES and self.amount_of(guess):
            yield self._lines(guess)

    def _profiles(self, guess: Guess) -> Draft:
        key = text(guess.roles["customer_key"])
        fields = {"source_key": key, "customer_key": key, "kind": "'person'"}
        fields |= {role: plain(role, guess.roles[role]) for role in PERSON if role in guess}
        created, updated = guess.roles.get("created_at") or guess.time, guess.roles.get("updated_at")
        if created:
            fields["created_at"] = self.instant(created)
        if changed := updated or created:
            fields["updated_at"] = self.instant(changed)
        checks = ["`kind` is person for every row; use household or account where that is what the rows are"]
        if not created:
            checks.append("no time of registration was found: a customer is first seen at the first order")
        return self.model("profiles", guess, key, fields, checks)

    def _consents(self, guess: Guess) -> Draft:
        key, flag = text(guess.roles["customer_key"]), guess.roles["opt_in"]
        when = guess.roles.get("updated_at") or guess.time
        assert when is not None  # noqa: S101 - drafts() asked for it
        given = (
            flag.name if flag.type == "boolean" else f"lower({text(flag)}) in ('1', 'true', 't', 'yes', 'y')"
        )
        fields = {
            "source_key": f"{key} || '-email'",
            "customer_key": key,
            "channel": "'email'",
            "purpose": "'marketing'",
            "status": f"case when {given} then 'granted' else 'withdrawn' end",
            "changed_at": self.instant(when),
        }
        checks = [
            f"`{flag.name}` is taken as consent to marketing by e-mail; without consent nobody is pushed anywhere",
            f"the time of the decision is `{when.name}`, since no better one was found",
        ]
        return self.model("consents", guess, key, fields, checks, replaces="customer_key")

    def _products(self, guess: Guess) -> Draft:
        key = text(guess.roles["product_key"])
        fields = {"source_key": key, "product_key": key}
        fields |= {field: plain(role, guess.roles[role]) for role, field in PRODUCT.items() if role in guess}
        fields["currency"] = self.currency_of(guess)
        return self.model("products", guess, key, fields, [])

    def _orders(self, guess: Guess) -> Draft:
        key = text(guess.roles["order_key"])
        assert guess.time is not None  # noqa: S101 - drafts() asked for it
        refund = f"case when {self.amount_of(guess)} < 0 then 'refund' else 'sale' end"
        status = "'completed'"
        checks = self.order_checks(guess)
        if "status" in guess:
            status = f"case when lower({text(guess.roles['status'])}) like '%cancel%' then 'cancelled' else 'completed' end"
            checks.append("a status with 'cancel' in it is a cancelled order, any other a completed one")
        fields = {
            "source_key": key,
            **({"customer_key": text(guess.roles["customer_key"])} if "customer_key" in guess else {}),
            "order_type": refund if self.amount_of(guess) else "'sale'",
            "ordered_at": self.instant(guess.time),
            "status": status,
            **{role: text(guess.roles[role]) for role in ("channel", "store") if role in guess},
            "currency": self.currency_of(guess),
        }
        return self.model("orders", guess, key, fields, checks)

    def without_lines(self, guess: Guess) -> Iterator[Draft]:
        """The last resort for order lines: the order's own amount as its only line."""
        if guess.kind is Kind.ORDERS and {"order_key", "amount"} <= guess.roles.keys():
            yield self._one_line_an_order(guess)

    def _one_line_an_order(self, guess: Guess) -> Draft:
        key, amount = text(guess.roles["order_key"]), guess.roles["amount"].name
        fields = {
            "source_key": key,
            "order_key": key,
            "line_type": f"case when {amount} < 0 then 'refund' else 'sale' end",
            "quantity": guess.roles["quantity"].name if "quantity" in guess else "1",
            "amount": amount,
            "currency": self.currency_of(guess),
        }
        checks = [
            f"no table of order lines was found: each order is one line with its `{guess.roles['amount'].name}`"
        ]
        return self.model("order_lines", guess, key, fields, checks)

    def _lines(self, guess: Guess) -> Draft:
        order, roles = text(guess.roles["order_key"]), guess.roles
        own = [text(guess.table[column]) for column in guess.table.key] or ["_file", "_line"]
        fields = {
            "source_key": " || '-' || ".join(own if own[0] == order else [order, *own]),
            "order_key": order,
            **({"product_key": text(roles["product_key"])} if "product_key" in guess else {}),
            "line_type": f"case when {self.is_refund(guess)} then 'refund' else 'sale' end",
            **{role: roles[role].name for role in ("quantity", "unit_price") if role in guess},
            "amount": self.amount_of(guess),
            **({"discount": roles["discount"].name} if "discount" in guess else {}),
            "currency": self.currency_of(guess),
        }
        checks = [
            f"what was paid for a line is `{self.amount_of(guess)}`; discounts must be deducted in it",
            "a negative quantity or amount is a refund; the amount of a refund must be negative",
        ]
        return self.model("order_lines", guess, order, fields, checks, replaces="order_key")
