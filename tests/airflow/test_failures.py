"""What Airflow shows of a station's error, and what it must never show."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from lifehouse.context import Context
from lifehouse.errors import BuildError, ConfigError, GateClosed, LifehouseError, SourceError, SyncRefused
from lifehouse.orchestration.airflow.failures import told
from lifehouse.orchestration.airflow.syncs import SyncTask

FINAL = [
    BuildError("model x"),
    ConfigError("file:1: no"),
    SyncRefused("too many"),
    GateClosed("raw", "shop", ["a", "b"]),
]


@pytest.mark.parametrize("error", FINAL, ids=lambda error: type(error).__name__)
def test_what_time_does_not_cure_is_not_tried_again(error: LifehouseError) -> None:
    with pytest.raises(AirflowFailException) as raised, told():
        raise error
    assert str(raised.value) == str(error)


def test_a_source_that_is_down_is_tried_again_without_the_drivers_words() -> None:
    def read() -> None:
        try:
            raise OSError("password=hunter2")
        except OSError as error:
            raise SourceError("shop: cannot be reached") from error

    with pytest.raises(SourceError) as raised, told():
        read()
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_a_closed_gate_says_each_of_its_sentences(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(AirflowFailException), told():
        raise GateClosed(
            "release", "marts", ["orders: 3 rows without a customer", "customers: shrank by half"]
        )
    assert [record.getMessage() for record in caplog.records] == [
        "orders: 3 rows without a customer",
        "customers: shrank by half",
    ]


def test_a_database_error_keeps_the_row_to_itself(ctx: Context, caplog: pytest.LogCaptureFixture) -> None:
    ctx.warehouse.execute("create table public.people (email text constraint one_person primary key)")
    insert, ann = "insert into public.people values (%s)", ["ann@example.com"]
    ctx.warehouse.execute(insert, ann)
    with caplog.at_level(logging.DEBUG), pytest.raises(LifehouseError) as raised, told():
        ctx.warehouse.execute(insert, ann)
    assert str(raised.value) == "UniqueViolation (23505) at public.people.one_person"
    assert "ann@example.com" not in caplog.text
    assert not isinstance(raised.value, psycopg.Error)


def test_an_unforeseen_error_shows_where_but_not_what(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(LifehouseError) as raised, told():
        int("+49 30 1234567 of Ann")
    assert "ValueError" in str(raised.value)
    assert "Ann" not in str(raised.value)
    assert "+49" not in str(raised.value)
    assert "test_failures.py" in caplog.text


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            {"error": "late", "error_type": "timeout"},
            "nobody answered within 12 hours: the sync push stays stopped",
        ),
        (
            {
                "chosen_options": ["Leave it stopped"],
                "params_input": {},
                "responded_at": datetime(2024, 1, 1, tzinfo=UTC),
                "responded_by_user": {"id": "1", "name": "ann"},
            },
            "ann left the sync push stopped",
        ),
    ],
)
def test_a_sync_that_nobody_lets_run_on_stays_stopped_and_is_not_tried_again(
    event: dict[str, Any], words: str
) -> None:
    task = SyncTask(task_id="sync", sync="push", connection=None, answer_within=timedelta(hours=12))
    with pytest.raises(AirflowFailException, match=words):
        task.answered({}, event, approval_id=1)
