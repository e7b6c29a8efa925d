"""The tests that dbt keeps beside the models of staging and core, run on a built warehouse."""

from __future__ import annotations

from collections.abc import Callable

from lifehouse.build import dbt
from support.tiny import ANN, BEN, CAM, Company, sale


def test_the_models_of_staging_and_core_keep_their_own_tests(tiny: Callable[..., Company]) -> None:
    company = tiny()
    company.people("all", [ANN, BEN, CAM])
    company.lines(
        "2024-01-05", [sale("o1", "p1", "2024-01-05", 10), sale("r1", "p1", "2024-01-06", -4, "refund")]
    )
    company.night("2024-01-06")
    outcome = dbt.invoke(company.ctx, "test", "blue", ["--select", "tag:staging", "tag:core"])
    failed = [
        f"{result.node.name}: {result.message}" for result in outcome.result if str(result.status) != "pass"
    ]
    assert failed == []
    kinds = [str(result.node.resource_type) for result in outcome.result]
    assert kinds.count("unit_test") >= 5
    assert kinds.count("test") >= 30
