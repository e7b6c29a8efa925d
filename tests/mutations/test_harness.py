"""The machinery of ``make mutations`` on a small company: what is wrong is caught in each place, what is clean passes."""

from __future__ import annotations

import pytest

from lifehouse.warehouse.server import EmbeddedServer
from mutations import company, judge, report
from mutations.__main__ import control
from mutations.corruptions import CORRUPTIONS

BY_ID = {corruption.id: corruption for corruption in CORRUPTIONS}


@pytest.mark.slow
def test_one_corruption_of_each_place_is_caught_and_the_night_without_passes(server: EmbeddedServer) -> None:
    base = company.build(server.home.path, households=60, nights=1, built=1)
    assert [*base.alarms, *control(base)] == []
    judged = {
        id: report.Judged(BY_ID[id], judge.judge(base, BY_ID[id])) for id in ("shop-08", "crm-04", "marts-01")
    }
    assert {id: item.verdict.caught_by for id, item in judged.items()} == {
        "shop-08": "raw gate",
        "crm-04": "station",
        "marts-01": "release gate",
    }
    assert "unknown currency" in judged["shop-08"].sentence
    assert any("customers: " in sentence for sentence in judged["marts-01"].verdict.sentences)
    page = report.markdown(list(judged.values()), 60, 1, {"the demo company, 2 nights": []})
    assert "| large | 3 | 3 | 100% |" in page
    assert "the demo company, 2 nights: not one alarm" in page
