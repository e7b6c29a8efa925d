"""The server set-up: what docker-compose makes of docker-compose.yml. No engine is needed for that, and none is used."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from lifehouse.project import INSTALLATION

SECRET = re.compile(r"PASSWORD|SECRET|FERNET|CONN|URL|BACKEND")


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("docker-compose is not installed (Debian: apt-get install docker-compose)")
    done = subprocess.run(
        [program, "config"],
        cwd=INSTALLATION,
        env={**os.environ, "LIFEHOUSE_ENV_FILE": "docker/env.example"},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return dict(yaml.safe_load(done.stdout))


def test_every_part_is_there_with_two_celery_workers(composed: dict[str, Any]) -> None:
    commands = {
        name: " ".join(service.get("command") or []) for name, service in composed["services"].items()
    }
    for part in ("api-server", "scheduler", "dag-processor", "triggerer"):
        assert commands[part] == f"airflow {part}"
    assert sum("celery worker" in command for command in commands.values()) == 2
    assert {"postgres", "redis", "init"} <= set(commands)


def test_nothing_listens_beyond_this_machine(composed: dict[str, Any]) -> None:
    published = [str(port) for service in composed["services"].values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_every_secret_comes_from_the_env_file() -> None:
    text = (INSTALLATION / "docker-compose.yml").read_text()
    example = (INSTALLATION / "docker" / "env.example").read_text()
    secret = {
        line.split("=")[0]
        for line in example.splitlines()
        if SECRET.search(line.split("=")[0]) and "#" not in line
    }
    assert len(secret) >= 8
    for name in secret:
        assert not re.search(rf"^\s*{name}:", text, re.MULTILINE), f"{name} stands in docker-compose.yml"


def test_the_image_holds_what_the_dags_need() -> None:
    copied = re.findall(
        r"^COPY (.+) \S+$", (INSTALLATION / "docker" / "Dockerfile").read_text(), re.MULTILINE
    )
    names = {name for line in copied for name in line.split()}
    assert {"plugins", "dags", "dbt_project", "expectations", "requirements.lock"} <= names
    assert all((INSTALLATION / name).exists() for name in names)
