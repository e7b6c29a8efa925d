"""Jobs whose rows travel in a file and whose results come back as files, on Salesforce's: what goes wrong between the steps."""

from __future__ import annotations

import csv
import gc
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated import Asked, Fault, Wrong
from vendors_salesforce import Salesforce
from world import World

from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.plan import plan
from lifehouse.activation.platforms import catalog, reading
from lifehouse.activation.platforms.answers import Answer
from lifehouse.activation.platforms.calls import Request
from lifehouse.activation.platforms.jobs import Work
from lifehouse.activation.platforms.request import prepare
from lifehouse.context import Context
from lifehouse.errors import PlatformError

BAD = "c0003@example.com"


class Killed(SystemExit):
    pass


@pytest.fixture
def salesforce() -> Iterator[Salesforce]:
    with Salesforce() as running:
        yield running


@pytest.fixture
def company(make_context: Callable[..., Context], salesforce: Salesforce, tmp_path: Path) -> World:
    """A company whose own declaration of Salesforce is the shipped one, with quick polls and small files."""
    connection = PlatformConnection(salesforce.url, "login", "secret")
    world = World.founded(make_context, tmp_path / "project", connection)
    world.declare(
        platform="salesforce",
        options=salesforce.options,
        fields=salesforce.fields,
        sending={"backoff": "1ms", "attempts": 2},
    )
    own = world.ctx.project.root / "dags" / "platforms" / "salesforce.yml"
    own.parent.mkdir()
    text = (catalog.SHIPPED / "salesforce.yml").read_text(encoding="utf-8")
    own.write_text(text.replace("every: 2s", "every: 5ms").replace("100000000", "600"), encoding="utf-8")
    return world


def test_a_file_says_what_is_in_the_warehouse_letter_for_letter() -> None:
    odd = '=cmd|"A",\n\r\nÜ;\u2028 #N/A'
    rows = [
        {"key": "k1", "fields": {"Name": odd, "Age": 7, "Old": None}},
        {"key": "k2", "fields": {"Name": "", "Vip": True}},
    ]
    request = Request(path="/", csv={"columns": {"...": "{fields}", "Key__c": "{key}"}, "empty": "#N/A"})  # type: ignore[arg-type]
    sent = prepare(request, {}, rows)
    assert sent.content
    text = sent.content.decode()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["Name", "Age", "Old", "Key__c", "Vip"],
        [odd, "7", "#N/A", "k1", ""],
        ["", "", "", "k2", "true"],
    ]
    assert text.splitlines()[0] == "Name,Age,Old,Key__c,Vip"
    assert sent.headers["Content-Type"] == "text/csv"


WORDS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=6)
TORN = WORDS | st.text(st.sampled_from('\r\n",; x'), max_size=4)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(TORN, TORN), max_size=4))
def test_any_text_comes_out_of_a_file_as_it_went_in(pairs: list[tuple[str, str]]) -> None:
    request = Request(path="/", csv={"columns": {"Key__c": "{key}", "Name": "{fields.Name}"}})  # type: ignore[arg-type]
    rows = [{"key": key, "fields": {"Name": name}} for key, name in pairs]
    sent = prepare(request, {}, rows)
    assert sent.content is not None
    back = csv.reader(io.StringIO(sent.content.decode(), newline=""), strict=True)
    assert list(back)[1:] == [list(pair) for pair in pairs]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'sf__Id,Email__c\n1,"a,\n""b"""\n', [{"sf__Id": "1", "Email__c": 'a,\n"b"'}]),
        (b"sf__Id,Email__c\n", []),
        (b"", []),
        (b'sf__Id,Email__c\n1,"a', None),
    ],
)
def test_a_file_that_comes_back_is_read_whole_or_not_at_all(content: bytes, expected: Any) -> None:
    response = httpx.Response(200, headers={"Content-Type": "text/csv; charset=UTF-8"}, content=content)
    assert reading.json_of(response) == expected


@pytest.mark.parametrize("closed", [False, True], ids=["left open", "at work"])
def test_a_job_that_a_killed_sync_left_is_absorbed_by_the_next_ones(
    company: World, salesforce: Salesforce, monkeypatch: pytest.MonkeyPatch, closed: bool
) -> None:
    keys = set(company.people(4))

    async def bring(self: Work) -> None:
        for step in self.job.steps[: 1 + closed]:
            await self._asked(step, Answer(), self.each)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Work, "_bring", bring)
        with pytest.raises(Killed):
            company.sync()
    gc.collect()  # what the killed loop left, here and not in the midst of another test
    assert company.open_rows() == 4
    done = company.sync()
    assert (done.confirmed, done.refused) == (4, 0)
    assert [job["state"] for job in salesforce.jobs.values()] == [
        "JobComplete" if closed else "Open",
        "JobComplete",
    ]
    assert salesforce.members == keys
    assert sorted(salesforce.created) == sorted(keys)
    assert company.sync().calls == 0


