"""The vendors whose platforms ship, each as its documentation describes the calls that we make."""

from __future__ import annotations

import hashlib
import itertools
from typing import Any

from simulated import Asked, Simulated, Wrong
from vendors_audiences import GoogleAudiences, MetaAudiences
from vendors_salesforce import Salesforce, SalesforceMembers


class Hubspot(Simulated):
    name = "hubspot"
    options = {"list_id": "42"}
    fields = {"firstname": "first_name", "revenue": "net_revenue"}

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.headers.get("authorization") != "Bearer secret":
            raise Wrong(401, {"message": "no"})
        match asked.path.rsplit("/", 2)[-2:]:
            case "batch", "upsert":
                return self._upsert(asked.body["inputs"])
            case "batch", "update":
                there = [one for one in asked.body["inputs"] if one["id"] in self.people]
                _, body = self._upsert(there)
                missing = [one for one in asked.body["inputs"] if one not in there]
                errors = [
                    {"message": "contact does not exist", "context": {"objectWriteTraceId": [one["id"]]}}
                    for one in missing
                ]
                return 207, {**body, "errors": [*body.get("errors", []), *errors]}
            case "batch", "read" if "idProperty" not in asked.body:
                keys = [self.by_id(one["id"]) for one in asked.body["inputs"]]
                return 200, {
                    "results": [
                        {
                            "id": self.id_of(key),
                            "properties": {"hs_email_optout": str(key in self.unsubscribed).lower()},
                        }
                        for key in keys
                        if key
                    ]
                }
            case "batch", "read":
                found = [one["id"] for one in asked.body["inputs"] if one["id"] in self.people]
                return 200, {
                    "results": [{"id": self.id_of(key), "properties": {"email": key}} for key in found]
                }
            case "memberships", "add-and-remove":
                keys = {one: self.by_id(one) for one in asked.body["recordIdsToAdd"]}
                self.members |= {key for key in keys.values() if key}
                self.members -= {self.by_id(one) for one in asked.body["recordIdsToRemove"]}
                return 200, {"recordIdsMissing": [one for one, key in keys.items() if not key]}
            case "42", "memberships":  # what is behind an id, whoever came or went before it
                after = int(asked.query.get("after", 0))
                start = sum(int(self.id_of(key)) <= after for key in self.members)
                ids = [self.id_of(key) for key in self.page(start, asked.query.get("limit"))]
                paging = {"paging": {"next": {"after": ids[-1]}}} if ids else {}
                return 200, {"results": [{"recordId": one} for one in ids], **paging}
        raise Wrong(404, {})

    def _upsert(self, inputs: list[dict[str, Any]]) -> tuple[int, Any]:
        if len(inputs) > 100 or not all(
            isinstance(v, str) for one in inputs for v in one["properties"].values()
        ):
            raise Wrong(400, {"message": "invalid input JSON"})
        done = [one for one in inputs if one["id"] not in self.refused]
        results = [
            {"id": self.take(one["id"], one["properties"]), "objectWriteTraceId": one["objectWriteTraceId"]}
            for one in done
        ]
        errors = [
            {"message": "Email is invalid", "context": {"objectWriteTraceId": [one["objectWriteTraceId"]]}}
            for one in inputs
            if one["id"] in self.refused
        ]
        return (207, {"results": results, "errors": errors}) if errors else (200, {"results": results})


