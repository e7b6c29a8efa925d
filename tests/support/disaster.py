"""A company whose night goes wrong in every way, under a real Airflow, and the systems around it that echo what they get."""

from __future__ import annotations

import base64
import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil

from support.serving import Loopback, Quiet
from support.tiny import TINY, Company
from support.traces import PEOPLE, SECRETS

API = """
source: api
owner: data-team
description: an HTTP API that echoes what it knows
kind: rest
connection:
  base_url: "${TEST_API_URL}"
  token: "${TEST_API_TOKEN}"
schedule: "0 2 * * *"
tables:
  contacts:
    path: /contacts
    records: $.results
    key: id
    columns: {id: {type: text}, email: {type: text}}
"""
FAR = """
source: far
owner: data-team
description: a database that is not there
kind: sql
connection: {url: "${TEST_FAR_URL}"}
schedule: "0 2 * * *"
tables:
  things: {key: id, columns: {id: {type: bigint}}}
"""
PLATFORM = """
sync: echoing
owner: crm-team
description: a platform that says in its refusals whom it refuses
segment: status_new
platform: webhook
connection: platform
key: email
consent: none
reason_without_consent: a test's own people
fields: {name: full_name, phone: phone}
guards: {max_age: null}
sending: {patience: 1s}
"""
GOOD = (
    PLATFORM.replace("echoing", "files").replace("webhook", "csv_drop").replace("connection: platform\n", "")
)
GOOD += "options: {folder: drops/files}\n"
#: A suite of a person's own that judges personal columns, and whose query fails over a value.
SUITE = """
from great_expectations.expectations.core.expect_column_values_to_be_in_set import ExpectColumnValuesToBeInSet
from lifehouse.releases.expectation import described, no_rows

TABLES = ("customers",)


def expectations(candidate, table):
    told = described("known", severity="critical", meaning="each e-mail is known", what_to_do="look")
    yield ExpectColumnValuesToBeInSet(column="email", value_set=["nobody@example.org"], **told)
    yield no_rows("numbers", f"select email::integer from {candidate.table(table)}", meaning="a number", what_to_do="look")
"""


def project(root: Path) -> Path:
    """The tiny company with an API, a database that is down, and two syncs; its models may be broken."""
    shutil.copytree(TINY, root)
    sources, syncs = root / "dags" / "sources", root / "dags" / "syncs"
    (sources / "api.yml").write_text(API)
    (sources / "far.yml").write_text(FAR)
    (syncs / "actives.yml").unlink()
    (syncs / "echoing.yml").write_text(PLATFORM)
    (syncs / "files.yml").write_text(GOOD)
    return root


@contextmanager
def broken_models(root: Path) -> Iterator[None]:
    """One model fails over a value, another one over two equal keys, which Postgres quotes."""
    folder = root / "dbt_project" / "models" / "staging" / "tiny"
    profiles, consents = folder / "stg_tiny__profiles.sql", folder / "stg_tiny__consents.sql"
    kept = profiles.read_text(), consents.read_text()
    profiles.write_text(kept[0].replace("card as loyalty_card", "name::integer::text as loyalty_card"))
    hook = '\n{{ config(post_hook="create unique index on {{ this }} ((source_key is null), status)") }}\n'
    keyed = kept[1].replace("'marketing' as purpose", "max(email) over () as purpose")
    consents.write_text(keyed.replace("select", hook.replace("status", "purpose") + "\nselect", 1))
    try:
        yield
    finally:
        profiles.write_text(kept[0])
        consents.write_text(kept[1])


@contextmanager
def closed_gate(root: Path) -> Iterator[None]:
    suite = root / "expectations" / "release" / "personal.py"
    suite.parent.mkdir(parents=True, exist_ok=True)
    suite.write_text(SUITE)
    try:
        yield
    finally:
        shutil.rmtree(root / "expectations")


def people(company: Company) -> None:
    """Everybody, with a column more than is declared."""
    lines = ["person_id,name,email,phone,card,created_at,updated_at,email_consent,street"]
    for key, (name, email, phone, street) in PEOPLE.items():
        lines.append(f"{key},{name},{email},{phone},c-{key},2024-01-01,2024-01-01,granted,{street}")
    _write(company.folder / "people" / "all.csv", lines)


