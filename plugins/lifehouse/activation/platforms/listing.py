"""How those who are at a platform are read back, as its declaration says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from lifehouse import config
from lifehouse.activation.platforms import template
from lifehouse.activation.platforms.answers import Expression
from lifehouse.activation.platforms.calls import Reading


class Page(config.Strict):
    """How a long list is read: a ``cursor`` found in a page is sent back for the next one; without it items are counted.

    It goes back as a ``parameter`` of the query, or stands in the request as ``{cursor}``, and is ``first`` on the first page.
    """

    parameter: str | None = Field(
        default=None, min_length=1, description="of the query: the cursor, or from which item on"
    )
    first: str | None = Field(default=None, description="what {cursor} is on the first page")
    cursor: Expression | None = Field(
        default=None, description="in a page: where the next begins, or its address; none at the end"
    )

    @model_validator(mode="after")
    def _goes_back_somewhere(self) -> Page:
        if (self.parameter is None) == (self.first is None):
            raise ValueError("page: say the query's parameter, or what {cursor} is first, and not both")
        return self


class Members(Reading):
    """Who is in the list, or has the mark: what `lifehouse sync reconcile` compares with what we believe."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    at: Expression
    where: Expression | None = Field(
        default=None, description="in an item: whether it is one of them; without it all items are"
    )
    key: Expression | None = Field(default=None, description="in an item: the row's key")
    id: Expression | None = Field(default=None, description="in an item: the platform's id of the row")
    unsubscribed: Expression | None = Field(
        default=None, description="in an item: whether this person unsubscribed, complained or bounced there"
    )
    channel: Literal["email", "sms", "phone", "post", "ads"] = Field(
        default="email", description="that they unsubscribed from"
    )
    look_up: str | None = Field(
        default=None, description="the call that finds the ids of rows, where a list tells ids alone"
    )
    page: Page | None = Field(default=None, description="without it the first answer is the whole list")
    asks: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="there is no list: it is asked after those whom we believe to be there, so many a call",
    )

    @model_validator(mode="after")
    def _says_who(self) -> Members:
        if self.key is None and self.id is None:
            raise ValueError("members: say where an item's key is, or its id")
        if self.asks is not None and (self.page or self.look_up):
            raise ValueError("members: who is asked after (asks) comes in no pages and needs no look_up")
        return self

    def behind(self, cursor: str | None) -> Members:
        """The request for the page behind a cursor, with ``{cursor}`` to fill in; None is the first."""
        if cursor is None or self.page is None or self.page.parameter is None:
            return self
        return self.model_copy(update={"query": {**self.query, self.page.parameter: "{cursor}"}})

    def named(self, values: Mapping[str, Any]) -> Members:
        """The same with the options' values in its expressions."""
        said = {name: getattr(self, name) for name in ("at", "where", "key", "id", "unsubscribed")}
        return self.model_copy(
            update={name: template.named(one, values) for name, one in said.items() if one is not None}
        )

    @property
    def needs_ids(self) -> bool:
        """Whether it asks after people by the platform's own ids."""
        told = self.model_dump(include={"path", "query", "body"})
        return self.asks is not None and any("id" in template.names(text) for _, text in template.texts(told))