class Zoho(Simulated):
    name = "zoho_crm"
    options = {"tag": "Champions"}
    fields = {"Last_Name": "first_name"}

    def __init__(self) -> None:
        super().__init__()
        self.tokens = (f"t{number}" for number in itertools.count(1))
        self.token = "none yet"

    @property
    def extra(self) -> dict[str, Any]:  # type: ignore[override]
        return {"accounts_url": self.url, "refresh_token": "r"}

    def expire(self) -> None:
        self.token = "another"

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.path == "/oauth/v2/token":
            if (asked.body["refresh_token"], asked.body["client_secret"]) != ("r", "secret"):
                return 200, {"error": "invalid_code"}
            self.token = next(self.tokens)
            return 200, {"access_token": self.token, "expires_in": 3600}
        if asked.headers.get("authorization") != f"Zoho-oauthtoken {self.token}":
            raise Wrong(401, {"code": "INVALID_TOKEN", "status": "error", "message": "invalid oauth token"})
        match asked.path.split("/")[3:]:
            case ["Contacts", "upsert"]:
                return 200, {"data": [self._upsert(one) for one in asked.body["data"]]}
            case ["Contacts"] if asked.method == "PUT":
                return 200, {"data": [self._update(one) for one in asked.body["data"]]}
            case ["Contacts"]:
                if not self.people:
                    return 204, None
                start = self.behind(asked.query.get("page_token", "0"), self.people)
                page = self.page_of_all(start, asked.query["per_page"])
                info = {"next_page_token": self.id_of(page[-1]) if page else None, "more_records": bool(page)}
                return 200, {"data": [self._record(key) for key in page], "info": info}
            case ["Contacts", "search"]:
                key = asked.query["email"]
                return (200, {"data": [{"id": self.id_of(key)}]}) if key in self.people else (204, None)
            case ["Contacts", "actions", ("add_tags" | "remove_tags") as action]:
                for one in asked.body["ids"]:
                    key = self.by_id(one)
                    if key:
                        (self.members.add if action == "add_tags" else self.members.discard)(key)
                return 200, {"data": [{"status": "success", "code": "SUCCESS"} for _ in asked.body["ids"]]}
        raise Wrong(404, {})

    def _update(self, record: dict[str, Any]) -> dict[str, Any]:
        key = self.by_id(record["id"])
        if key is None or key in self.refused:
            return {"status": "error", "code": "INVALID_DATA", "message": "the id is invalid", "details": {}}
        return {"status": "success", "code": "SUCCESS", "details": {"id": self.take(key, record)}}

    def _record(self, key: str) -> dict[str, Any]:
        tags = [{"name": "Champions", "id": "9"}] if key in self.members else []
        other = [{"name": "Other", "id": "8"}]
        opted_out = key in self.unsubscribed
        return {"id": self.id_of(key), "Email": key, "Tag": other + tags, "Email_Opt_Out": opted_out}

    def _upsert(self, record: dict[str, Any]) -> dict[str, Any]:
        key = record["Email"]
        if key in self.refused:
            return {"status": "error", "code": "INVALID_DATA", "message": "invalid data", "details": {}}
        return {"status": "success", "code": "SUCCESS", "details": {"id": self.take(key, record)}}


class Mailchimp(Simulated):
    name = "mailchimp"
    options = {"list_id": "abc", "segment_id": 7}
    fields = {"FNAME": "first_name"}

    def answer(self, asked: Asked) -> tuple[int, Any]:
        body = asked.body
        if asked.path == "/lists/abc":
            errors = [
                {
                    "email_address": one["email_address"],
                    "error": "is in a compliance state due to unsubscribe, bounce, or compliance review "
                    "and cannot be subscribed."
                    if one["email_address"] in self.barred
                    else "looks fake or invalid",
                    "error_code": "ERROR_GENERIC",
                }
                for one in body["members"]
                if one["email_address"] in self.refused | self.barred
            ]
            for one in body["members"]:
                if one["email_address"] not in self.refused | self.barred:
                    self.take(one["email_address"], one["merge_fields"])
            return 200, {"errors": errors, "error_count": len(errors)}
        if asked.method == "PATCH":
            hashed = asked.path.removeprefix("/lists/abc/members/")
            known = {hashlib.md5(key.encode()).hexdigest(): key for key in self.people}
            if hashed not in known:
                raise Wrong(404, {"detail": "The requested resource could not be found."})
            self.take(known[hashed], body["merge_fields"])
            return 200, {}
        if asked.path == "/lists/abc/segments/7":
            self.members |= set(body["members_to_add"])
            self.members -= set(body["members_to_remove"])
            return 200, {"errors": []}
        if asked.path == "/lists/abc/segments/7/members":
            page = self.page(int(asked.query.get("offset", 0)), asked.query.get("count"))
            return 200, {
                "members": [
                    {
                        "email_address": key.upper(),
                        "status": "unsubscribed" if key in self.unsubscribed else "subscribed",
                    }
                    for key in page
                ]
            }
        raise Wrong(404, {"detail": "The requested resource could not be found."})