def bad_lines(company: Company) -> None:
    """A torn line, a type error, an unknown word, a value below its bound: each with somebody in it."""
    good = [f"o{n},{key},2024-01-05T12:00:00Z,tea,1,10,EUR,sale" for n, key in enumerate([*PEOPLE] * 8)]
    alma, joerg, tamsin, piers = (" ".join(person) for person in PEOPLE.values())
    header = "order_id,person_id,ordered_at,product,quantity,amount,currency,kind"
    _write(company.folder / "lines" / "2024-01-05.csv", [
        header, *good,
        f"b1,alma,2024-01-05T12:00:00Z,{alma}",
        f"b2,joerg,{joerg},tea,1,10,EUR,sale",
        f"b3,tamsin,2024-01-05T12:00:00Z,tea,1,10,{tamsin},sale",
        f"b4,piers,2024-01-05T12:00:00Z,{piers},1,-5000,EUR,sale",
    ])  # fmt: skip


def headerless(company: Company) -> None:
    """A file whose first line is a person."""
    _write(company.folder / "people" / "headerless.csv", [",".join(person) for person in PEOPLE.values()])


def _write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


class Echo(Loopback):
    """The API fails with everybody's data in status line, header and body; the platform refuses each row by name."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.is_failing = True
        self.tokens: set[str | None] = set()


class _Handler(Quiet):
    server: Echo

    def do_GET(self) -> None:
        self.server.tokens.add(self.headers["Authorization"])
        name, email, phone, street = PEOPLE["alma"]
        if self.server.is_failing:
            body = json.dumps({"error": f"no {name}, {email}, {phone}, {street}"})
            self.answer(422, body.encode(), f"{name} {email} is not processable")
        else:
            self.answer(200, json.dumps({"results": [{"id": "1", "email": email}]}).encode())

    def do_POST(self) -> None:
        self.server.tokens.add(self.headers["Authorization"])
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        results = []
        for row in (*asked["adds"], *asked["changes"], *asked["removes"]):
            known, fields = row["key"], row.get("fields", {})
            name, phone = str(fields.get("name")), str(fields.get("phone"))
            said = f"{known} {known.upper()} {quote(known)} {base64.b64encode(known.encode()).decode()}: "
            said += f"{name.lower()} {name.split()[-1]} ({phone}) is no subscriber"
            results.append({"key": known, "status": "refused", "reason": said})
        self.answer(200, json.dumps({"results": results}).encode())


class Watch:
    """Reads the command lines of all processes, again and again, and keeps those that hold a secret."""

    def __init__(self, secrets: list[str]) -> None:
        self.secrets = [secret.encode() for secret in secrets]
        self.found: set[str] = set()
        self.seen: set[str] = set()
        self._ended = threading.Event()

    def __enter__(self) -> Watch:
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(10)

    def _look(self) -> None:
        looked: dict[int, int] = {}
        while not self._ended.is_set():
            now = psutil.pids()
            looked = {pid: looked.get(pid, 0) + 1 for pid in now}
            for pid in (
                pid for pid in now if looked[pid] < 20
            ):  # a line may change once, when a fork becomes another
                try:
                    line = Path(f"/proc/{pid}/cmdline").read_bytes()
                except OSError:
                    continue
                self.seen.add(line.partition(b"\0")[0].decode(errors="replace").rsplit("/", 1)[-1])
                if any(secret in line for secret in self.secrets):
                    self.found.add(line.replace(b"\0", b" ").decode(errors="replace"))
            time.sleep(0.02)


def environment(echo: Echo, company: Company) -> dict[str, str]:
    """Where the company's systems are and how one gets in."""
    platform = {"conn_type": "http", "host": echo.url, "password": SECRETS["platform"]}
    return {
        "TINY_FOLDER": str(company.folder),
        "TEST_API_URL": echo.url.replace("//", f"//reader:{SECRETS['userinfo']}@"),
        "TEST_API_TOKEN": SECRETS["TEST_API_TOKEN"],
        "TEST_FAR_URL": f"postgresql://reader:{SECRETS['source password']}@127.0.0.1:9/far",
        "AIRFLOW_CONN_PLATFORM": json.dumps(platform),
    }
