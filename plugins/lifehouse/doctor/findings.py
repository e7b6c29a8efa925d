"""What the doctor says of one thing it looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """``WRONG`` makes the command end with 1; ``MIND`` is worth knowing."""

    FINE = "[green]✔[/]"
    MIND = "[yellow]![/]"
    WRONG = "[red]✘[/]"


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what was found, and what to do unless it is fine."""

    subject: str
    verdict: Verdict
    found: str
    what_to_do: str = ""