class Zendesk(Simulated):
    name = "zendesk"
    options = {"checkbox": "champion"}
    fields = {"name": "first_name", "user_fields.stage": "status_stage"}

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[str, list[dict[str, Any]]] = {}
        self.polled: set[str] = set()
        self.failing = 0

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.path.endswith("/create_or_update_many"):
            if self.failing:
                self.failing -= 1
                return 200, {"job_status": {"id": "failed", "status": "queued", "results": None}}
            job = f"j{len(self.jobs) + 1}"
            self.jobs[job] = [self._user(index, one) for index, one in enumerate(asked.body["users"])]
            return 200, {"job_status": {"id": job, "status": "queued", "results": None}}
        if asked.path == "/api/v2/users/search":
            wanted = asked.query["query"].removeprefix('email:"').removesuffix('"')
            keys = [
                key for key in self.people if key.split("@")[1] == wanted.split("@")[1]
            ]  # it finds alike ones
            return 200, {"users": [{"id": int(self.id_of(key)), "email": key} for key in keys]}
        if asked.path.endswith("/update_many"):
            job = f"j{len(self.jobs) + 1}"
            self.jobs[job] = [
                self._user(index, {**one, "email": self.by_id(one["id"])})
                for index, one in enumerate(asked.body["users"])
            ]
            return 200, {"job_status": {"id": job, "status": "queued", "results": None}}
        if asked.path == "/api/v2/users":
            start = self.behind(asked.query.get("page[after]", "0"), self.people)
            page = self.page_of_all(start, asked.query["page[size]"])
            meta = {"has_more": bool(page), "after_cursor": self.id_of(page[-1]) if page else "the end"}
            return 200, {
                "users": [
                    {
                        "id": int(self.id_of(key)),
                        "email": key,
                        "user_fields": {"champion": key in self.members},
                    }
                    for key in page
                ],
                "meta": meta,
            }
        job = asked.path.rsplit("/", 1)[-1]
        if job == "failed":
            return 200, {"job_status": {"id": job, "status": "failed", "results": None}}
        if job not in self.polled:  # the first time it is still at work
            self.polled.add(job)
            return 200, {"job_status": {"id": job, "status": "working", "results": None}}
        return 200, {"job_status": {"id": job, "status": "completed", "results": self.jobs[job]}}

    def _user(self, index: int, user: dict[str, Any]) -> dict[str, Any]:
        if user["email"] in self.refused:
            return {
                "index": index,
                "error": "UserCreateError",
                "details": "Email: is not valid",
                "status": "Failed",
            }
        own = user["user_fields"]
        key = self.take(user["email"], {"name": user.get("name")}, member=own["champion"])
        return {"index": index, "id": int(key), "status": "Updated", "success": True}


