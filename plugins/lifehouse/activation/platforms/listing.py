"""How those who are at a platform are read back, as its declaration says it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from lifehouse import config
from lifehouse.activation.platforms.answers import Expression
from lifehouse.activation.platforms.calls import Reading


class Page(config.Strict):
    """How a long list is read: a ``cursor`` found in a page is sent back for the next one; without it items are counted."""

    parameter: str = Field(min_length=1, description="of the query: the cursor, or from which item on")
    cursor: Expression | None = Field(
        default=None, description="in a page: where the next begins, or its address; none at the end"
    )


class Members(Reading):
    """Who is in the list, or has the mark: what `lifehouse sync reconcile` compares with what we believe."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    at: Expression
    key: Expression | None = Field(default=None, description="in an item: the row's key")
    id: Expression | None = Field(default=None, description="in an item: the platform's id of the row")
    look_up: str | None = Field(
        default=None, description="the call that finds the ids of rows, where a list tells ids alone"
    )
    page: Page | None = Field(default=None, description="without it the first answer is the whole list")

    @model_validator(mode="after")
    def _says_who(self) -> Members:
        if self.key is None and self.id is None:
            raise ValueError("members: say where an item's key is, or its id")
        if self.key is None and self.look_up is None:
            raise ValueError("members: a list of ids alone needs look_up, for rows whose id is not kept")
        return self

    def behind(self, cursor: str | None) -> Members:
        """The request for the page behind a cursor, with ``{cursor}`` to fill in; None is the first."""
        if cursor is None or self.page is None:
            return self
        return self.model_copy(update={"query": {**self.query, self.page.parameter: "{cursor}"}})
