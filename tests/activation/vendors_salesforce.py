"""Salesforce's Bulk API 2.0, as its documentation describes it."""

from __future__ import annotations

import re
from typing import Any

from simulated import Asked, Csv, Simulated, Wrong


class Salesforce(Simulated):
    """Bulk API 2.0. ``jobs``: id → what it is, its lines and their fates; ``skipped`` keys stay unprocessed, once."""

    name = "salesforce"
    options = {"external_id": "Email__c", "flag": "Champion__c"}
    fields = {"FirstName": "first_name", "Revenue__c": "net_revenue"}
    object, columns, marked = "Contact", ", HasOptedOutOfEmail", "Champion__c = true and "

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[str, dict[str, Any]] = {}
        self.skipped: set[str] = set()
        self.token = "t1"

    def expire(self) -> None:
        self.token = "t2"

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.path == "/services/oauth2/token":
            assert (asked.body["grant_type"], asked.body["client_secret"]) == ("client_credentials", "secret")
            return 200, {"access_token": self.token, "token_type": "Bearer"}
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            raise Wrong(401, [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}])
        place = asked.path.removeprefix("/services/data/v60.0/")
        match asked.method, place.split("/"):
            case "GET", ["sobjects", _, "Email__c", key]:
                if key not in self.people:
                    raise Wrong(
                        404,
                        [{"errorCode": "NOT_FOUND", "message": "Provided external ID field does not exist"}],
                    )
                return 200, {"Id": self.id_of(key), "Email__c": key}
            case "GET", ["query"]:
                return 200, {"records": self._found(asked.query["q"]), "done": True}
            case "POST", ["jobs", "ingest"]:
                number = f"750{len(self.jobs)}"
                self.jobs[number] = {**asked.body, "id": number, "state": "Open", "lines": []}
                return 200, {"id": number, "state": "Open", "lineEnding": "LF"}
            case "PUT", ["jobs", "ingest", number, "batches"]:
                self.jobs[number]["lines"] = asked.body
                return 201, None
            case "PATCH", ["jobs", "ingest", number]:
                job = self.jobs[number]
                if asked.body["state"] == "UploadComplete" and job["state"] == "Open":
                    self._run(job)
                elif asked.body["state"] == "Aborted" and job["state"] != "JobComplete":
                    job["state"] = "Aborted"
                return 200, {"id": number, "state": job["state"]}
            case "GET", ["jobs", "ingest", number]:
                return 200, {"id": number, "state": self.jobs[number]["state"]}
            case "GET", [
                "jobs",
                "ingest",
                number,
                ("failedResults" | "successfulResults" | "unprocessedrecords") as which,
            ]:
                return 200, Csv(self.jobs[number][which])
        raise Wrong(404, [{"errorCode": "NOT_FOUND", "message": place}])

    def _found(self, query: str) -> list[dict[str, Any]]:
        """What a query finds that walks through the object by its records' ids."""
        asked = re.fullmatch(
            rf"select Id, Email__c{self.columns} from {self.object} where {self.marked}Id > '(\w+)' "
            r"order by Id limit 2000",
            query,
        )
        assert asked, query
        page = self.page(self.behind(asked[1], self.members), "2000")
        return [
            {"Id": self.id_of(key), "Email__c": key, "HasOptedOutOfEmail": key in self.unsubscribed}
            for key in page
        ]

    def _run(self, job: dict[str, Any]) -> None:
        job |= {
            "state": "JobComplete",
            "failedResults": [],
            "successfulResults": [],
            "unprocessedrecords": [],
        }
        for line in reversed(job["lines"]):  # in no order that anybody may count on
            key = line["Email__c"] if job["operation"] == "upsert" else self.by_id(line["Id"])
            if key in self.skipped:
                self.skipped.discard(key)
                job["unprocessedrecords"].append(line)
            elif key is None or key in self.refused:
                error = f"INVALID_EMAIL_ADDRESS:invalid email address: {key}:Email--"
                if key is None:
                    error = "ENTITY_IS_DELETED:entity is deleted:--"
                job["failedResults"].append({"sf__Id": "", "sf__Error": error, **line})
            else:
                number = self._apply(job["operation"], key, line)
                created = "true" if job["operation"] == "upsert" else "false"
                job["successfulResults"].append({"sf__Id": number, "sf__Created": created, **line})

    def _apply(self, operation: str, key: str, line: dict[str, Any]) -> str:
        if operation == "delete":
            number = self.id_of(key)
            self.forget(key)
            return number
        fields = {
            name: value for name, value in line.items() if name not in ("Id", "Email__c", "Champion__c")
        }
        return self.take(key, fields, member=line.get("Champion__c", "true") == "true")


class SalesforceMembers(Salesforce):
    name = "salesforce_members"
    options = {"object": "Member__c", "external_id": "Email__c"}
    object, columns, marked = "Member__c", "", ""
