"""Bad nights: what is bad is stopped and told, what was served stays served, and nothing is pushed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.e2e.conftest import Lived

from lifehouse.errors import GateClosed, LifehouseError, ReleaseHeld, SyncRefused
from lifehouse.ingest import decisions
from support.tiny import Company, sale

SERVED = "select customer_id, orders, net_revenue from marts.customers order by 1"


@pytest.fixture
def company(lived: Lived) -> Company:
    """A published release, pushed to a folder."""
    return lived.company


def _drops(company: Company) -> list[str]:
    return sorted(path.name for path in company.ctx.home.path.rglob("drops/**/*") if path.is_file())


def test_a_bad_delivery_is_rejected_and_the_last_release_and_its_pushes_stay(company: Company) -> None:
    before, drops = company.rows(SERVED), _drops(company)
    assert drops
    bad = [("x", "p1", "2024-01-06T12:00:00Z", "tea", 1, 10, "ZZZ", "sale")] * 9
    company.lines("2024-01-06", [*bad, sale("o9", "p2", "2024-01-06", 10)])
    night = company.night("2024-01-07")
    assert len(night.problems) == 1
    assert "tiny.lines" in night.problems[0]
    assert "currency" in night.problems[0]
    assert "9" in night.problems[0]
    assert company.rows(SERVED) == before
    company.lines("2024-01-06", [sale("o9", "p2", "2024-01-06", 10)])  # mended at the source
    assert company.night("2024-01-08").problems == []
    assert sum(row[1] for row in company.rows(SERVED)) == 3  # type: ignore[misc]


def test_a_closed_release_gate_keeps_the_last_release_and_pushes_nothing(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, drops = company.rows(SERVED), _drops(company)
    from lifehouse.build import stations as build

    honest = build.build_release

    def damaged(ctx, run):  # type: ignore[no-untyped-def]
        done = honest(ctx, run)
        ctx.warehouse.execute(
            f"update {run.slot}.stage_history set exited_at = null where lifecycle = 'status'"
        )
        return done

    company.lines("2024-01-06", [sale("o9", "p2", "2024-01-06", 10)])
    with monkeypatch.context() as patched:
        patched.setattr(build, "build_release", damaged)
        with pytest.raises(GateClosed, match="stage_history"):
            company.night("2024-01-07")
    assert company.rows(SERVED) == before
    assert _drops(company) == drops
    assert company.ctx.warehouse.value("select max(release_id) from control.releases") == 1
    assert company.night("2024-01-07").status == "published"  # the next run does the same customers again
    assert sum(row[1] for row in company.rows(SERVED)) == 3  # type: ignore[misc]


def test_a_load_rejected_after_it_was_built_is_undone_by_the_next_run(company: Company) -> None:
    before = company.rows(SERVED)
    company.lines("2024-01-06", [sale("o9", "p2", "2024-01-06", 10)])
    night = company.night("2024-01-07")
    assert company.rows(SERVED) != before
    decisions.settle(company.ctx, night.loads["tiny"], "rejected", by="a person", reason="sent by mistake")
    (company.folder / "lines" / "2024-01-06.csv").unlink()
    company.night("2024-01-08")
    assert company.rows(SERVED) == before


def test_a_night_without_a_required_sources_files_is_built_but_held_back_until_they_come(
    company: Company,
) -> None:
    before, drops = company.rows(SERVED), _drops(company)
    company.ctx.warehouse.execute("update control.loads set opened_at = '2024-01-06 02:01+00'")
    with pytest.raises(ReleaseHeld, match="source tiny did not come, due 2024-01-07 02:00 UTC"):
        company.night("2024-01-08")
    assert company.rows(SERVED) == before
    assert _drops(company) == drops
    company.lines("2024-01-07", [sale("o9", "p2", "2024-01-07", 10)])  # at last
    assert company.night("2024-01-08").status == "published"
    assert company.rows("select late_sources from marts.releases where is_published") == [([],)]
    assert sum(row[1] for row in company.rows(SERVED)) == 3  # type: ignore[misc]


def test_a_required_source_that_never_delivered_stops_the_night(tiny: Callable[..., Company]) -> None:
    with pytest.raises(LifehouseError, match="tiny"):
        tiny().night("2024-01-06")


def test_nothing_is_pushed_while_nothing_is_published(tiny: Callable[..., Company]) -> None:
    from lifehouse.activation.run import sync

    with pytest.raises(SyncRefused, match="published"):
        sync(tiny().ctx, "actives")
