"""``make mutations``: inject every corruption, play the clean nights, print the table and write docs/mutations.md."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

from rich.console import Console

from lifehouse import stations
from lifehouse.home import Home
from lifehouse.project import INSTALLATION
from lifehouse.warehouse.server import EmbeddedServer
from mutations import company, report, workers
from mutations.company import BUILT, Base
from mutations.corruptions import CORRUPTIONS

HOUSEHOLDS, NIGHTS, BUILT_NIGHTS, WORKERS = 500, 16, 3, 2
ENOUGH = 0.95  # of the large ones
PAGE = INSTALLATION / "docs" / "mutations.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutations", description=__doc__)
    parser.add_argument("ids", nargs="*", help="only these corruptions: no clean nights of the shop, no page")
    parser.add_argument("--nights", type=int, default=NIGHTS, help="clean nights before the corrupted one")
    parser.add_argument(
        "--base", type=Path, help="keep the clean nights in this folder, or take them from there"
    )
    options = parser.parse_args()
    console = Console()
    home = options.base or Path(tempfile.mkdtemp(prefix="lifehouse-mutations-"))
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o711)
    server = EmbeddedServer(Home(home))
    try:
        server.start()
        with workers.beside(None if options.ids else home) as real_shop:
            base = _base(home, options.nights, console)
            console.print("the night uncorrupted")
            clean: dict[str, list[str] | None] = {
                f"the demo company, {options.nights + 1} nights": [*base.alarms, *control(base)]
            }
        clean |= real_shop
        chosen = [each for each in CORRUPTIONS if not options.ids or each.id in options.ids]
        judged = [_said(console, report.Judged(*each)) for each in workers.inject(base, chosen, WORKERS)]
    finally:
        if options.base:
            server.stop()
        else:
            server.remove()
            shutil.rmtree(home, ignore_errors=True)
    console.print(report.table(judged))
    for line in report.summary(judged, clean):
        console.print(line, markup=False)
    if not options.ids:
        PAGE.write_text(report.markdown(judged, HOUSEHOLDS, options.nights, clean), encoding="utf-8")
    caught, of = report.totals(judged)["large"]
    is_good = caught >= ENOUGH * of and all(item.is_explained for item in judged)
    return int(not is_good or any(clean.values()))


def control(base: Base) -> list[str]:
    """The night as it is: alarms, of which there must be none."""
    with base.clone(BUILT, "control") as (ctx, _):
        run_id = ctx.warehouse.value("select run_id from control.current_run")
        eve = ctx.warehouse.value("select max(result_id) from control.quality_results where gate = 'release'")
        stations.release_gate(ctx, run_id)
        stations.publish(ctx, run_id)
        return company.alarms(ctx, eve)


def _base(home: Path, nights: int, console: Console) -> Base:
    note = home / "base.json"
    if note.exists():
        return Base(home, HOUSEHOLDS, nights, json.loads(note.read_text()))
    base = company.build(home, HOUSEHOLDS, nights, BUILT_NIGHTS, console.print)
    note.write_text(json.dumps(base.alarms))
    return base


def _said(console: Console, item: report.Judged) -> report.Judged:
    console.print(f"{item.corruption.id} {item.corruption.name}: {item.verdict.caught_by or 'passed'}")
    for told in item.verdict.told:
        console.print(f"    only told: {told}", markup=False)
    return item


if __name__ == "__main__":
    raise SystemExit(main())