class Klaviyo(Simulated):
    name = "klaviyo"
    options = {"list_id": "L1"}

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[str, list[str]] = {}
        self.failing = 0

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.headers.get("revision") != "2026-07-15":
            raise Wrong(400, {"errors": [{"detail": "no revision"}]})
        match asked.path.strip("/").split("/")[1:]:
            case ["profile-bulk-import-jobs"] if self.failing:
                self.failing -= 1
                return 202, {"data": {"id": "failed", "attributes": {"status": "queued"}}}
            case ["profile-bulk-import-jobs", "failed"]:
                return 200, {"data": {"id": "failed", "attributes": {"status": "cancelled"}}}
            case ["profile-bulk-import-jobs"]:
                return 202, {
                    "data": {"id": self._import(asked.body["data"]), "attributes": {"status": "queued"}}
                }
            case ["profile-bulk-import-jobs", job]:
                return 200, {"data": {"id": job, "attributes": {"status": "complete"}}}
            case ["profile-bulk-import-jobs", job, "import-errors"]:
                return 200, {
                    "data": [
                        {"attributes": {"detail": "Invalid email", "original_payload": {"email": key}}}
                        for key in self.jobs[job]
                    ]
                }
            case ["profiles"]:
                key = asked.query["filter"].split('"')[1]
                return 200, {"data": [{"id": self.id_of(key)}] if key in self.people else []}
            case ["lists", "L1", "profiles"]:
                behind = int(asked.query.get("page[cursor]", "c0")[1:])
                start = sum(int(self.id_of(key)) <= behind for key in self.members)
                page = self.page(start, asked.query.get("page[size]"))
                data = [{"id": self.id_of(key), "attributes": self._attributes(key)} for key in page]
                address = f"{self.url}{asked.path}?page%5Bcursor%5D=c{data[-1]['id']}" if data else None
                return 200, {"data": data, "links": {"next": address}}
            case ["profiles", number]:
                assert asked.method == "PATCH"
                assert asked.body["data"]["id"] == number
                self.take(self.by_id(number) or "", asked.body["data"]["attributes"])
                return 200, {"data": {"id": number}}
            case ["lists", "L1", "relationships", "profiles"] if asked.method == "POST":
                self.members |= {self.by_id(one["id"]) or "" for one in asked.body["data"]}
                return 204, None
            case ["lists", "L1", "relationships", "profiles"]:
                self.members -= {self.by_id(one["id"]) for one in asked.body["data"]}
                return 204, None
        raise Wrong(404, {})

    def _attributes(self, key: str) -> dict[str, Any]:
        told = [{"reason": "UNSUBSCRIBE", "timestamp": "2024-01-01"}] if key in self.unsubscribed else []
        marketing = {"consent": "SUBSCRIBED", "suppression": told, "list_suppressions": []}
        return {"email": key, "subscriptions": {"email": {"marketing": marketing}}}

    def _import(self, data: dict[str, Any]) -> str:
        assert data["relationships"]["lists"]["data"] == [{"type": "list", "id": "L1"}]
        job = f"j{len(self.jobs) + 1}"
        profiles = [one["attributes"] for one in data["attributes"]["profiles"]["data"]]
        self.jobs[job] = [one["email"] for one in profiles if one["email"] in self.refused]
        for one in profiles:
            if one["email"] not in self.refused:
                self.take(one["email"], one, member=True)
        return job


class Fxiaoke(Simulated):
    name = "fxiaoke"
    options = {"flag": "champion__c"}
    extra = {"corp_id": "c", "user_id": "u", "permanent_code": "p"}
    fields = {"name": "first_name"}

    def __init__(self) -> None:
        super().__init__()
        self.token = "k1"

    def expire(self) -> None:
        self.token = "k2"

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.path.endswith("/get/V2"):
            return 200, {"errorCode": 0, "corpAccessToken": self.token, "corpId": "c"}
        if asked.body["corpAccessToken"] != self.token:
            return 200, {"errorCode": 20016, "errorMessage": "corpAccessToken expired"}
        match asked.path.rsplit("/", 1)[-1]:
            case "query" if (info := asked.body["data"]["search_query_info"])["limit"] > 1:
                assert info["filters"] == [
                    {"field_name": "champion__c", "field_values": [True], "operator": "EQ"}
                ]
                page = self.page(info["offset"], info["limit"])
                found = [{"_id": self.id_of(key), "email": key, "champion__c": True} for key in page]
                return 200, {"errorCode": 0, "data": {"dataList": found}}
            case "query":
                key = asked.body["data"]["search_query_info"]["filters"][0]["field_values"][0]
                found = [{"_id": self.id_of(key)}] if key in self.people else []
                return 200, {"errorCode": 0, "data": {"dataList": found}}
            case "create":
                data = asked.body["data"]["object_data"]
                if data["email"] in self.refused:
                    return 200, {"errorCode": 320002, "errorMessage": "field validation failed"}
                made = self.take(data["email"], data, member=data["champion__c"])
                return 200, {"errorCode": 0, "dataId": made}
            case "update":
                data = asked.body["data"]["object_data"]
                key = self.by_id(data["_id"]) or ""
                self.take(key, data, member=data["champion__c"])
                return 200, {"errorCode": 0}
        raise Wrong(404, {})


