"""Corruptions side by side, each worker process with copies of its own."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from mutations import clean_nights, judge
from mutations.company import Base
from mutations.corruption import Corruption

_SPAWN = multiprocessing.get_context("spawn")


def inject(
    base: Base, chosen: Sequence[Corruption], workers: int
) -> Iterator[tuple[Corruption, judge.Verdict]]:
    """Judge the corruptions; in the order of the list."""
    with ProcessPoolExecutor(workers, mp_context=_SPAWN) as pool:
        yield from zip(chosen, pool.map(_judge, [(base, each) for each in chosen]), strict=True)


@contextmanager
def beside(home: Path | None) -> Iterator[dict[str, list[str] | None]]:
    """Play the real shop's clean nights in a process of their own while the block runs; filled when it ends."""
    found: dict[str, list[str] | None] = {}
    if home is None:
        yield found
        return
    with ProcessPoolExecutor(1, mp_context=_SPAWN) as pool:
        playing = pool.submit(_play, home)
        yield found
        found |= playing.result()


def _play(home: Path) -> dict[str, list[str] | None]:
    try:
        alarms = clean_nights.play(home)
    except pytest.skip.Exception as missing:
        return {f"Online Retail ({missing})": None}
    return {f"Online Retail (a real shop), {clean_nights.CLEAN_NIGHTS} nights": alarms}


def _judge(item: tuple[Base, Corruption]) -> judge.Verdict:
    return judge.judge(*item, f"worker_{os.getpid()}")
