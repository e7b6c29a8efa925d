"""How a platform's answer is read, as its declaration says it: in JMESPath (https://jmespath.org)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, Field

from lifehouse import config
from lifehouse.activation.platforms import template


def _compiles(expression: str) -> str:
    try:
        jmespath.compile(template.named(expression, {}))
    except JMESPathError as error:
        raise ValueError(f"{expression!r} is no JMESPath: {str(error).splitlines()[0]}") from None
    return expression


Expression = Annotated[str, AfterValidator(_compiles)]


class _Read(config.Strict):
    def named(self, values: Mapping[str, Any]) -> Self:
        """The same with the options' values in its expressions."""
        given = {name: getattr(self, name) for name in type(self).model_fields}
        return self.model_copy(
            update={
                name: value.named(values) if isinstance(value, _Read) else template.named(value, values)
                for name, value in given.items()
                if isinstance(value, _Read | str)
            }
        )


class Rows(_Read):
    """A list in an answer, an item for a row of the call. ``key``, ``id`` or ``position`` says for which; else the order.

    ``position`` counts from 0. Among ``results`` those are well for which ``ok`` holds (without it: all); among
    ``errors`` none is but those for which ``already`` holds.
    """

    at: Expression
    key: Expression | None = Field(default=None, description="in an item: the row's key, as it was sent")
    id: Expression | None = Field(default=None, description="in an item: the platform's id of the row")
    position: Expression | None = None
    by_id: bool = Field(
        False, description="the platform's id, found by an earlier call, says which row it is"
    )
    ok: Expression | None = None
    already: Expression | None = Field(default=None, description="an error that says: it is so already")
    unsubscribed: Expression | None = Field(
        default=None,
        description="a refusal that says: this person unsubscribed, complained or bounced here; never sent again "
        "until there is a newer grant",
    )
    reason: Expression | None = None
    absent: Literal["again", "ok", "refused", "unknown"] = Field(
        default="again",
        description="what a row is that the list does not have; unknown: one that the platform has no id for yet",
    )


class Answer(_Read):
    """How an answer is read. Conditions are asked of the body; a body that is no JSON is null.

    Without ``results`` and ``errors`` the status speaks for every row.
    """

    already: tuple[int, ...] = Field(
        default=(), description="statuses that say: it is so already, or gone already"
    )
    limited_statuses: tuple[int, ...] = (429,)
    denied: Expression | None = Field(
        default=None, description="our credentials are not accepted, whatever the status"
    )
    limited: Expression | None = Field(default=None, description="a rate limit, whatever the status")
    again: Expression | None = Field(default=None, description="a fault that passes, whatever the status")
    refused: Expression | None = Field(
        default=None, description="the call is refused as a whole, whatever the status"
    )
    split: Expression | None = Field(
        default=None,
        description="some rows are refused, and not said which: the call is split down to them",
    )
    closed: Expression | None = Field(
        default=None, description="no call has a chance, whatever the status: the sync ends, with the reason"
    )
    unsubscribed: Expression | None = Field(
        default=None,
        description="a call for one row that is refused as a whole: its person unsubscribed here",
    )
    reason: Expression | None = Field(default=None, description="why it was refused as a whole")
    results: Rows | None = None
    errors: Rows | None = None
