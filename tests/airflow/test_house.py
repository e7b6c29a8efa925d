"""Removing the state never removes anything else; the demo's clock table counts time once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from lifehouse.context import Context
from lifehouse.demo.timings import covered
from lifehouse.errors import LifehouseError
from lifehouse.home import Home
from lifehouse.orchestration.house import House
from lifehouse.orchestration.settings import Settings
from lifehouse.project import INSTALLATION, Project
from support.tiny import TINY

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


def _house(home: Path) -> House:
    return House(Context(Home(home), Project(TINY)))


@pytest.mark.parametrize("precious", [Path.home(), INSTALLATION, INSTALLATION.parent, TINY])
def test_a_home_that_holds_more_than_state_is_never_removed(precious: Path) -> None:
    with pytest.raises(LifehouseError, match="remove it yourself"):
        _house(precious).remove()
    assert precious.exists()


def test_a_folder_that_is_no_home_is_never_removed(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    with pytest.raises(LifehouseError, match="does not look like"):
        _house(tmp_path).remove()
    assert (tmp_path / "letters").exists()


def test_a_home_is_removed_whole(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "dbt").mkdir(parents=True)
    _house(home).remove()
    assert not home.exists()


def test_keys_are_made_once_and_stay_private(tmp_path: Path) -> None:
    ctx = Context(Home(tmp_path), Project(TINY))
    nowhere = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg://nobody@127.0.0.1:1/none"}
    first, second = Settings(ctx, nowhere), Settings(ctx, nowhere)
    first.write()
    second.write()
    assert first.password == second.password
    for name in ("airflow.cfg", "secrets.json", "passwords.json"):
        assert (first.folder / name).stat().st_mode & 0o077 == 0
    assert first.fingerprint == second.fingerprint
    assert first.fingerprint != Settings(ctx, {**nowhere, "LIFEHOUSE_CLOCK": "off"}).fingerprint


def test_stations_that_run_side_by_side_count_once() -> None:
    def at(seconds: int) -> datetime:
        return NOON + timedelta(seconds=seconds)

    assert covered([]) == 0
    assert covered([(at(0), at(10)), (at(2), at(5)), (at(8), at(12)), (at(20), at(21))]) == 13


def test_a_metadata_database_says_that_it_is_migrated_until_it_is_moved(
    airflow_database: Callable[[], str], tmp_path: Path
) -> None:
    address = airflow_database()
    context = Context(Home(tmp_path), Project(TINY))
    settings = Settings(context, {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": address})
    assert settings.is_migrated()
    with psycopg.connect(address.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("update alembic_version set version_num = 'another'")
        assert not settings.is_migrated()
        connection.execute("drop table alembic_version")
        assert not settings.is_migrated()
