"""A counted figure as an expectation of Great Expectations: its judgement is theirs, its counting is not."""

from __future__ import annotations

from typing import Any, ClassVar

from great_expectations.compatibility import pydantic
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metadata_types import FailureSeverity

from lifehouse.releases.figures import Figure


class ExpectFigure(BatchExpectation):
    """A figure that was counted in the warehouse stays within its bounds. ``column`` names the table."""

    column: str
    figure: float | None = None
    least: float | None = None
    most: float | None = None
    checked: int | None = None
    counts_rows: bool = True
    found: str | None = None
    failed: bool = False

    metric_dependencies: ClassVar[tuple[str, ...]] = ()
    domain_keys: ClassVar[tuple[str, ...]] = ("batch_id",)
    success_keys: ClassVar[tuple[str, ...]] = (
        *("column", "figure", "least", "most", "checked", "counts_rows", "found", "failed"),
    )

    _told: Any = pydantic.PrivateAttr(default=None)

    @property
    def configuration(self) -> Any:
        """Made once: Great Expectations asks for it some thirty times, copying everything each time."""
        if self._told is None or self._told.id != self.id:
            self._told = super().configuration
        return self._told

    @classmethod
    def of(cls, figure: Figure) -> ExpectFigure:
        rule = figure.rule
        return cls(
            column=figure.subject,
            figure=figure.value,
            least=rule.least,
            most=rule.most,
            checked=figure.checked,
            counts_rows=rule.counts_rows,
            found=figure.error or figure.detail,
            failed=not figure.holds,
            severity=FailureSeverity(rule.severity),
            description=rule.meaning,
            meta={
                "name": rule.name,
                "subject": figure.subject,
                "owner": rule.owner,
                "what_to_do": rule.what_to_do,
            },
        )

    def _validate(self, *_: Any, **__: Any) -> dict[str, Any]:
        observed = self.found or _written(self.figure)
        result: dict[str, Any] = {"observed_value": observed}
        if self.checked is not None:
            result["element_count"] = self.checked
        if self.counts_rows and self.figure is not None:
            result["failed_rows"] = int(self.figure)
        return {"success": not self.failed, "result": result}


def _written(figure: float | None) -> str:
    if figure is None:
        return "nothing to compare"
    return f"{figure:.0f}" if figure == int(figure) else f"{figure:.5f}".rstrip("0").rstrip(".")
