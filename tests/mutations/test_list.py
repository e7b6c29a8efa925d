"""The list of corruptions stands: sixty, graded, written down before the gates were tuned."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict

from mutations.corruptions import CORRUPTIONS

#: Of the list as it was written down. Whoever needs another one adds a second list; this one is not bent to a gate.
PINNED = "c804d106d2d9371b63118ae8530037d68aa38507a786785606eac8f4eaee04d7"


def test_the_list_is_what_was_written_down() -> None:
    text = json.dumps([asdict(corruption) for corruption in CORRUPTIONS], sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest() == PINNED


def test_there_are_sixty_of_every_size_and_place() -> None:
    assert len(CORRUPTIONS) == 60
    assert len({corruption.id for corruption in CORRUPTIONS}) == 60
    assert len({corruption.name for corruption in CORRUPTIONS}) == 60
    assert Counter(corruption.size for corruption in CORRUPTIONS) == {"large": 33, "medium": 16, "small": 11}
    assert Counter(corruption.where for corruption in CORRUPTIONS) == {"shop": 28, "crm": 16, "marts": 16}


def test_each_does_something_and_says_what_it_imitates() -> None:
    for corruption in CORRUPTIONS:
        assert bool(corruption.how) != bool(corruption.wire)
        assert corruption.imitates
        assert corruption.share
        assert corruption.touches
