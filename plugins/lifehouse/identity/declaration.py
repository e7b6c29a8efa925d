"""``identity:`` in ``lifehouse.yml``: what is matched on, what never is, and whose word counts first for each field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import Field, StringConstraints, field_validator

from lifehouse import config
from lifehouse.spelling import did_you_mean

Kind = Literal["email", "phone", "loyalty_card", "cookie", "id"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Domain = Annotated[
    str, StringConstraints(to_lower=True, strip_whitespace=True, pattern=r"^[^@\s]+\.[^@\s]+$")
]

#: Addresses of a desk, and what is typed where there is none. A company adds its own.
SHIPPED_BLOCK: Mapping[Kind, tuple[str, ...]] = {
    "email": (
        *("info@*", "office@*", "contact@*", "kontakt@*", "mail@*", "hello@*", "admin@*", "administrator@*"),
        *("webmaster@*", "postmaster@*", "sales@*", "support@*", "service@*", "noreply@*", "no-reply@*"),
        *(
            "donotreply@*",
            "do-not-reply@*",
            "none@*",
            "no@*",
            "na@*",
            "n/a@*",
            "nobody@*",
            "noemail@*",
            "unknown@*",
        ),
        *("anonymous@*", "test@*", "guest@*", "*@localhost.localdomain"),
    ),
}
#: The fields of a profile that survive one by one.
FIELDS = (
    *("full_name", "first_name", "last_name", "email", "phone", "loyalty_card", "age_band", "income_band"),
    *(
        "household_size",
        "marital_status",
        "company_name",
        "industry",
        "city",
        "region",
        "postal_code",
        "country",
    ),
    *("acquisition_channel", "belongs_to", "kind"),
)


class EmailRule(config.Strict):
    """What a provider of e-mail takes for the same address."""

    domains: list[Domain] = Field(min_length=1, description="of the provider, e.g. gmail.com")
    dots: bool = Field(False, description="whether dots before the @ count for nothing")
    plus: bool = Field(False, description="whether a plus sign and what follows it count for nothing")
    written_as: Domain | None = Field(None, description="the domain that stands for all of them")


class Identity(config.Strict):
    """How records find their customer. Every key may be left out."""

    cap: int = Field(20, ge=2, description="records; an identifier that more of them share is not matched on")
    caps: dict[Kind, Annotated[int, Field(ge=2)]] = Field(default_factory=dict, description="cap of a kind")
    block: dict[Kind, list[str]] = Field(
        default_factory=dict,
        description="identifiers that name nobody, beside those that ship; * is anything",
    )
    emails: list[EmailRule] = Field(default_factory=list, description="rules of e-mail providers")
    priority: list[str] = Field(
        default_factory=list,
        description="sources, the most trusted first; those not named come last, all alike",
    )
    fields: dict[str, list[str]] = Field(
        default_factory=dict, description="field -> its own priority of sources"
    )

    @field_validator("fields")
    @classmethod
    def _known(cls, fields: dict[str, list[str]]) -> dict[str, list[str]]:
        for name in fields:
            if name not in FIELDS:
                raise ValueError(f"{name} is no field of a profile{did_you_mean(name, FIELDS)}")
        return fields

    @field_validator("emails")
    @classmethod
    def _once(cls, rules: list[EmailRule]) -> list[EmailRule]:
        domains = [domain for rule in rules for domain in rule.domains]
        if twice := sorted({domain for domain in domains if domains.count(domain) > 1}):
            raise ValueError(f"{twice[0]} has two rules")
        return rules

    @property
    def named_sources(self) -> set[str]:
        """The sources that priorities name."""
        return {*self.priority, *(source for sources in self.fields.values() for source in sources)}

    def blocked(self, kind: Kind) -> tuple[str, ...]:
        """The block list of a kind: what ships and what the company adds."""
        return (*SHIPPED_BLOCK.get(kind, ()), *self.block.get(kind, ()))