def test_a_job_that_cannot_have_its_file_is_aborted(company: World, salesforce: Salesforce) -> None:
    company.people(2)
    original = salesforce.answer

    def refuse(asked: Asked) -> tuple[int, Any]:
        if asked.method == "PUT":
            raise Wrong(503, [])
        return original(asked)

    salesforce.answer = refuse  # type: ignore[method-assign]
    with pytest.raises(PlatformError, match="does not answer"):
        company.sync()
    assert [job["state"] for job in salesforce.jobs.values()] == ["Aborted", "Aborted"]
    salesforce.answer = original  # type: ignore[method-assign]
    assert company.sync().confirmed == 2


def test_a_file_that_is_too_large_is_split_and_no_job_stays_open(
    company: World, salesforce: Salesforce
) -> None:
    keys = set(company.people(40))
    salesforce.refused = {BAD}
    done = company.sync()
    assert (done.confirmed, done.refused) == (39, 1)
    assert salesforce.members == keys - {BAD}
    states = [job["state"] for job in salesforce.jobs.values()]
    assert states.count("JobComplete") == 4
    assert set(states) == {"JobComplete", "Aborted"}


def test_a_plan_counts_the_requests_that_a_file_takes(company: World, salesforce: Salesforce) -> None:
    company.people(3)
    proposed = plan(company.ctx, "push").calls
    assert company.sync().calls == proposed + 1 == 7  # the poll is not among those planned
    assert len(salesforce.asked) == 7 + 1  # nor the login


def test_rows_that_a_job_did_not_process_are_sent_again(company: World, salesforce: Salesforce) -> None:
    keys = set(company.people(3))
    salesforce.skipped = {BAD}
    assert company.sync().confirmed == 3
    assert len(salesforce.jobs) == 2
    assert salesforce.members == keys


def test_a_job_that_fails_says_why_without_anybodys_address(
    company: World, salesforce: Salesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.people(2)
    words = "InvalidBatch : Field not found : Frist__c near c0002@example.com, Name 2"
    original = salesforce.answer

    def fail(asked: Asked) -> tuple[int, Any]:
        status, body = original(asked)
        is_poll = asked.method == "GET" and asked.path.rsplit("/", 1)[-1] in salesforce.jobs
        return (200, {**body, "state": "Failed", "errorMessage": words}) if is_poll else (status, body)

    monkeypatch.setattr(salesforce, "answer", fail)
    with pytest.raises(
        PlatformError, match=r"failed as a whole .InvalidBatch : Field not found : Frist__c"
    ) as told:
        company.sync()
    assert "c0002" not in str(told.value)
    assert "Name 2" not in str(told.value)


def test_a_poll_without_an_answer_does_not_begin_the_job_again(
    company: World, salesforce: Salesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.people(2)
    original, polls = salesforce.answer, []

    def miss(asked: Asked) -> tuple[int, Any]:
        if asked.method == "GET" and asked.path.rsplit("/", 1)[-1] in salesforce.jobs:
            polls.append(asked.path)
            if len(polls) <= 3:
                raise Wrong(502, None)
        return original(asked)

    monkeypatch.setattr(salesforce, "answer", miss)
    assert company.sync().confirmed == 2
    assert (len(salesforce.jobs), len(polls)) == (1, 4)


def test_a_daily_limit_is_a_limit_though_it_comes_as_forbidden(
    company: World, salesforce: Salesforce
) -> None:
    company.people(1)
    company.sync()
    company.sql("update marts.customers set first_name = 'Anna'")
    original, asked_for = salesforce.answer, []

    def limit(asked: Asked) -> tuple[int, Any]:
        if asked.path.endswith("/ingest") and not asked_for:
            asked_for.append(asked)
            raise Wrong(
                403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
            )
        return original(asked)

    salesforce.answer = limit  # type: ignore[method-assign]
    assert company.sync().confirmed == 1
    assert asked_for


def test_records_that_are_gone_already_are_no_refusal(company: World, salesforce: Salesforce) -> None:
    company.people(2)
    company.sync()
    salesforce.forget("c0002@example.com")
    salesforce.faults.append(Fault(500))
    company.leave(["c0001", "c0002"])
    company.declare(
        platform="salesforce",
        options=salesforce.options,
        fields=salesforce.fields,
        guards={"max_shrink": None},
    )
    done = company.sync()
    assert (done.confirmed, done.refused) == (2, 0)
    assert salesforce.members == set()