class Pipedrive(Simulated):
    name = "pipedrive"
    options = {"flag": "f1"}
    fields = {"name": "first_name"}

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.query.get("api_token") != "secret":
            raise Wrong(401, {"success": False, "error": "unauthorized access"})
        if asked.path == "/persons/search":
            key = asked.query["term"]
            items = [{"item": {"id": int(self.id_of(key))}}] if key in self.people else []
            return 200, {"success": True, "data": {"items": items}}
        if (asked.method, asked.path) == ("GET", "/persons"):
            page = self.page_of_all(int(asked.query.get("start", 0)), asked.query["limit"])
            return 200, {"success": True, "data": [self._person(key) for key in page] or None}
        if asked.method == "POST":
            (key,) = asked.body["email"]
            if key in self.refused:
                raise Wrong(400, {"success": False, "error": "Invalid email"})
            return 201, {"success": True, "data": {"id": int(self.take(key, asked.body, member=True))}}
        key = self.by_id(asked.path.rsplit("/", 1)[-1])
        if key is None:
            raise Wrong(404, {"success": False, "error": "Person not found"})
        self.take(key, asked.body, member=asked.body["f1"] == "yes")
        return 200, {"success": True, "data": {"id": int(self.id_of(key))}}

    def _person(self, key: str) -> dict[str, Any]:
        return {
            "id": int(self.id_of(key)),
            "email": [
                {"value": "old@example.com", "primary": False},
                {"value": key, "primary": True},
            ],
            "f1": "yes" if key in self.members else None,
            "marketing_status": "unsubscribed" if key in self.unsubscribed else "no_consent",
        }


class Freshsales(Simulated):
    name = "freshsales"
    options = {"flag": "cf_champion"}
    fields = {"first_name": "first_name", "custom_field.cf_stage": "status_stage"}

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.headers.get("authorization") != "Token token=secret":
            raise Wrong(401, {"login": "failed", "message": "Username/password is incorrect."})
        if asked.path == "/api/lookup":
            key = asked.query["q"]
            own = {"cf_champion": key in self.members, "cf_stage": "active"}
            found = [{"id": int(self.id_of(key)), "email": key, "custom_field": own}]
            found = found if key in self.people else []
            return 200, {"contacts": {"contacts": found, "meta": {"total": len(found)}}}
        contact = asked.body["contact"]
        own = contact["custom_field"]
        if asked.path == "/api/contacts/upsert":
            key = asked.body["unique_identifier"]["emails"]
            if key in self.refused:
                raise Wrong(400, {"errors": {"code": 400, "message": [f"{key} is invalid"]}})
            assert own["cf_stage"] == "active"
            number = self.take(key, {"first_name": contact["first_name"]}, member=own["cf_champion"])
            return 200, {"contact": {"id": int(number), "email": key}}
        known = self.by_id(asked.path.rsplit("/", 1)[-1])
        if known is None:
            raise Wrong(404, None)
        fields = {name: contact[name] for name in contact if name != "custom_field"}
        self.take(known, fields, member=own["cf_champion"])
        return 200, {"contact": {"id": int(self.id_of(known))}}


