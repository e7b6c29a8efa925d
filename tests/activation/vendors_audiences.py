"""Advertising platforms that match people by hash, as their documentation describes them."""

from __future__ import annotations

import hashlib
from typing import Any

from simulated import Asked, Simulated, Wrong


def _known() -> dict[str, str]:
    """Hash → what it is of, for the people of the tests: a platform that matches by hash knows them likewise."""
    people = [f"{name}@example.com" for name in (*(f"c{n:04d}" for n in range(1, 21)), "moved", "unwelcome")]
    names = [*(f"name {number}" for number in range(1, 21)), "anna"]
    return {
        **{hashlib.sha256(one.encode()).hexdigest(): one for one in people},
        **{hashlib.sha256(one.encode()).hexdigest(): one.title() for one in names},
    }


class Audience(Simulated):
    """A platform that matches people by hash."""

    rules: str

    def __init__(self) -> None:
        super().__init__()
        self.known = _known()

    @property
    def sync(self) -> dict[str, Any]:  # type: ignore[override]
        return {"key": {"column": "email", "hash": "sha256", "rules": self.rules}}

    def leave(self, key: str) -> None:
        self.members.discard(key)


class MetaAudiences(Audience):
    name = "meta_audiences"
    rules = "meta"
    options = {"audience_id": "77"}
    fields = {
        "FN": {"column": "first_name", "hash": "sha256", "rules": "meta"},  # type: ignore[dict-item]
        "CT": {"column": "status_stage", "hash": "sha256", "rules": "meta", "kind": "city"},  # type: ignore[dict-item]
    }

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.headers.get("authorization") != "Bearer secret":
            raise Wrong(400, {"error": {"code": 190, "message": "Invalid OAuth access token."}})
        assert asked.path == "/v25.0/77/users"
        session, payload = asked.body["session"], asked.body["payload"]
        assert isinstance(session["session_id"], int)
        lines = payload["data"]
        if len(lines) > 10_000 or any(len(line) != len(payload["schema"]) for line in lines):
            raise Wrong(400, {"error": {"code": 100, "message": "Invalid parameter"}})
        bad = 0
        for line in lines:
            row = dict(zip(payload["schema"], line, strict=True))
            key = self.known[row["EXTERN_ID"]]
            assert row["EMAIL"] == row["EXTERN_ID"]
            bad += key in self.refused
            if asked.method == "DELETE":
                self.leave(key)
            elif key not in self.refused:
                assert row["CT"] == hashlib.sha256(b"active").hexdigest()
                self.take(key, {"FN": self.known[row["FN"]]}, member=True)
        samples = {"0": "invalid format"} if bad else {}
        return 200, {
            "audience_id": "77",
            "session_id": str(session["session_id"]),
            "num_received": len(lines),
            "num_invalid_entries": bad,
            "invalid_entry_samples": samples,
        }


class GoogleAudiences(Audience):
    name = "google_audiences"
    rules = "google"
    options = {
        "account_id": 123,
        "login_id": "9",
        "audience_id": "7",
        "consent": "CONSENT_GRANTED",
        "terms": "ACCEPTED",
    }
    fields = {
        "address.givenName": {"column": "first_name", "hash": "sha256"},  # type: ignore[dict-item]
        "address.familyName": {"column": "first_name", "hash": "sha256"},  # type: ignore[dict-item]
        "address.regionCode": "status_stage",
        "address.postalCode": "net_revenue",
    }

    def __init__(self) -> None:
        super().__init__()
        self.statuses: dict[str, str] = {}
        self.token = "t1"

    @property
    def extra(self) -> dict[str, Any]:  # type: ignore[override]
        return {"token_url": f"{self.url}/token", "refresh_token": "r"}

    def expire(self) -> None:
        self.token = "t2"

    def rows_of(self, method: str) -> list[list[dict[str, Any]]]:
        """The identifiers of each row that came to the method."""
        bodies = [asked.body for asked in self.asked if asked.path == f"/v1/audienceMembers:{method}"]
        return [one["userData"]["userIdentifiers"] for body in bodies for one in body["audienceMembers"]]

    def key_of(self, row: list[dict[str, Any]]) -> str:
        return self.known[row[0]["emailAddress"]]

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.path == "/token":
            assert (asked.body["refresh_token"], asked.body["client_secret"]) == ("r", "secret")
            return 200, {"access_token": self.token, "expires_in": 3599, "token_type": "Bearer"}
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            raise Wrong(401, {"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "expired"}})
        if asked.path == "/v1/requestStatus:retrieve":
            status = self.statuses[asked.query["requestId"]]
            error = {"errorCounts": [{"recordCount": "1", "reason": "PROCESSING_ERROR_REASON_UNSPECIFIED"}]}
            one = {"requestStatus": status, **({} if status == "SUCCESS" else {"errorInfo": error})}
            return 200, {"requestStatusPerDestination": [one]}
        assert asked.body["encoding"] == "HEX"
        (destination,) = asked.body["destinations"]
        assert destination["operatingAccount"] == {"accountType": "GOOGLE_ADS", "accountId": "123"}
        rows = [one["userData"]["userIdentifiers"] for one in asked.body["audienceMembers"]]
        keys = [self.known[identifiers[0]["emailAddress"]] for identifiers in rows]
        bad = [key for key in keys if key in self.refused]
        for key, identifiers in zip(keys, rows, strict=True):
            if asked.path == "/v1/audienceMembers:remove":
                self.leave(key)
            elif key not in bad:
                assert asked.path == "/v1/audienceMembers:ingest"
                address = identifiers[1]["address"]
                self.take(key, {"name": self.known[address["givenName"]]}, member=True)
        number = f"r{len(self.statuses) + 1}"
        self.statuses[number] = (
            "SUCCESS" if not bad else "FAILED" if len(bad) == len(keys) else "PARTIAL_SUCCESS"
        )
        return 200, {"requestId": number}
