"""What the demo's receiver holds: members by sync and key, and the answers it gave, in one SQLite file."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

_TABLES = """
create table if not exists members (sync text, key text, fields text not null, primary key (sync, key));
create table if not exists answers (idempotency_key text primary key, request text not null, answer text not null);
create table if not exists batches (
    id integer primary key, sync text not null, adds int not null, changes int not null, removes int not null,
    refused int not null
);
"""


class OtherRequest(Exception):
    """The idempotency key was used before, for something else."""


class Store:
    """Keyed members; a record that comes again replaces itself."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file = sqlite3.connect(path, check_same_thread=False)
        self._file.executescript(_TABLES)

    def apply(
        self, sync: str, parts: dict[str, list[Any]], idempotency_key: str | None = None
    ) -> dict[str, Any]:
        """Take in ``adds``, ``changes`` and ``removes``; the answer, one result a row in that order.

        The same idempotency key with the same content gives the first answer again and changes nothing.

        :raises OtherRequest: the same key came with other content.
        """
        request = hashlib.sha256(json.dumps([sync, parts], sort_keys=True).encode()).hexdigest()
        with self._lock, self._file:  # one transaction
            earlier = self._file.execute(
                "select request, answer from answers where idempotency_key = ?", (idempotency_key,)
            ).fetchone()
            if earlier:
                if earlier[0] != request:
                    raise OtherRequest
                return json.loads(earlier[1])
            results = [self._one(sync, part, row) for part, rows in parts.items() for row in rows]
            answer = {"results": results}
            counts = [len(parts[part]) for part in ("adds", "changes", "removes")]
            refused = sum(result["status"] == "refused" for result in results)
            self._file.execute(
                "insert into batches (sync, adds, changes, removes, refused) values (?, ?, ?, ?, ?)",
                (sync, *counts, refused),
            )
            if idempotency_key is not None:
                self._file.execute(
                    "insert into answers values (?, ?, ?)", (idempotency_key, request, json.dumps(answer))
                )
        return answer

    def members(self, sync: str) -> list[str]:
        """The keys of all members, sorted."""
        with self._lock:
            rows = self._file.execute(
                "select key from members where sync = ? order by key", (sync,)
            ).fetchall()
        return [row[0] for row in rows]

    def member(self, sync: str, key: str) -> dict[str, Any] | None:
        """The fields of one member."""
        with self._lock:
            row = self._file.execute(
                "select fields from members where sync = ? and key = ?", (sync, key)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def syncs(self) -> dict[str, dict[str, int]]:
        """Per sync: members now; batches, adds, changes, removes and refused rows so far."""
        names = ("members", "batches", "adds", "changes", "removes", "refused")
        with self._lock:
            rows = self._file.execute(
                "select sync, (select count(*) from members where members.sync = batches.sync), count(*), sum(adds),"
                " sum(changes), sum(removes), sum(refused) from batches group by sync order by sync"
            ).fetchall()
        return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}

    def _one(self, sync: str, part: str, row: Any) -> dict[str, Any]:
        key = row.get("key") if isinstance(row, dict) else None
        reason = _fault(part, row, key)
        if reason:
            return {"key": key, "status": "refused", "reason": reason}
        if part == "removes":
            self._file.execute("delete from members where sync = ? and key = ?", (sync, key))
        else:
            self._file.execute(
                "insert or replace into members values (?, ?, ?)", (sync, key, json.dumps(row["fields"]))
            )
        return {"key": key, "status": "ok"}


def _fault(part: str, row: Any, key: Any) -> str | None:
    if not isinstance(key, str) or not key.strip():
        return "key_missing"
    if part == "removes":
        return None
    fields = row.get("fields")
    if not isinstance(fields, dict):
        return "fields_missing"
    email = fields.get("email")
    return "email_invalid" if email is not None and "@" not in str(email) else None
