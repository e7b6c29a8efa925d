"""The SQL of drafted staging models: columns as keys and times, and the one `select` that every draft is."""

from __future__ import annotations

from dataclasses import dataclass

from lifehouse.scaffold.roles import Guess
from lifehouse.scaffold.sketch import Column


@dataclass(frozen=True)
class Draft:
    """One staging model: the contract table it fills, its SQL, and what a person should check."""

    contract: str
    sql: str
    checks: tuple[str, ...]


@dataclass(frozen=True)
class Writer:
    """Writes models of one source. ``zone``: where its times without offset are meant; ``currency``: that of its amounts."""

    source: str
    currency: str
    zone: str

    def instant(self, column: Column) -> str:
        """The column as a timestamptz."""
        if column.date_format:
            return (
                f"to_timestamp({column.name}, '{column.date_format}')::timestamp at time zone '{self.zone}'"
            )
        if column.type == "date":
            return f"{column.name}::timestamp at time zone '{self.zone}'"
        return column.name  # declared timestamptz: ingest reads it in the source's time zone

    def newest(self, value: str, guess: Guess) -> str:
        """Of a group of records, the newest value that is not null; ties by the record's own identity."""
        unit = [guess.table[key].name for key in guess.table.key] or ["_file", "_line"]
        order = [self.instant(guess.time)] if guess.time else []
        ranked = ", ".join(f"{column} desc" for column in [*order, *unit])
        return f"(array_agg({value} order by {ranked}) filter (where {value} is not null))[1]"

    def currency_of(self, guess: Guess) -> str:
        return f"upper({text(guess.roles['currency'])})" if "currency" in guess else f"'{self.currency}'"

    def amount_of(self, guess: Guess) -> str:
        """What was paid for a line; '' where the columns do not tell."""
        if "amount" in guess:
            return guess.roles["amount"].name
        if {"quantity", "unit_price"} <= guess.roles.keys():
            return f"{guess.roles['quantity'].name} * {guess.roles['unit_price'].name}"
        return ""

    def is_refund(self, guess: Guess) -> str:
        parts = [f"{guess.roles['quantity'].name} < 0"] if "quantity" in guess else []
        return " or ".join([*parts, f"{self.amount_of(guess)} < 0"])

    def order_checks(self, guess: Guess) -> list[str]:
        checks = []
        if guess.time:
            checks.append(
                f"the order was placed at `{guess.time.name}`, in {self.zone} time unless it has an offset"
            )
        if "customer_key" not in guess:
            checks.append("no customer was found: every order is a guest's")
        return checks

    def model(
        self,
        contract: str,
        guess: Guess,
        by: str,
        fields: dict[str, str],
        checks: list[str],
        *,
        replaces: str = "source_key",
        grouped: bool = False,
        where: str = "",
    ) -> Draft:
        """The model: one ``select`` from the current accepted records, grouped by ``by`` where several make one row."""
        place = f"'{self.source}', '{guess.table.name}', by=\"{by}\""
        replacing = f", replaces='{replaces}'" if replaces != "source_key" else ""
        loaded = "max(_loaded_at)" if grouped else "_loaded_at"
        listed = {"source": f"'{self.source}'", **fields, "_loaded_at": loaded}
        columns = ",\n".join(
            f"    {value}" if value == key else f"    {value} as {key}" for key, value in listed.items()
        )
        remarks = "".join(f"-- check: {check}\n" for check in checks)
        parts = [
            f"{{{{ staged({place}{replacing}) }}}}\n",
            *([remarks] if remarks else []),
            f"with records as (\n    select * from {{{{ raw({place}) }}}} as records\n)\n",  # noqa: S608
            f"select\n{columns}\nfrom records"
            + (f"\nwhere {where}" if where else "")
            + (f"\ngroup by {by}" if grouped else ""),
        ]
        return Draft(contract, "\n".join(parts) + "\n", tuple(checks))


def text(column: Column) -> str:
    """The column as text, as a key is written: 17850.0 and 17850 are the same."""
    if column.float_ids:
        return f"split_part({column.name}, '.', 1)"
    return column.name if column.type == "text" else f"{column.name}::text"


def plain(role: str, column: Column) -> str:
    """The column as the contract wants it in this role."""
    if role == "birth_date" and column.type != "date":
        return f"to_date({text(column)}, '{column.date_format or 'YYYY-MM-DD'}')"
    return column.name if role in ("birth_date", "unit_price", "unit_cost") else text(column)
