"""What columns and tables seem to mean, by their names: the guesses that a draft is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from lifehouse.privacy.kinds import Personal
from lifehouse.scaffold.sketch import Column, Table


class Kind(Enum):
    """What a table seems to hold."""

    LINES = "lines of orders"
    ORDERS = "orders"
    CUSTOMERS = "customers"
    PRODUCTS = "products"
    OTHER = "nothing that was recognised"


_ID = r"_?(id|no|nr|num|number|key|code|ref|uuid)"
#: role -> names that mean it. The first role that matches a column takes it; the first column of a role has it.
_NAMES: dict[str, str] = {
    "line_key": rf"(order_?)?(line|line_item|order_item|order_line){_ID}",
    "order_key": rf"(sales_?)?(order|invoice|basket|receipt|transaction|purchase|bill){_ID}|invoice|order_",
    "customer_key": rf"(customer|cust|client|buyer|shopper|member|user|contact|household|account|person){_ID}",
    "product_key": rf"(product|item|stock|article|sku|material|variant){_ID}|sku|asin|ean|gtin",
    "email": r"(e_?mail|e_mail)(_address)?|mail",
    "phone": r"(phone|mobile|telephone|tel|cell)(_?(number|no))?",
    "loyalty_card": r"(loyalty|club|bonus)_?(card)?(_?(number|no|id))?|card_number",
    "first_name": r"(first|given|fore)_?name",
    "last_name": r"(last|family|sur)_?name|surname",
    "full_name": r"(customer|full|client|contact|display|buyer)_?name",
    "birth_date": r"(birth_?(date|day)|date_of_birth|dob)",
    "gender": r"gender|sex",
    "company_name": r"company(_name)?|organi[sz]ation",
    "industry": r"industry|sector",
    "street": r"street(_address)?|address(_?(line)?_?1)?",
    "city": r"city|town",
    "region": r"region|state|province|county",
    "postal_code": r"(post(al)?|zip)(_?code)?|zip",
    "country": r"country(_?(code|name))?",
    "acquisition_channel": r"(acquisition|signup|sign_up)_?(channel|source)|utm_source",
    "opt_in": r"(accepts_marketing|(marketing_|email_|newsletter_)?(opt_?in|consent|subscribed)|newsletter|consent_email)",
    "unit_cost": r"(unit_)?cost(_price)?",
    "unit_price": r"(unit_?|item_|list_?|sale_?)?price(_each|_per_unit)?",
    "discount": r"discount(_?(amount|value))?",
    "amount": r"(line_|order_|sales_|net_|gross_|total_|paid_)?(amount|total|value|revenue|sales)(_paid|_value|_price)?",
    "quantity": r"(order_?)?(quantity|qty|units|count|pieces)",
    "currency": r"currency(_code)?",
    "status": r"(order_|payment_)?status|(order_)?state",
    "channel": r"(sales_|order_)?channel",
    "store": r"(store|shop|branch|location|outlet)(_?(id|name|no|code))?",
    "category": r"(product_)?(category|department|group)(_name)?",
    "subcategory": r"(product_)?sub_?(category|department|group)(_name)?",
    "brand": r"brand(_name)?|manufacturer",
    "product_name": r"(product|item|article)_?(name|title|description)|description|title",
    "updated_at": r"(updated|modified|changed|last_?(updated?|modified|change[d]?))(_?(at|on|date|time))?|updated_?timestamp",
    "ordered_at": r"(order|invoice|purchase|transaction|sale|basket|sold|placed)(_?(at|on|date|time|timestamp|datetime))+",
    "created_at": r"(created|registered|signup|joined|inserted|first_seen)(_?(at|on|date|time))?|registration_date",
    "time": r"date|datetime|timestamp|time",
}
_PATTERNS = {role: re.compile(pattern) for role, pattern in _NAMES.items()}
_OWN_ID = {
    Kind.LINES: "line_key",
    Kind.ORDERS: "order_key",
    Kind.CUSTOMERS: "customer_key",
    Kind.PRODUCTS: "product_key",
}
_TABLE_NAMES = {
    Kind.LINES: re.compile(r"(line|item|detail|position|transaction)s?$|^sales$"),
    Kind.ORDERS: re.compile(r"(order|invoice|basket|receipt|purchase)s?$"),
    Kind.CUSTOMERS: re.compile(
        r"(customer|client|user|member|contact|account|household|people|person|profile|shopper)s?$"
    ),
    Kind.PRODUCTS: re.compile(r"(product|item|article|sku|catalogue?|variant)s?$"),
}
_PLAIN_IDS = ("id", "code", "key", "number", "no")
_TIMES = ("timestamp", "timestamptz", "date")


#: What a column of a role, or of such a name, says of a person: a draft rather tags too much than too little.
_PERSONAL: dict[str, Personal] = {
    "email": "email",
    "phone": "phone",
    "loyalty_card": "id",
    "customer_key": "id",
    "first_name": "name",
    "last_name": "name",
    "full_name": "name",
    "birth_date": "birth",
    "street": "address",
    "postal_code": "address",
}
_TELLING: dict[Personal, re.Pattern[str]] = {
    "email": re.compile(r"(^|_)e?_?mail(_|$)(?!opt|consent)"),
    "phone": re.compile(r"(^|_)(phone|mobile|telephone)(_|$)"),
    "text": re.compile(r"(^|_)(comment|comments|remark|note|notes|message|feedback)$"),
    "id": re.compile(r"(^|_)(cookie|ip|ip_address|device_id|iban|passport|ssn)$"),
}


def personal(column: Column, role: str | None) -> Personal | None:
    """The tag that a draft gives a column, by what it seems to mean."""
    if column.type not in ("text", "date", "bigint", "integer"):
        return None
    seems = role if role in _PERSONAL else _named(column)
    if seems in _PERSONAL:
        return _PERSONAL[seems]
    found = next((kind for kind, name in _TELLING.items() if name.search(column.name)), None)
    return found if column.type == "text" else None


def _named(column: Column) -> str:
    return next((role for role in _PERSONAL if _PATTERNS[role].fullmatch(column.name)), "")


@dataclass(frozen=True)
class Guess:
    """A table with the roles that its columns seem to play."""

    table: Table
    kind: Kind
    roles: dict[str, Column]

    def __contains__(self, role: str) -> bool:
        return role in self.roles

    @property
    def time(self) -> Column | None:
        """The column that says when the order, or the record, came to be."""
        return next(
            (self.roles[role] for role in ("ordered_at", "created_at", "time") if role in self.roles), None
        )


def guess(table: Table) -> Guess:
    """The table's kind and its columns' roles, by their names and types."""
    roles: dict[str, Column] = {}
    for column in table.columns:
        role = next((role for role, pattern in _PATTERNS.items() if pattern.fullmatch(column.name)), None)
        if role and role not in roles and _type_fits(role, column):
            roles[role] = column
    kind = _kind(table, roles)
    own = _OWN_ID.get(kind)
    plain = next((column for column in table.columns if column.name in _PLAIN_IDS), None)
    if own and plain and (own not in roles or kind is not Kind.LINES):
        roles[own] = plain  # a table's own id says more than a column that sounds like one
    named = {Kind.CUSTOMERS: "full_name", Kind.PRODUCTS: "product_name"}.get(kind)
    plain_name = next((column for column in table.columns if column.name == "name"), None)
    if named and plain_name:
        roles.setdefault(named, plain_name)
    return Guess(table, kind, roles)


def cursor(table: Table) -> str:
    """The column by which the table can be read incrementally: when a row last changed; '' where there is none."""
    return next(
        (
            column.name
            for column in table.columns
            if _PATTERNS["updated_at"].fullmatch(column.name) and column.type in ("timestamp", "timestamptz")
        ),
        "",
    )


def _type_fits(role: str, column: Column) -> bool:
    if role in ("ordered_at", "created_at", "updated_at", "time"):
        return column.type in _TIMES or bool(column.date_format)
    if role in ("quantity", "unit_price", "unit_cost", "amount", "discount"):
        return column.type in ("bigint", "integer") or column.type.startswith("numeric")
    return True


def _kind(table: Table, roles: dict[str, Column]) -> Kind:
    """By the table's name where it speaks, else by what its rows have."""
    has = roles.keys()
    if (
        "order_key" in has
        and ({"product_key", "line_key"} & has)
        and ({"quantity", "amount", "unit_price"} & has)
    ):
        return Kind.LINES
    key = table.key[0] if len(table.key) == 1 else ""
    for kind, own in _OWN_ID.items():
        if key and own in has and roles[own].name == key and kind is not Kind.LINES:
            return kind
    for kind, pattern in _TABLE_NAMES.items():
        if pattern.search(table.name) and (_OWN_ID[kind] in has or key in _PLAIN_IDS):
            return kind
    if {"email", "phone", "last_name"} & has and "order_key" not in has and key:
        return Kind.CUSTOMERS
    return Kind.OTHER
