"""Drafts from lines of orders that stand alone: who bought, what the orders and the products are, is read off the lines."""

from __future__ import annotations

from collections.abc import Iterator

from lifehouse.scaffold.roles import Guess, Kind
from lifehouse.scaffold.sql import Draft, Writer, plain, text

_PERSON = (
    "email",
    "phone",
    "full_name",
    "first_name",
    "last_name",
    "city",
    "region",
    "postal_code",
    "country",
)
_PRODUCT = {"product_name": "name", "category": "category", "brand": "brand", "unit_price": "unit_price"}


class Lines(Writer):
    """Several lines make one row: grouped by the order, the customer or the product."""

    def drafts(self, guess: Guess) -> Iterator[Draft]:
        if guess.kind is not Kind.LINES or guess.time is None or not self.amount_of(guess):
            return
        yield self._orders(guess)
        if "customer_key" in guess:
            yield self._profiles(guess)
        if "product_key" in guess:
            yield self._products(guess)

    def _orders(self, guess: Guess) -> Draft:
        order, when = text(guess.roles["order_key"]), self._when(guess)
        fields = {
            "source_key": order,
            **(
                {"customer_key": f"max({text(guess.roles['customer_key'])})"}
                if "customer_key" in guess
                else {}
            ),
            "order_type": f"case when bool_and({self.is_refund(guess)}) then 'refund' else 'sale' end",
            "ordered_at": f"min({when})",
            "status": "'completed'",
            **{role: f"max({text(guess.roles[role])})" for role in ("channel", "store") if role in guess},
            "currency": f"max({self.currency_of(guess)})",
        }
        checks = [
            *self.order_checks(guess),
            "an order all of whose lines are refunds is a refund; it keeps its own number and date",
        ]
        return self.model("orders", guess, order, fields, checks, grouped=True)

    def _profiles(self, guess: Guess) -> Draft:
        key, when = text(guess.roles["customer_key"]), self._when(guess)
        fields = {"source_key": key, "customer_key": key, "kind": "'person'"}
        fields |= {
            role: self.newest(plain(role, guess.roles[role]), guess) for role in _PERSON if role in guess
        }
        fields |= {"created_at": f"min({when})", "updated_at": f"max({when})"}
        checks = [
            "there is no table of customers: who a customer is comes from the lines, the newest value of each field"
        ]
        if "country" in guess:
            checks.append(f"`{guess.roles['country'].name}` is taken as the customer's country")
        where = f"{guess.roles['customer_key'].name} is not null"
        return self.model("profiles", guess, key, fields, checks, grouped=True, where=where)

    def _products(self, guess: Guess) -> Draft:
        key = text(guess.roles["product_key"])
        fields = {"source_key": key, "product_key": key}
        fields |= {
            field: self.newest(plain(role, guess.roles[role]), guess)
            for role, field in _PRODUCT.items()
            if role in guess
        }
        fields["currency"] = (
            self.newest(self.currency_of(guess), guess) if "currency" in guess else f"'{self.currency}'"
        )
        checks = ["there is no table of products: names and prices are those of the newest line"]
        where = f"{guess.roles['product_key'].name} is not null"
        return self.model("products", guess, key, fields, checks, grouped=True, where=where)

    def _when(self, guess: Guess) -> str:
        assert guess.time is not None  # noqa: S101 - drafts() asked for it
        return self.instant(guess.time)
