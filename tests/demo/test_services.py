"""The demo's processes: started once, found again, ended exactly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from lifehouse.context import Context
from lifehouse.demo import services
from lifehouse.demo.nights import NIGHTS
from lifehouse.errors import SourceError


@pytest.fixture
def shop_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFEHOUSE_SHOP_URL", "postgresql://elsewhere/shop")


@pytest.mark.usefixtures("shop_elsewhere")
def test_they_start_once_answer_and_end(ctx: Context) -> None:
    try:
        found = services.start(ctx, households=50)
        pids = (services.crm(ctx).pid(), services.receiver(ctx).pid())
        assert services.start(ctx, households=50) == found
        assert (services.crm(ctx).pid(), services.receiver(ctx).pid()) == pids
        assert all(
            found[f"LIFEHOUSE_{name}_URL"].startswith("http://127.0.0.1:") for name in ("CRM", "RECEIVER")
        )
        services.advance(ctx, NIGHTS[1])
        assert httpx.get(found["LIFEHOUSE_CRM_URL"]).json()["as_of"] == NIGHTS[1].isoformat()
        for name, path in (("CRM", "/contacts"), ("RECEIVER", "/members?sync=s")):
            token = {"Authorization": f"Bearer {found[f'LIFEHOUSE_{name}_TOKEN']}"}
            assert httpx.get(found[f"LIFEHOUSE_{name}_URL"] + path, headers=token).status_code == 200
        command = Path(f"/proc/{pids[0]}/cmdline").read_bytes().decode()
        assert found["LIFEHOUSE_CRM_TOKEN"] not in command
    finally:
        stopped = services.stop(ctx)
    assert stopped == ["crm", "receiver"]
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert services.stop(ctx) == []


def test_a_pid_that_belongs_to_another_program_is_left_alone(ctx: Context) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        ctx.home.file("demo", "receiver.pid").write_text(str(other.pid))
        assert services.stop(ctx) == []
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_service_that_cannot_start_says_where_to_look(ctx: Context) -> None:
    ctx.home.folder("demo", "receiver.state")  # a folder where its file should be
    with pytest.raises(SourceError, match=r"receiver did not start; see .*receiver\.log"):
        services.receiver(ctx).start()
    assert services.receiver(ctx).pid() is None
    assert os.environ.get("LIFEHOUSE_RECEIVER_TOKEN") is None
