"""Folders elsewhere: a bucket behind a real S3 API (moto's server) and a folder of a real SFTP server (OpenSSH's)."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from lifehouse.activation.connection import PlatformConnection

SECRET_WORDS: list[str] = []  # what no log and no error may hold


class Place(Protocol):
    """A folder of its own for one test."""

    url: str
    settings: dict[str, Any]  # all that opens it, credentials too

    @property
    def connection(self) -> PlatformConnection: ...

    def put(self, name: str, content: bytes) -> None: ...

    def files(self) -> dict[str, bytes]:
        """Everything that is there, hidden or not."""
        ...


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _ends(process: subprocess.Popen[Any]) -> None:
    process.terminate()
    process.wait(timeout=20)


@dataclass
class Bucket:
    """``s3://<name>/in/here``; it asks for a signature made with the right secret."""

    client: Any
    name: str
    settings: dict[str, Any]

    @property
    def url(self) -> str:
        return f"s3://{self.name}/in/here"

    @property
    def connection(self) -> PlatformConnection:
        extra = {name: value for name, value in self.settings.items() if name not in ("key", "secret")}
        return PlatformConnection(self.url, self.settings["key"], self.settings["secret"], extra)

    def put(self, name: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=f"in/here/{name}", Body=content)

    def files(self) -> dict[str, bytes]:
        keys = [item["Key"] for item in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])]
        return {
            key.removeprefix("in/here/"): self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
            for key in keys
        }

    def unfinished(self) -> int:
        return len(self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", []))


@dataclass
class SftpFolder:
    """``sftp://127.0.0.1:<port>/...``; settings hold the user, the private key's text and the pinned host key."""

    folder: Path
    port: int
    process: int
    settings: dict[str, Any]

    @property
    def url(self) -> str:
        return f"sftp://127.0.0.1:{self.port}{self.folder}"

    @property
    def connection(self) -> PlatformConnection:
        extra = {name: value for name, value in self.settings.items() if name != "username"}
        return PlatformConnection(self.url, self.settings["username"], None, extra)

    def put(self, name: str, content: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(content)

    def files(self) -> dict[str, bytes]:
        found = [path for path in self.folder.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}

    def hang_up(self) -> None:
        """End the server's side of every open connection."""
        for child in Path(f"/proc/{self.process}/task/{self.process}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)


@dataclass
class S3Server:
    """Makes buckets."""

    endpoint: str
    client: Any
    key: str
    secret: str
    made: int = 0

    def bucket(self) -> Bucket:
        self.made += 1
        self.client.create_bucket(Bucket=f"company-{self.made}")
        return Bucket(
            self.client,
            f"company-{self.made}",
            {"key": self.key, "secret": self.secret, "endpoint_url": self.endpoint},
        )


@dataclass
class SftpServer:
    """Makes folders."""

    root: Path
    port: int
    process: int
    settings: dict[str, Any] = field(default_factory=dict)
    made: int = 0

    def folder(self) -> SftpFolder:
        self.made += 1
        return SftpFolder(
            self.root / f"in-{self.made}" / "here", self.port, self.process, dict(self.settings)
        )


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """moto's server in a process of its own. It checks signatures, since the one user that exists was made before."""
    boto3 = pytest.importorskip("boto3")
    pytest.importorskip("moto.server")
    endpoint = f"http://127.0.0.1:{(port := free_port())}"
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(lambda: httpx.get(f"{endpoint}/moto-api/", trust_env=False), httpx.TransportError)
        at = {"endpoint_url": endpoint, "region_name": "us-east-1"}
        iam = boto3.client("iam", aws_access_key_id="none", aws_secret_access_key="none", **at)
        iam.create_user(UserName="house")
        allowed = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
        }
        iam.put_user_policy(UserName="house", PolicyName="all", PolicyDocument=json.dumps(allowed))
        key = iam.create_access_key(UserName="house")["AccessKey"]
        httpx.post(f"{endpoint}/moto-api/reset-auth", content=b"0", trust_env=False).raise_for_status()
        access = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        SECRET_WORDS.append(key["SecretAccessKey"])
        yield S3Server(
            endpoint, boto3.client("s3", **access, **at), key["AccessKeyId"], key["SecretAccessKey"]
        )
    finally:
        _ends(process)


@pytest.fixture(scope="session")
def sftp_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    """OpenSSH's sshd with a host key, a user's key and a configuration that are thrown away."""
    sshd = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if sshd is None:
        pytest.skip("sshd is not installed (Debian: apt-get install openssh-server)")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    root = tmp_path_factory.mktemp("sftp")
    for name in ("host", "user"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(root / name)]
        subprocess.run(command, check=True, timeout=20)
    config = root / "sshd_config"
    lines = (
        f"ListenAddress 127.0.0.1:{(port := free_port())}\nHostKey {root / 'host'}\nPidFile none\n"
        f"AuthorizedKeysFile {root / 'user.pub'}\nStrictModes no\nUsePAM no\nPasswordAuthentication yes\n"
        "PermitRootLogin yes\nSubsystem sftp internal-sftp\nMaxStartups 100\n"
    )
    # from 9.8 on a client that is refused, or whose session dies, is shut out for a while; older servers do not know the word
    for text in (lines, lines + "PerSourcePenalties no\n"):
        (root / "tried").write_text(text)
        checked = subprocess.run(
            [sshd, "-t", "-f", str(root / "tried")], timeout=20, capture_output=True, check=False
        )
        if checked.returncode == 0:
            config.write_text(text)
    with (root / "log").open("wb") as log:
        process = subprocess.Popen([sshd, "-D", "-e", "-f", str(config)], stderr=log)
    try:
        _wait(lambda: socket.create_connection(("127.0.0.1", port), 1).close(), OSError)
        private = (root / "user").read_text()
        SECRET_WORDS.append(private.splitlines()[2])
        yield SftpServer(
            root,
            port,
            process.pid,
            {
                "username": getpass.getuser(),
                "private_key": private,
                "host_key": (root / "host.pub").read_text().strip(),
            },
        )
    finally:
        _ends(process)


@pytest.fixture
def bucket(s3_server: S3Server) -> Bucket:
    return s3_server.bucket()


@pytest.fixture
def sftp_folder(sftp_server: SftpServer) -> SftpFolder:
    return sftp_server.folder()


@pytest.fixture(params=["bucket", "sftp_folder"])
def place(request: pytest.FixtureRequest) -> Place:
    """Each of both."""
    return request.getfixturevalue(request.param)


def _wait(attempt: Any, error: type[Exception]) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            attempt()
        except error:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
