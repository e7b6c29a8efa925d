"""Deleted, released and pruned records, night by night: the marts say what a full rebuild says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lifehouse.context import Context
from lifehouse.ingest import decisions, quarantine, retention
from lifehouse.ingest.quarantine import Selection
from support.tiny import ANN, BEN, CAM, TINY, Company, sale

MARTS = {
    "customers": "select customer_id, orders, net_revenue, full_name from marts.customers order by 1",
    "orders": "select customer_id, order_key, net_amount from marts.orders order by 2",
    "events": "select customer_id, event_type, source_key, occurred_at from core.customer_events order by 1, 2, 3, 4",
    "profiles": "select source_key, full_name, email from contract.profiles order by 1",
}
#: The tiny company's lines with a key of their own; each file of people is the whole list of them.
LINES = ("replaces: file", "key: [order_id]\n    deletions: {flag: {column: kind, values: [void]}}")
PEOPLE = ("key: [person_id]", "key: [person_id]\n    deletions: {keys: {}, spare_rows: 1}")


#: Nobody but the list of people names her.
DEE = ("p4", "Dee Dogwood", "dee@example.com", "", "", "2024-01-04", "2024-01-04", "")


@pytest.fixture
def company(make_context: Callable[..., Context], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    """A tiny company that deletes."""
    root, folder = tmp_path / "company", tmp_path / "folder"
    for path in TINY.rglob("*"):
        if path.is_file() and "syncs" not in path.parts:
            target = root / path.relative_to(TINY)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(path.read_text())
    declaration = root / "dags" / "sources" / "tiny.yml"
    text = declaration.read_text()
    for old, new in (
        LINES,
        PEOPLE,
        ("quarantine_share: 0.2", "quarantine_share: 0.5"),
        ("min: -1000", "min: 0"),
    ):
        assert old in text
        text = text.replace(old, new)
    declaration.write_text(text.replace("in: [sale, refund]", "in: [sale, refund, void]"))
    folder.mkdir()
    monkeypatch.setenv("TINY_FOLDER", str(folder))
    return Company(make_context(project_root=root), folder)


def marts(company: Company) -> dict[str, list[tuple[Any, ...]]]:
    return {name: company.rows(query) for name, query in MARTS.items()}


@pytest.mark.slow
def test_what_is_deleted_released_and_pruned_is_the_same_after_a_full_rebuild(company: Company) -> None:
    company.people("1", [ANN, BEN, CAM, DEE])
    company.lines("1", [sale("o1", "p1", "2024-01-05", 10), sale("o2", "p2", "2024-01-05", 7),
                        sale("o3", "p2", "2024-01-05", -5)])  # fmt: skip
    company.night("2024-01-06")
    assert company.rows("select order_key from marts.orders order by 1") == [("o1",), ("o2",)]

    company.people("2", [ANN, CAM, DEE])
    company.lines("2", [("o1", *[""] * 6, "void"), sale("o4", "p3", "2024-01-06", 4)])
    night = company.night("2024-01-07")
    deletion = night.loads["tiny"]
    assert night.problems == []
    assert company.rows("select deleted, flagged from control.load_tables where load_id = 2 order by 1") == [
        (0, 1),
        (1, 0),
    ]
    assert company.rows("select order_key from marts.orders order by 1") == [("o2",), ("o4",)]
    assert company.rows("select full_name from contract.profiles order by 1") == [
        ("Ann Ash",),
        ("Cam Cedar",),
        ("Dee Dogwood",),
    ]
    assert company.rows("select net_revenue from marts.customers where full_name = 'Ann Ash'") == [(0,)]

    released = quarantine.release(
        company.ctx, Selection("tiny", "lines", rule="negative"), by="ann", reason="a refund at the till"
    )
    assert released.records == 1
    company.night("2024-01-08")
    assert company.rows("select order_key, net_amount from marts.orders order by 1") == [
        ("o2", 7), ("o3", -5), ("o4", 4),
    ]  # fmt: skip

    decisions.settle(company.ctx, int(deletion or 0), "rejected", by="ben", reason="the wrong folder")
    company.people("2", [ANN, BEN, CAM, DEE])
    company.lines("2", [sale("o4", "p3", "2024-01-06", 4)])
    company.night("2024-01-09")
    assert company.rows("select order_key from marts.orders order by 1") == [
        ("o1",),
        ("o2",),
        ("o3",),
        ("o4",),
    ]
    assert len(company.rows("select from contract.profiles")) == 4

    company.people("3", [ANN, CAM, DEE])
    company.lines("3", [sale("o4", "p3", "2024-01-06", 44)])
    company.night("2024-01-10")
    before = marts(company)
    path = company.ctx.project.source_files[0]
    path.write_text(path.read_text().replace("quarantine_share", "retention: 30d\nquarantine_share"))
    gone = retention.prune(company.ctx, now=datetime.now(UTC) + timedelta(days=31))
    assert {done.table: done.records > 0 for done in gone} == {"tiny.people": True, "tiny.lines": True}
    assert retention.prune(company.ctx, now=datetime.now(UTC) + timedelta(days=31)) == []
    company.people("4", [ANN, CAM])
    company.lines("4", [sale("o5", "p1", "2024-01-10", 5)])
    company.night("2024-01-10")
    after = marts(company)
    assert [row for row in after["orders"] if row[1] != "o5"] == before["orders"]
    assert after["profiles"] == [row for row in before["profiles"] if row[0] != "p4"]
    # deleted at the source, and named nowhere else: a customer no more, the same night
    assert [row[3] for row in before["customers"] if row not in after["customers"]].count("Dee Dogwood") == 1
    assert "Dee Dogwood" not in {row[3] for row in after["customers"]}
    company.night("2024-01-10", full_refresh=True)
    assert marts(company) == after
