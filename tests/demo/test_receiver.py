"""The receiver is keyed, answers row by row, honours idempotency keys and survives restarts."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from lifehouse.demo.receiver import create_app
from lifehouse.demo.receiver_store import Store
from lifehouse.demo.serving import Token


def _open(path: Path) -> TestClient:
    app = create_app(Store(path), Token("LIFEHOUSE_RECEIVER_TOKEN"))
    return TestClient(app, headers={"Authorization": "Bearer t0ken"})


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIFEHOUSE_RECEIVER_TOKEN", "t0ken")
    return tmp_path / "state.sqlite"


def _row(key: str, **fields: str) -> dict[str, object]:
    return {"key": key, "fields": fields}


def test_adds_changes_and_removes_keep_the_members(state: Path) -> None:
    api = _open(state)
    api.post("/batch", json={"sync": "s", "adds": [_row("b", city="Dayton"), _row("a")]}).raise_for_status()
    api.post("/batch", json={"sync": "s", "changes": [_row("b", city="Toledo")], "removes": [{"key": "a"}]})
    assert api.get("/members?sync=s").json() == {"sync": "s", "count": 1, "keys": ["b"]}
    assert api.get("/members/b?sync=s").json()["fields"] == {"city": "Toledo"}
    assert api.get("/members?sync=other").json()["count"] == 0


def test_a_batch_that_comes_again_changes_nothing(state: Path) -> None:
    api = _open(state)
    batch = {"sync": "s", "adds": [_row("a")], "removes": [{"key": "never there"}]}
    first = api.post("/batch", json=batch).json()
    assert api.post("/batch", json=batch).json() == first
    assert [result["status"] for result in first["results"]] == ["ok", "ok"]
    assert api.get("/members?sync=s").json()["count"] == 1


def test_an_idempotency_key_gets_its_first_answer_again(state: Path) -> None:
    api = _open(state)
    key = {"Idempotency-Key": "k1"}
    batch = {"sync": "s", "adds": [_row("a")]}
    first = api.post("/batch", json=batch, headers=key).json()
    api.post("/batch", json={"sync": "s", "removes": [{"key": "a"}]})
    assert api.post("/batch", json=batch, headers=key).json() == first
    assert api.get("/members?sync=s").json()["count"] == 0
    assert api.get("/syncs").json()["s"]["batches"] == 2
    assert api.post("/batch", json={"sync": "s", "adds": [_row("z")]}, headers=key).status_code == 422


def test_a_bad_row_is_refused_alone_with_its_reason(state: Path) -> None:
    api = _open(state)
    rows = [_row("a", email="a@example.com"), _row("b", email="nobody"), {"fields": {}}, {"key": "c"}, "text"]
    results = api.post("/batch", json={"sync": "s", "adds": rows}).json()["results"]
    assert [result.get("reason") for result in results] == [
        None,
        "email_invalid",
        "key_missing",
        "fields_missing",
        "key_missing",
    ]
    assert api.get("/members?sync=s").json()["keys"] == ["a"]
    assert api.get("/syncs").json()["s"]["refused"] == 4


def test_members_and_answers_survive_a_restart(state: Path) -> None:
    batch, key = {"sync": "s", "adds": [_row("a")]}, {"Idempotency-Key": "k1"}
    first = _open(state).post("/batch", json=batch, headers=key).json()
    again = _open(state)
    assert again.get("/members?sync=s").json()["keys"] == ["a"]
    assert again.post("/batch", json=batch, headers=key).json() == first
    assert again.get("/syncs").json()["s"]["batches"] == 1


def test_it_wants_a_token(state: Path) -> None:
    api = _open(state)
    assert api.post("/batch", json={"sync": "s"}, headers={"Authorization": "Bearer no"}).status_code == 401
    assert api.get("/members?sync=s", headers={"Authorization": ""}).status_code == 401
