"""Real customers as raw records: UCI Online Retail, read by configuration alone."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from lifehouse.context import Context
from lifehouse.ingest import gate, run
from lifehouse.project import INSTALLATION
from support.data import data_folder

DAYS = 20


@pytest.fixture
def days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The feed's first days."""
    with tarfile.open(data_folder("online_retail") / "online_retail_by_day.tar.gz") as packed:
        members = sorted((m for m in packed if m.name.endswith(".csv")), key=lambda member: member.name)[
            :DAYS
        ]
        folder = tmp_path / "feed"
        for member in members:
            member.name = Path(member.name).name
            packed.extract(member, folder, filter="data")
    monkeypatch.setenv("ONLINE_RETAIL_FOLDER", str(folder))
    return sorted(folder.iterdir())


def test_every_line_arrives_to_the_penny(days: list[Path], make_context: Callable[..., Context]) -> None:
    ctx = make_context(project_root=INSTALLATION / "examples" / "online_retail")
    last = days.pop()
    kept = last.rename(last.with_suffix(".later"))
    gate.judge(ctx, run.ingest(ctx, "online_retail").load_id or 0)
    days.append(kept.rename(last))
    second = run.ingest(ctx, "online_retail")
    gate.judge(ctx, second.load_id or 0)

    lines = pd.concat([pd.read_csv(day, dtype=str, keep_default_na=False) for day in days])
    amount = sum(lines["Quantity"].map(Decimal) * lines["UnitPrice"].map(Decimal))
    found = ctx.warehouse.rows("""
        select count(*) as lines, sum(quantity * unit_price) as amount, count(distinct _file) as files,
            count(*) filter (where customer_id is null) as guests, min(_line) as first, count(distinct _load_id) as loads
        from raw_online_retail.invoice_lines
    """)[0]
    assert found == {
        "lines": len(lines),
        "amount": amount,
        "files": DAYS,
        "guests": int((lines["CustomerID"] == "").sum()),
        "first": 2,
        "loads": 2,
    }
    assert second.tables["invoice_lines"].received == len(pd.read_csv(last))
