"""What a person sees of releases on the command line."""

from __future__ import annotations

import pytest
from tests.releases.conftest import MARTS, House
from typer.testing import CliRunner

from lifehouse.cli.app import build
from lifehouse.context import Context
from lifehouse.errors import LifehouseError


@pytest.fixture
def commands(house: House, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setattr(Context, "current", classmethod(lambda cls: house.ctx))
    monkeypatch.setattr("lifehouse.build.project.mart_names", lambda: sorted(MARTS))
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner()


def test_releases_and_rollback_tell_what_is_served(house: House, commands: CliRunner) -> None:
    assert "Nothing is published yet" in commands.invoke(build(), ["releases"]).output
    house.accept()
    house.publish(1)
    house.publish(2)
    assert "served" in commands.invoke(build(), ["releases"]).output
    asked = commands.invoke(build(), ["rollback"], input="n\n")
    assert "Withdraw release 2 and serve release 1 again?" in asked.output
    assert house.served() == {2}
    done = commands.invoke(build(), ["rollback", "--yes"])
    assert done.exit_code == 0
    assert house.served() == {1}
    shown = commands.invoke(build(), ["releases"]).output
    assert "withdrawn" in shown
    assert "syncs are paused" in shown


def test_rollback_without_a_release_before_says_so(house: House, commands: CliRunner) -> None:
    house.accept()
    house.publish(1)
    result = commands.invoke(build(), ["rollback", "--yes"])
    assert isinstance(result.exception, LifehouseError)
    assert "none before it" in str(result.exception)
