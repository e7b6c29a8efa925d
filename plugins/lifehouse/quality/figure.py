"""A counted figure as an expectation of Great Expectations: its judgement is theirs, its counting is not."""

from __future__ import annotations

from typing import Any, ClassVar

from great_expectations.compatibility import pydantic
from great_expectations.expectations.expectation import BatchExpectation, Expectation
from great_expectations.expectations.metadata_types import FailureSeverity

__all__ = ["ExpectFigure", "Expectation", "is_within"]


def is_within(figure: float, least: float | None, most: float | None) -> bool:
    """Whether a figure keeps its bounds, each of which may be missing."""
    return (least is None or figure >= least) and (most is None or figure <= most)


class ExpectFigure(BatchExpectation):
    """A figure that was counted in the warehouse stays within its bounds.

    :param column: the table it speaks of. :param figure: None: nothing was there to count.
    :param null_holds: whether nothing to count is well. :param counts_rows: it is a number of rows that do not hold.
    :param checked: of so many rows. :param found: shown in place of the figure.
    :param unjudged: it could not be counted, so it does not hold.
    """

    column: str
    figure: float | None = None
    least: float | None = None
    most: float | None = None
    null_holds: bool = False
    checked: int | None = None
    counts_rows: bool = False
    found: str | None = None
    unjudged: bool = False

    metric_dependencies: ClassVar[tuple[str, ...]] = ()
    domain_keys: ClassVar[tuple[str, ...]] = ("batch_id",)
    success_keys: ClassVar[tuple[str, ...]] = (
        *("column", "figure", "least", "most", "null_holds", "checked", "counts_rows", "found", "unjudged"),
    )

    _told: Any = pydantic.PrivateAttr(default=None)

    @property
    def configuration(self) -> Any:
        """Made once: Great Expectations asks for it some thirty times, copying everything each time."""
        if self._told is None or self._told.id != self.id:
            self._told = super().configuration
        return self._told

    @classmethod
    def told(
        cls,
        subject: str,
        name: str,
        figure: float | None,
        *,
        meaning: str,
        what_to_do: str,
        severity: str = "critical",
        owner: str | None = None,
        about: str | None = None,
        **bounds: Any,
    ) -> ExpectFigure:
        """The expectation with what people are told of it.

        :param subject: the table. :param about: the column, if it is about one.
        :param bounds: least, most and what else the class takes.
        """
        meta = {"name": name, "subject": subject, "owner": owner, "what_to_do": what_to_do, "column": about}
        return cls(
            column=subject,
            figure=figure,
            severity=FailureSeverity(severity),
            description=meaning,
            meta={key: value for key, value in meta.items() if value is not None},
            **bounds,
        )

    def _validate(self, *_: Any, **__: Any) -> dict[str, Any]:
        nothing = self.null_holds and not self.unjudged
        success = nothing if self.figure is None else is_within(self.figure, self.least, self.most)
        result: dict[str, Any] = {"observed_value": self.found or _written(self.figure)}
        if self.checked is not None:
            result["element_count"] = self.checked
        if self.counts_rows and self.figure is not None:
            result["failed_rows"] = int(self.figure)
        return {"success": success, "result": result}


def _written(figure: float | None) -> str:
    if figure is None:
        return "nothing to compare"
    if abs(figure) == float("inf"):
        return "without end"
    return f"{figure:.0f}" if figure == int(figure) else f"{figure:.5f}".rstrip("0").rstrip(".")
