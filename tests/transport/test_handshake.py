"""TLS for real: a server of this machine with a certificate of its own making."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import json
import os
import pwd
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lifehouse.activation.platforms import client
from lifehouse.activation.platforms.base import TryAgain
from lifehouse.context import Context
from lifehouse.errors import SourceError
from lifehouse.ingest import extract_rest, guarded, run
from lifehouse.ingest.connections import RestConnection
from support.serving import Loopback, Quiet

SOURCE = """source: crm
owner: data-team
description: an API
schedule: "0 2 * * *"
kind: rest
connection: {base_url: "${TEST_API}", token: tok-en-1, headers: {X-Key: key-1}, paginator: {kind: link, next: next}}
tables: {contacts: {path: /contacts, records: $.results, key: id, columns: {id: {type: bigint}}}}
"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and its certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


class Server(Loopback):
    """Answers one record; ``next`` is the link to the next page, ``asked`` the headers that came."""

    def __init__(self, certificate: Path | None, host: str = "127.0.0.1") -> None:
        super().__init__(_Handler, host)
        self.next, self.asked = None, []  # type: ignore[var-annotated]
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self.scheme = "https"


class _Handler(Quiet):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(dict(self.headers))
        body = json.dumps({"results": [{"id": len(self.server.asked)}], "next": self.server.next})
        self.answer(200, body.encode())


@pytest.fixture
def crm(make_context: Callable[..., Context], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    root = tmp_path / "company"
    (root / "dags" / "sources").mkdir(parents=True)
    (root / "lifehouse.yml").write_text("company: Test\nreporting_currency: USD\n")
    (root / "dags" / "sources" / "crm.yml").write_text(SOURCE)
    monkeypatch.setattr(extract_rest, "_ATTEMPTS", 1)
    return make_context(project_root=root)


def test_a_certificate_that_nobody_vouches_for_is_refused_and_a_known_one_is_taken(
    crm: Context, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(certificate) as server:
        monkeypatch.setenv("TEST_API", server.url)
        with pytest.raises(SourceError, match="SSLError"):
            run.ingest(crm, "crm")
        assert server.asked == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        assert run.ingest(crm, "crm").tables["contacts"].loaded == 1
        assert server.asked[0]["Authorization"] == "Bearer tok-en-1"


def test_a_platform_whose_certificate_nobody_vouches_for_gets_no_call(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def asked(url: httpx.URL) -> httpx.Response:
        opened = client.opened(url, 1, timeout=10, headers={"X-Key": "key-1"})
        try:
            return await client.answered(opened, "GET", url)
        finally:
            await opened.aclose()

    with Server(certificate) as server:
        with pytest.raises(TryAgain, match="a certificate that nobody vouches for"):
            asyncio.run(asked(httpx.URL(server.url)))
        assert server.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert asyncio.run(asked(httpx.URL(server.url))).json()["results"] == [{"id": 1}]
        assert server.asked[0]["X-Key"] == "key-1"


def test_a_page_elsewhere_gets_no_credentials(crm: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(None) as server, Server(None, "127.0.0.2") as other:
        monkeypatch.setenv("TEST_API", server.url)
        server.next = f"{other.url}/contacts"  # type: ignore[assignment]
        run.ingest(crm, "crm")
        assert server.asked[0]["X-Key"] == "key-1"
        assert len(other.asked) == 1
        assert {"Authorization", "X-Key"} & other.asked[0].keys() == set()


def test_a_page_that_leads_out_unencrypted_is_not_asked_for(
    crm: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(None) as server:
        monkeypatch.setenv("TEST_API", server.url)
        server.next = "http://elsewhere.invalid/contacts"  # type: ignore[assignment]
        with pytest.raises(SourceError, match=r"elsewhere\.invalid/contacts is not encrypted"):
            run.ingest(crm, "crm")


def test_a_declared_network_of_ones_own_may_be_unencrypted() -> None:
    connection = RestConnection.model_validate({"base_url": "http://elsewhere.invalid", "insecure": True})
    adapter = guarded.GuardedAdapter("x", connection)
    import requests

    request = requests.Request("GET", "http://elsewhere.invalid/x").prepare()
    with pytest.raises(requests.ConnectionError):
        adapter.send(request, timeout=5, proxies={})


@dataclass
class TlsPostgres:
    url: str


@pytest.fixture(scope="module")
def tls_postgres(certificate: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsPostgres]:
    """A Postgres of this machine that speaks TLS, and nothing else; the embedded one does not."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not places or not (places[-1] / "initdb").exists():
        pytest.skip("no Postgres server with TLS is installed (Debian: apt-get install postgresql)")
    tools, folder = places[-1], tmp_path_factory.mktemp("pg")
    account = pwd.getpwnam("postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
    data = (
        Path("/tmp") / f"lifehouse-tls-{os.getpid()}"
    )  # pytest's own folders are closed to the server's account
    data.mkdir(mode=0o700)
    os.chown(data, account.pw_uid, account.pw_gid)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def tool(name: str, *arguments: str) -> None:
        with (folder / "log").open("ab") as log:
            subprocess.run([str(tools / name), *arguments], check=True, stdout=log, stderr=log,
                           stdin=subprocess.DEVNULL, user=account.pw_uid, group=account.pw_gid, cwd="/", timeout=60)  # fmt: skip

    try:
        tool("initdb", "-D", str(data / "db"), "-U", "house", "--auth", "trust")
        for name in ("server.key", "server.crt"):
            shutil.copy(certificate, data / "db" / name)
            os.chown(data / "db" / name, account.pw_uid, account.pw_gid)
            (data / "db" / name).chmod(0o600)
        (data / "db" / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 trust\n")
        options = f"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c ssl=on"
        tool("pg_ctl", "start", "-w", "-D", str(data / "db"), "-o", options)
        try:
            yield TlsPostgres(f"postgresql://house@127.0.0.1:{port}/postgres")
        finally:
            tool("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(data / "db"))
    finally:
        shutil.rmtree(data, ignore_errors=True)


def test_a_database_that_speaks_tls_alone_is_read_with_what_an_address_elsewhere_gets(
    tls_postgres: TlsPostgres, crm: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address gets its mode as one of another machine would; 127.0.0.1 stays out of it only for this test."""
    from lifehouse import transport

    monkeypatch.setattr(transport, "is_here", lambda host: False)
    asked = transport.postgres(tls_postgres.url)
    assert asked.endswith("?sslmode=require")
    with psycopg.connect(asked) as connection:
        assert connection.execute("select ssl from pg_stat_ssl where pid = pg_backend_pid()").fetchone() == (
            True,
        )
        connection.execute("create table things (id bigint)")
        connection.execute("insert into things values (1), (2)")
    source = SOURCE.partition("kind: rest")[0].replace("crm", "shop")
    source += 'kind: sql\nconnection: {url: "${TEST_DB}"}\ntables: {things: {key: id, columns: {id: {type: bigint}}}}\n'
    (crm.project.root / "dags" / "sources" / "shop.yml").write_text(source)
    monkeypatch.setenv("TEST_DB", tls_postgres.url)
    assert run.ingest(crm, "shop").tables["things"].loaded == 2
    monkeypatch.setenv("TEST_DB", f"{tls_postgres.url}?sslmode=disable")
    with pytest.raises(SourceError, match="cannot be reached"):
        run.ingest(crm, "shop")