class Braze(Simulated):
    name = "braze"
    options = {"attribute": "champion"}

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.path == "/users/export/ids":
            assert len(asked.body["external_ids"]) <= 50
            keys = [key for key in asked.body["external_ids"] if key in self.people]
            users = [self._user(key) for key in keys]
            return 200, {"message": "success", "users": users}
        rows, errors = asked.body["attributes"], []
        if len(rows) > 75:
            raise Wrong(400, {"message": "too many attributes"})
        for index, row in enumerate(rows):
            if row["external_id"] in self.refused:
                errors.append(
                    {"type": "'external_id' is invalid", "input_array": "attributes", "index": index}
                )
            else:
                is_known = row["external_id"] in self.people
                if is_known or not row.get("_update_existing_only"):
                    self.take(row["external_id"], row, member=row["champion"])
        return 201, {
            "message": "success",
            "attributes_processed": len(rows),
            **({"errors": errors} if errors else {}),
        }

    def _user(self, key: str) -> dict[str, Any]:
        return {
            "external_id": key,
            "custom_attributes": {"champion": key in self.members},
            "email_subscribe": "unsubscribed" if key in self.unsubscribed else "subscribed",
        }


class CustomerIo(Simulated):
    name = "customer_io"
    options = {"attribute": "champion"}

    @property
    def extra(self) -> dict[str, Any]:  # type: ignore[override]
        return {"app_url": f"{self.url}/app", "app_key": "k"}

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.path == "/app/v1/customers":
            return self._search(asked)
        assert asked.headers["authorization"].startswith("Basic ")
        errors = []
        for index, row in enumerate(asked.body["batch"]):
            key = row["identifiers"]["email"]
            if key in self.refused:
                errors.append(
                    {"batch_index": index, "reason": "invalid", "field": "email", "message": "not an email"}
                )
            else:
                told = dict(row["attributes"])
                if told.pop("_update", False) and key not in self.people:
                    continue  # an update of nobody does nothing, and is no error
                self.take(key, told, member=told["champion"])
        return (207, {"errors": errors}) if errors else (200, {})

    def _search(self, asked: Asked) -> tuple[int, Any]:
        assert asked.headers["authorization"] == "Bearer k", (
            "another address was told the account's credentials"
        )
        if asked.method == "GET":
            known = [key for key in self.people if key == asked.query["email"]]
            return 200, {"results": [{"email": key, "id": "", "cio_id": self.id_of(key)} for key in known]}
        wanted = {one["attribute"]["field"] for one in asked.body["filter"]["and"]}
        found = self.members & self.unsubscribed if "unsubscribed" in wanted else self.members
        start = self.behind(asked.query.get("start", "0"), found)
        page = self._part(found, start, asked.query["limit"])
        identifiers = [{"email": key, "id": None, "cio_id": self.id_of(key)} for key in page]
        return 200, {"identifiers": identifiers, "next": self.id_of(page[-1]) if page else ""}


class Iterable(Simulated):
    name = "iterable"
    options = {"field": "champion", "channel_id": 12}

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.path == "/api/users/getByEmail":
            key = asked.query["email"]
            if key not in self.people:
                return 200, {}
            told = {
                "champion": key in self.members,
                "unsubscribedChannelIds": [12] * (key in self.unsubscribed),
            }
            return 200, {"user": {"email": key, "dataFields": told}}
        bad = [one["email"] for one in asked.body["users"] if one["email"] in self.refused]
        gone = [one["email"] for one in asked.body["users"] if one["email"] in self.barred]
        for one in asked.body["users"]:
            if one["email"] not in self.refused | self.barred:
                self.take(one["email"], one["dataFields"], member=one["dataFields"]["champion"])
        told = {
            "invalidEmails": bad[:1],
            "failedUpdates": {"invalidEmails": bad[1:], "forgottenEmails": gone},
        }
        return 200, {"successCount": 0, **told}


VENDORS: list[type[Simulated]] = [
    *(
        Hubspot,
        Zoho,
        Mailchimp,
        Zendesk,
        Klaviyo,
        Fxiaoke,
        Pipedrive,
        Freshsales,
        Braze,
        CustomerIo,
        Iterable,
    ),
    *(MetaAudiences, GoogleAudiences, Salesforce, SalesforceMembers),
]
