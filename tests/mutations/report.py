"""The table of all corruptions: on the screen, and as docs/mutations.md. It holds no times, so equal runs give equal pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rich.table import Table

from mutations.corruption import Corruption
from mutations.judge import Verdict
from mutations.reasons import REASONS

SIZES = ("large", "medium", "small")
_LONGEST = 220
_INTRODUCTION = """\
# What the gates catch

Made by `make mutations`. Sixty corruptions were written down before the gates were tuned (`tests/mutations`, pinned by
a test). Each is injected on its own into a copy of the demo company ({households} households, {nights} clean nights behind
it), and the night is played up to publication. *Large* touches at least a fifth of what a table delivers that night, or
of what a mart holds, and 50 rows or more; *medium* at least a hundredth, or the whole of fewer than 50 rows; *small* a
handful of rows. What is *caught* never reaches the published marts: its load is rejected, its records are set aside, the
release is not published, or a station refuses to go on.
"""


@dataclass(frozen=True)
class Judged:
    """A corruption and its verdict."""

    corruption: Corruption
    verdict: Verdict

    @property
    def sentence(self) -> str:
        """The first thing that was said of it; of one that passed, the reason."""
        if not self.verdict.caught:
            return self.reason
        first = self.verdict.sentences[0] if self.verdict.sentences else ""
        return first if len(first) <= _LONGEST else first[: _LONGEST - 3] + "..."

    @property
    def reason(self) -> str:
        return REASONS.get(self.corruption.id) or "NOT EXPLAINED: a gate should see it"

    @property
    def is_explained(self) -> bool:
        return self.verdict.caught or self.corruption.id in REASONS


def totals(judged: Iterable[Judged]) -> dict[str, tuple[int, int]]:
    """Caught and all, by size and together."""
    found = list(judged)
    counts = {}
    for size in (*SIZES, "all"):
        of_size = [item for item in found if size in (item.corruption.size, "all")]
        counts[size] = (sum(item.verdict.caught for item in of_size), len(of_size))
    return counts


def table(judged: list[Judged]) -> Table:
    """For the screen."""
    shown = Table(
        "", "corruption", "size", "caught by", "what was said", title="Sixty corruptions, one by one"
    )
    for item in judged:
        by = item.verdict.caught_by or ("[yellow]passed[/]" if item.is_explained else "[red]passed[/]")
        shown.add_row(
            item.corruption.id,
            item.corruption.name,
            item.corruption.size,
            by,
            item.sentence.replace("[", r"\["),
        )
    return shown


def markdown(
    judged: list[Judged], households: int, nights: int, clean: Mapping[str, list[str] | None]
) -> str:
    """The page. ``clean``: each series of clean nights with the alarms that it raised."""
    lines = [_INTRODUCTION.format(households=households, nights=nights)]
    lines += ["| size | caught | of | share |", "|---|---|---|---|"]
    lines += [
        f"| {size} | {caught} | {of} | {caught / of:.0%} |"
        for size, (caught, of) in totals(judged).items()
        if of
    ]
    lines += ["", "## Clean nights", "", *(f"- {line}" for line in _of_clean(clean))]
    for size in SIZES:
        lines += [
            "",
            f"## {size.capitalize()}",
            "",
            "| | corruption | touches | what happens | caught by | what was said |",
        ]
        lines += ["|---|---|---|---|---|---|"]
        for item in (each for each in judged if each.corruption.size == size):
            it = item.corruption
            by = item.verdict.caught_by or "**passes**"
            cells = (it.id, it.name, ", ".join(it.touches), f"{it.share}: {it.imitates}", by, item.sentence)
            lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def summary(judged: list[Judged], clean: Mapping[str, list[str] | None]) -> list[str]:
    """What a person wants to know first."""
    lines = [f"{size}: {caught} of {of} caught" for size, (caught, of) in totals(judged).items() if of]
    return [*lines, *_of_clean(clean)]


def _of_clean(clean: Mapping[str, list[str] | None]) -> list[str]:
    """A series without a list of alarms was not played."""
    return [
        f"{what}: {'not played' if alarms is None else '; '.join(alarms) or 'not one alarm'}"
        for what, alarms in clean.items()
    ]


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")
