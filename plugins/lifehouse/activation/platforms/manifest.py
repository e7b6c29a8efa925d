"""The manifest of a run's deliveries: written last, so that who waits for it reads nothing that is not whole."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lifehouse.activation.platforms.row_file import Format, Written, column

_RUN = re.compile(r"\.release-(\d{6,})\.run-(\d{6,})\.\d{4,}\.[0-9a-f]{8}\.(?:csv|parquet)$")


def due(system: Any, folder: str, sync: str, written: Mapping[str, Written]) -> dict[str, list[str]]:
    """Manifest's name → the deliveries in the folder that it tells of: of the newest run, and of those written just now."""
    runs: dict[tuple[int, int], list[str]] = {}
    for path in system.ls(folder, detail=False):
        name = str(path).rsplit("/", 1)[-1]
        found = _RUN.search(name)
        if found and name.startswith(f"{sync}.release-"):
            runs.setdefault((int(found[2]), int(found[1])), []).append(name)
    wanted = {run for run, names in runs.items() if run == max(runs) or not written.keys().isdisjoint(names)}
    return {
        f"{sync}.release-{release:06d}.run-{number:06d}.manifest.json": sorted(runs[number, release])
        for number, release in sorted(wanted)
    }


def text(names: list[str], written: Mapping[str, Written], others: Mapping[str, Written], **said: Any) -> str:
    """The manifest, as JSON; ``others`` are the files that an earlier process wrote."""
    files = [written.get(name) or others[name] for name in names]
    told = {**said, "rows": sum(file.rows for file in files), "files": [asdict(file) for file in files]}
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def read_back(system: Any, folder: str, name: str, kind: Format) -> Written:
    """What a manifest tells of a file that an earlier process wrote."""
    summed, size = hashlib.sha256(), 0
    with system.open(f"{folder}/{name}", "rb") as source:
        while block := source.read(1 << 20):
            summed.update(block)
            size += len(block)
    with system.open(f"{folder}/{name}", "rb") as source:
        rows = len(column(source, kind, "key"))
    return Written(name, rows, size, summed.hexdigest())
