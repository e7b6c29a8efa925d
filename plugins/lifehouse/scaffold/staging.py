"""Drafts of staging models: how a guessed table is brought to the input contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lifehouse.scaffold.roles import Guess, Kind
from lifehouse.scaffold.sketch import Column

_PERSON = (
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


@dataclass(frozen=True)
class Draft:
    """One staging model: the contract table it fills, its SQL, and what a person should check."""

    contract: str
    sql: str
    checks: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Drafter:
    """Writes the models of one source. ``zone`` is where its times without offset are meant, ``currency`` that of its amounts."""

    source: str
    currency: str
    zone: str

    def drafts(self, guesses: list[Guess]) -> list[Draft]:
        """At most one draft for each contract table: tables of their own first, then what lines of orders tell besides."""
        drafts: dict[str, Draft] = {}
        for guess in guesses:
            for draft in self._own(guess):
                drafts.setdefault(draft.contract, draft)
        for guess in guesses:
            if guess.kind is Kind.LINES:
                for draft in self._from_lines(guess):
                    drafts.setdefault(draft.contract, draft)
        return list(drafts.values())

    def _own(self, guess: Guess) -> Iterator[Draft]:
        if guess.kind is Kind.CUSTOMERS and "customer_key" in guess:
            yield self._profiles(guess)
            if "opt_in" in guess and (guess.roles.get("updated_at") or guess.time):
                yield self._consents(guess)
        elif guess.kind is Kind.PRODUCTS and "product_key" in guess:
            yield self._products(guess)
        elif guess.kind is Kind.ORDERS and "order_key" in guess and guess.time:
            yield self._orders(guess)
            if "amount" in guess:
                yield self._one_line_an_order(guess)
        elif guess.kind is Kind.LINES and (amount := self._amount(guess)):
            yield self._lines(guess, *amount)

    def _from_lines(self, guess: Guess) -> Iterator[Draft]:
        amount = self._amount(guess)
        if guess.time is None or amount is None:
            return
        yield self._orders_of_lines(guess, amount[0])
        if "customer_key" in guess:
            yield self._profiles_of_lines(guess)
        if "product_key" in guess:
            yield self._products_of_lines(guess)

    # ---- tables of their own

    def _profiles(self, guess: Guess) -> Draft:
        key = text(guess.roles["customer_key"])
        fields = {"source_key": key, "customer_key": key, "kind": "'person'"}
        fields |= {role: self._plain(role, guess.roles[role]) for role in _PERSON if role in guess}
        created, updated = guess.roles.get("created_at") or guess.time, guess.roles.get("updated_at")
        if created:
            fields["created_at"] = self._instant(created)
        if updated or created:
            fields["updated_at"] = self._instant(updated or created)
        checks = ["`kind` is person for every row; use household or account where that is what the rows are"]
        if not created:
            checks.append("no time of registration was found: a customer is first seen at the first order")
        return self._model("profiles", guess, key, fields, checks)

    def _consents(self, guess: Guess) -> Draft:
        key, flag = text(guess.roles["customer_key"]), guess.roles["opt_in"]
        when = guess.roles.get("updated_at") or guess.time
        given = (
            name(flag) if flag.type == "boolean" else f"lower({text(flag)}) in ('1', 'true', 't', 'yes', 'y')"
        )
        fields = {
            "source_key": f"{key} || '-email'",
            "customer_key": key,
            "channel": "'email'",
            "purpose": "'marketing'",
            "status": f"case when {given} then 'granted' else 'withdrawn' end",
            "changed_at": self._instant(when) if when else "null::timestamptz",
        }
        checks = [
            f"`{flag.name}` is taken as consent to marketing by e-mail; without consent nobody is pushed anywhere",
            f"its time is `{when.name if when else ''}`, since the source keeps no time of the decision itself",
        ]
        return self._model("consents", guess, key, fields, checks, replaces="customer_key")

    def _products(self, guess: Guess) -> Draft:
        key = text(guess.roles["product_key"])
        fields = {"source_key": key, "product_key": key} | self._product_fields(guess)
        return self._model("products", guess, key, fields, [])

    def _orders(self, guess: Guess) -> Draft:
        key = text(guess.roles["order_key"])
        amount = guess.roles.get("amount")
        fields = {
            "source_key": key,
            **self._customer(guess),
            "order_type": f"case when {name(amount)} < 0 then 'refund' else 'sale' end"
            if amount
            else "'sale'",
            "ordered_at": self._instant(guess.time) if guess.time else "null",
            "status": self._status(guess),
            **{role: text(guess.roles[role]) for role in ("channel", "store") if role in guess},
            "currency": self._currency(guess),
        }
        return self._model("orders", guess, key, fields, self._order_checks(guess))

    def _one_line_an_order(self, guess: Guess) -> Draft:
        key, amount = text(guess.roles["order_key"]), name(guess.roles["amount"])
        fields = {
            "source_key": key,
            "order_key": key,
            "line_type": f"case when {amount} < 0 then 'refund' else 'sale' end",
            "quantity": name(guess.roles["quantity"]) if "quantity" in guess else "1",
            "amount": amount,
            "currency": self._currency(guess),
        }
        checks = [
            f"no table of order lines was found: each order is one line with its `{guess.roles['amount'].name}`"
        ]
        return self._model("order_lines", guess, key, fields, checks)

    def _lines(self, guess: Guess, amount: str, how: str) -> Draft:
        order = text(guess.roles["order_key"])
        if guess.table.key:
            own = " || '-' || ".join(text(guess.table[column]) for column in guess.table.key)
            line = own if guess.table.key[0] == guess.roles["order_key"].name else f"{order} || '-' || {own}"
        else:
            line = f"{order} || '-' || _file || '-' || _line"
        fields = {
            "source_key": line,
            "order_key": order,
            **({"product_key": text(guess.roles["product_key"])} if "product_key" in guess else {}),
            "line_type": f"case when {self._negative(guess, amount)} then 'refund' else 'sale' end",
            **({"quantity": name(guess.roles["quantity"])} if "quantity" in guess else {}),
            **({"unit_price": name(guess.roles["unit_price"])} if "unit_price" in guess else {}),
            "amount": amount,
            **({"discount": name(guess.roles["discount"])} if "discount" in guess else {}),
            "currency": self._currency(guess),
        }
        checks = [
            f"what was paid for a line is {how}: discounts must be deducted in it",
            "a negative quantity or amount is a refund; `amount` must be negative for a refund",
        ]
        return self._model("order_lines", guess, order, fields, checks, replaces="order_key")

    # ---- what lines of orders tell besides

    def _orders_of_lines(self, guess: Guess, amount: str) -> Draft:
        order = text(guess.roles["order_key"])
        customer = self._customer(guess)
        fields = {
            "source_key": order,
            **{key: f"max({value})" for key, value in customer.items()},
            "order_type": f"case when bool_and({self._negative(guess, amount)}) then 'refund' else 'sale' end",
            "ordered_at": f"min({self._instant(guess.time)})" if guess.time else "null",
            "status": "'completed'",
            **{role: f"max({text(guess.roles[role])})" for role in ("channel", "store") if role in guess},
            "currency": f"max({self._currency(guess)})" if "currency" in guess else self._currency(guess),
        }
        checks = [
            *self._order_checks(guess),
            "an order all of whose lines are negative is a refund; a refund keeps its own number and date",
        ]
        return self._model("orders", guess, order, fields, checks, grouped=order)

    def _profiles_of_lines(self, guess: Guess) -> Draft:
        key = text(guess.roles["customer_key"])
        when = self._instant(guess.time) if guess.time else "null::timestamptz"
        newest = f"(array_agg({{}} order by {when} desc))[1]"
        fields = {"source_key": key, "customer_key": key, "kind": "'person'"}
        fields |= {
            role: newest.format(self._plain(role, guess.roles[role])) for role in _PERSON if role in guess
        }
        fields |= {"created_at": f"min({when})", "updated_at": f"max({when})"}
        checks = [
            "there is no table of customers: who a customer is comes from the lines, the newest value of each field",
            f"`{guess.roles['country'].name}` is taken as the customer's country"
            if "country" in guess
            else "",
        ]
        where = f"{name(guess.roles['customer_key'])} is not null"
        return self._model("profiles", guess, key, fields, checks, grouped=key, where=where)

    def _products_of_lines(self, guess: Guess) -> Draft:
        key = text(guess.roles["product_key"])
        newest = f"(array_agg({{0}} order by {self._instant(guess.time)} desc) filter (where {{0}} is not null))[1]"  # type: ignore[arg-type]
        fields = {"source_key": key, "product_key": key}
        fields |= {
            role: newest.format(value)
            for role, value in self._product_fields(guess).items()
            if role != "currency"
        }
        fields["currency"] = self._currency_literal
        checks = ["there is no table of products: names and prices are those of the newest line"]
        where = f"{name(guess.roles['product_key'])} is not null"
        return self._model("products", guess, key, fields, checks, grouped=key, where=where)

    # ---- parts

    @property
    def _currency_literal(self) -> str:
        return f"'{self.currency}'"

    def _currency(self, guess: Guess) -> str:
        return f"upper({text(guess.roles['currency'])})" if "currency" in guess else self._currency_literal

    def _customer(self, guess: Guess) -> dict[str, str]:
        return {"customer_key": text(guess.roles["customer_key"])} if "customer_key" in guess else {}

    def _product_fields(self, guess: Guess) -> dict[str, str]:
        names = {"product_name": "name"}
        roles = ("product_name", "category", "subcategory", "brand", "unit_price", "unit_cost")
        found = {
            names.get(role, role): self._plain(role, guess.roles[role]) for role in roles if role in guess
        }
        return {**found, "currency": self._currency(guess)}

    def _status(self, guess: Guess) -> str:
        if "status" not in guess:
            return "'completed'"
        return f"case when lower({text(guess.roles['status'])}) like '%cancel%' then 'cancelled' else 'completed' end"

    def _order_checks(self, guess: Guess) -> list[str]:
        checks = [
            f"the order was placed at `{guess.time.name}`, in {self.zone} time unless it has an offset"
            if guess.time
            else ""
        ]
        if "customer_key" not in guess:
            checks.append("no customer was found: every order is a guest's")
        if "status" in guess and guess.kind is Kind.ORDERS:
            checks.append("a status with 'cancel' in it is a cancelled order, any other a completed one")
        return checks

    def _amount(self, guess: Guess) -> tuple[str, str] | None:
        if "amount" in guess:
            return name(guess.roles["amount"]), f"`{guess.roles['amount'].name}`"
        if {"quantity", "unit_price"} <= guess.roles.keys():
            quantity, price = guess.roles["quantity"].name, guess.roles["unit_price"].name
            return (
                f"{name(guess.roles['quantity'])} * {name(guess.roles['unit_price'])}",
                f"`{quantity} * {price}`",
            )
        return None

    def _negative(self, guess: Guess, amount: str) -> str:
        parts = [f"{name(guess.roles['quantity'])} < 0"] if "quantity" in guess else []
        return " or ".join([*parts, f"{amount} < 0"])

    def _plain(self, role: str, column: Column) -> str:
        if role == "birth_date":
            return (
                name(column)
                if column.type == "date"
                else f"to_date({text(column)}, '{column.date_format or 'YYYY-MM-DD'}')"
            )
        return name(column) if role in ("unit_price", "unit_cost") else text(column)

    def _instant(self, column: Column) -> str:
        if column.date_format:
            return (
                f"to_timestamp({name(column)}, '{column.date_format}')::timestamp at time zone '{self.zone}'"
            )
        if column.type == "date":
            return f"{name(column)}::timestamp at time zone '{self.zone}'"
        return name(column)  # declared timestamptz: ingest reads it in the source's time zone

    def _model(
        self,
        contract: str,
        guess: Guess,
        by: str,
        fields: dict[str, str],
        checks: list[str],
        *,
        replaces: str = "source_key",
        grouped: str = "",
        where: str = "",
    ) -> Draft:
        """The SQL: one `select` from the current accepted rows, in the house's style."""
        table = guess.table.name
        by_text = by.replace("\\", "\\\\").replace('"', '\\"')
        replacing = f", replaces='{replaces}'" if replaces != "source_key" else ""
        checks = [check for check in checks if check]
        loaded = "max(_loaded_at)" if grouped else "_loaded_at"
        listed = {"source": f"'{self.source}'", **fields, "_loaded_at": loaded}
        lines = [
            f"{{{{ staged('{self.source}', '{table}', by=\"{by_text}\"{replacing}) }}}}",
            "",
            *(f"-- check: {check}" for check in checks),
            *([""] if checks else []),
            "with records as (",
            f"    select * from {{{{ raw('{self.source}', '{table}', by=\"{by_text}\") }}}} as records",
            ")",
            "",
            "select",
            *(f"    {value if value == key else f'{value} as {key}'}," for key, value in listed.items()),
            "from records",
            *([f"where {where}"] if where else []),
            *([f"group by {grouped}"] if grouped else []),
        ]
        last = max(index for index, line in enumerate(lines) if line.endswith(","))
        lines[last] = lines[last][:-1]
        return Draft(contract, "\n".join(lines) + "\n", tuple(checks), tuple(listed))


def name(column: Column) -> str:
    """The column as SQL names it."""
    return column.name if column.name not in _RESERVED else f'"{column.name}"'


def text(column: Column) -> str:
    """The column as a key in text: 17850.0 and 17850 are the same."""
    if column.float_ids:
        return f"split_part({name(column)}, '.', 1)"
    return name(column) if column.type == "text" else f"{name(column)}::text"


_RESERVED = frozenset(
    {
        "user",
        "order",
        "group",
        "table",
        "select",
        "from",
        "where",
        "limit",
        "offset",
        "column",
        "check",
        "end",
        "desc",
    }
    | {
        "asc",
        "all",
        "any",
        "case",
        "default",
        "grant",
        "primary",
        "references",
        "to",
        "union",
        "unique",
        "using",
        "when",
    }
)
