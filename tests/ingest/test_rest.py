"""An HTTP API as a source: a real server answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from lifehouse.errors import GateClosed, SourceError
from lifehouse.ingest import extract_rest
from lifehouse.ingest.record import TableCounts
from support.serving import Loopback, Quiet

API = """
kind: rest
connection:
  base_url: "${TEST_API}"
  token: "${TEST_TOKEN}"
  paginator: {kind: link, next: next}
tables:
  contacts:
    path: /contacts
    records: $.results
    cursor_param: since
    params: {limit: 3}
    key: id
    cursor: updated_at
    overlap: 1h
    columns:
      id: {type: bigint}
      email: {type: text}
      amount: {type: numeric}
      vip: {type: boolean}
      updated_at: {type: timestamptz, required: true}
"""


class Api(Loopback):
    """``records`` of contacts, three a page; ``answer`` replaces the answer; ``asked`` are the queries.

    ``/contacts/ids`` lists the ids of all, or what ``listed`` says; ``list_breaks`` after its first page.
    """

    def __init__(self) -> None:
        super().__init__(Handler)
        self.records: list[dict[str, Any]] = [
            {"id": n, "email": f"p{n}@example.org", "amount": n / 10, "vip": n == 1, "tags": ["a", n],
             "updated_at": f"2020-01-0{n}T00:00:00Z"}
            for n in range(1, 9)
        ]  # fmt: skip
        self.answer: tuple[int, bytes] | None = None
        self.asked: list[dict[str, list[str]]] = []
        self.listed: list[Any] | None = None
        self.list_breaks = False


class Handler(Quiet):
    server: Api

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        is_list = urlsplit(self.path).path == "/contacts/ids"
        if not is_list:
            self.server.asked.append(query)
        status, body = self.server.answer or (self._ids(query) if is_list else self._page(query))
        self.answer(status, body)

    def _ids(self, query: dict[str, list[str]]) -> tuple[int, bytes]:
        listed = self.server.listed
        ids = [{"id": row["id"]} for row in self.server.records] if listed is None else listed
        start = int(query.get("after", ["0"])[0])
        if start and self.server.list_breaks:
            return 500, b"{}"
        page = {"ids": ids[start : start + 5]}
        if start + 5 < len(ids):
            page["next"] = f"{self.server.url}/contacts/ids?kind={query['kind'][0]}&after={start + 5}"  # type: ignore[assignment]
        return 200, json.dumps(page).encode()

    def _page(self, query: dict[str, list[str]]) -> tuple[int, bytes]:
        if self.headers["Authorization"] != "Bearer s3cret":
            return 401, b"{}"
        since = query.get("since", [""])[0]
        rows = [row for row in self.server.records if row["updated_at"] >= since.replace("+00:00", "Z")]
        start, size = int(query.get("after", ["0"])[0]), int(query["limit"][0])
        more = (
            f"{self.server.url}/contacts?limit={size}&since={since.replace('+', '%2B')}&after={start + size}"
        )
        page = {"results": rows[start : start + size], "next": more if start + size < len(rows) else None}
        return 200, json.dumps(page).encode()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setenv("TEST_TOKEN", "s3cret")
    monkeypatch.setattr(extract_rest, "_BACKOFF", 0.01)
    with Api() as server:
        monkeypatch.setenv("TEST_API", server.url)
        yield server


@pytest.fixture
def crm(make_house: Callable[..., Any], api: Api) -> Any:
    return make_house(API, "crm")


def test_all_pages_come_typed_and_then_only_what_is_new(crm: Any, api: Api) -> None:
    assert crm.judged_night().tables["contacts"] == TableCounts(8, 8, 0, 0)
    stored = crm.rows(
        "select email, amount::text, vip, _extra from raw_crm.contacts where id < 3 order by id"
    )
    assert stored == [
        ("p1@example.org", "0.1", True, {"tags": ["a", 1]}),
        ("p2@example.org", "0.2", False, {"tags": ["a", 2]}),
    ]
    assert crm.night().load_id is None
    assert api.asked[-1]["since"] == ["2020-01-07T23:00:00+00:00"]
    api.records.append(api.records[0] | {"amount": 5, "updated_at": "2020-01-09T00:00:00Z"})
    assert crm.night().tables["contacts"] == TableCounts(2, 1, 1, 0)


def test_a_record_of_nonsense_is_set_aside(crm: Any, api: Api) -> None:
    crm.declare("kind: rest", "kind: rest\nquarantine_share: 0.4")
    api.records[3]["amount"] = {"value": 3}
    api.records[4] = "not a record"  # type: ignore[call-overload]
    api.records[5]["updated_at"] = "yesterday"
    api.records = [r if isinstance(r, dict) else Sorted(r) for r in api.records]
    assert crm.night().tables["contacts"] == TableCounts(8, 5, 0, 3)
    reasons = crm.rows("select column_name, reason from control.quarantined order by column_name")
    assert reasons == [
        ("", "malformed line"),
        ("amount", "not a numeric"),
        ("updated_at", "not a timestamptz"),
    ]


class Sorted(str):
    """Nonsense that the server can still filter."""

    def __getitem__(self, key: Any) -> str:
        return "9999"


def test_a_column_that_every_record_lacks_closes_the_gate(crm: Any, api: Api) -> None:
    for record in api.records:
        del record["updated_at"]
        record["changed"] = "x"
    api.answer = (200, json.dumps({"results": api.records, "next": None}).encode())
    with pytest.raises(GateClosed) as closed:
        crm.judged_night()
    assert "crm.contacts.updated_at: 1 declared column is missing at the source" in closed.value.failures
    assert crm.value("select count(*) from control.loads where status = 'accepted'") == 0


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((500, b"{}"), "answered 500 Internal Server Error"),
        ((404, b"{}"), "answered 404 Not Found"),
        ((200, b"<html>"), "answered something that is not JSON"),
        ((200, b'{"items": []}'), "answered without a list at $.results"),
    ],
)
def test_an_answer_that_is_none_is_not_taken_for_nothing_new(
    crm: Any, api: Api, answer: tuple[int, bytes], told: str
) -> None:
    api.answer = answer
    with pytest.raises(SourceError) as error:
        crm.ingest()
    assert str(error.value).startswith("crm.contacts: GET /contacts at 127.0.0.1:")
    assert str(error.value).endswith(told)
    assert crm.value("select count(*) from control.loads") == 0


def test_a_source_that_is_down_or_refuses_says_so(
    crm: Any, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_TOKEN", "wrong")
    with pytest.raises(SourceError, match="answered 401 Unauthorized"):
        crm.ingest()
    monkeypatch.setenv("TEST_API", "http://127.0.0.1:1")
    with pytest.raises(
        SourceError, match=r"GET /contacts at 127.0.0.1:1 failed after 4 attempts \(ConnectionError\)"
    ):
        crm.ingest()


@pytest.fixture
def listing(crm: Any) -> Any:
    """The API with a list of all its keys apart, whose records have another place in the answer."""
    crm.declare(
        "key: id",
        "key: id\n    deletions: {keys: {path: /contacts/ids, records: $.ids, params: {kind: all}}, spare_rows: 2}",
    )
    crm.judged_night()
    return crm


def _living(crm: Any) -> list[int]:
    newest = """
        select distinct on (id) id, _deleted from raw_crm.contacts
        inner join control.loads on load_id = _load_id and status = 'accepted'
        order by id, _load_id desc, _deleted desc
    """
    return [row[0] for row in crm.rows(f"select id from ({newest}) as newest where not _deleted order by id")]


def test_a_key_that_the_apis_own_list_lacks_is_deleted_though_no_record_tells(listing: Any, api: Api) -> None:
    gone = api.records.pop(1)  # its page and its cursor are long past
    assert listing.judged_night().tables["contacts"].deleted == 1
    assert _living(listing) == [1, 3, 4, 5, 6, 7, 8]
    assert listing.night().load_id is None
    api.records.append(gone)
    assert listing.judged_night().tables["contacts"].revived == 1
    assert _living(listing) == list(range(1, 9))


def test_a_list_that_breaks_off_is_no_list_and_one_that_is_short_closes_the_gate(
    listing: Any, api: Api
) -> None:
    api.records.append(api.records[0] | {"id": 9, "updated_at": "2020-01-09T00:00:00Z"})
    api.list_breaks = True
    with pytest.raises(SourceError, match=r"GET /contacts/ids at .* answered 500"):
        listing.ingest()
    assert listing.value("select count(*) from control.loads") == 1
    api.list_breaks, api.listed = False, [{"id": 1}, {"id": 2}]
    with pytest.raises(GateClosed, match="keys 6 would be"):
        listing.judged_night()
    assert _living(listing) == list(range(1, 9))
    api.listed = []
    with pytest.raises(GateClosed, match="keys 8 would be"):
        listing.judged_night()


def test_a_list_of_what_are_no_keys_deletes_nothing(listing: Any, api: Api) -> None:
    api.listed = [1, 2, {"number": 3}, {"id": "four"}]
    listing.ingest()
    assert listing.value("select coalesce(sum(deleted), 0) from control.load_tables") == 0
    assert _living(listing) == list(range(1, 9))
