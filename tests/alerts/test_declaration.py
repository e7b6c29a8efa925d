"""``alerts:`` in ``lifehouse.yml``: mistakes are told with their line, before anybody relies on them."""

from __future__ import annotations

import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from lifehouse.alerts.declaration import Event
from lifehouse.errors import ConfigError
from lifehouse.project import INSTALLATION, Company, Project
from support.tiny import TINY


def _company(tmp_path: Path, text: str) -> Company:
    shutil.copy(TINY / "lifehouse.yml", tmp_path)
    with (tmp_path / "lifehouse.yml").open("a") as file:
        file.write(text)
    return Project(tmp_path).company


def test_a_channel_tells_everything_critical_unless_it_says_otherwise(tmp_path: Path) -> None:
    company = _company(tmp_path, "alerts: [{kind: slack, connection: s}]\ndeadline: 45m\n")
    assert company.deadline == timedelta(minutes=45)
    (channel,) = company.alerts
    wanted = {event for event in Event if channel.wants(event)}
    assert wanted == {Event.GATE_CLOSED, Event.FAILED, Event.LATE, Event.RECOVERED}


def test_the_example_in_the_documentation_is_valid(tmp_path: Path) -> None:
    page = (INSTALLATION / "docs" / "alerts.md").read_text()
    (block,) = re.findall(r"^```yaml\n(alerts:.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert [channel.kind for channel in _company(tmp_path, block).alerts] == ["mail", "slack", "webhook"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("alerts:\n  - {kind: mail, connection: m}\n", ":7: .*needs to"),
        ("alerts:\n  - {kind: mail, connection: m, to: [nobody]}\n", "entry 1 is no mail address"),
        ("alerts:\n  - {kind: slack, connection: s, to: [a@b.de]}\n", "only with kind: mail"),
        ("alerts:\n  - {kind: slack, conection: s}\n", "did you mean 'connection'"),
        ("alerts:\n  - {kind: pigeon, connection: s}\n", "'mail', 'slack' or 'webhook'"),
        ("alerts:\n  - {kind: slack, connection: s, events: [closed]}\n", "'gate_closed'"),
        ("alerts:\n" + "  - {kind: slack, connection: s}\n" * 2, "two channels are named 'slack s'"),
        ("deadline: soon\n", "no length of time"),
        ("deadline: 0m\n", "greater than"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        _company(tmp_path, text)
