"""Detached processes: ended exactly, with all that they started, and never a stranger's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from lifehouse.orchestration.processes import Detached, stop

#: A leader that ignores SIGTERM and has a child in a process group of its own.
FAMILY = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], process_group=0)
open("child", "w").write(str(child.pid))
time.sleep(60)
"""


@pytest.fixture
def family(tmp_path: Path) -> Detached:
    process = Detached("family", tmp_path)
    process.start([sys.executable, "-c", FAMILY], dict(os.environ))
    deadline = time.monotonic() + 10
    while not (tmp_path / "child").exists() or not (tmp_path / "child").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process


def _gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_second_start_changes_nothing(family: Detached) -> None:
    pid = family.pid()
    assert pid is not None
    assert family.start(["false"], {}) == pid
    assert stop([family], patience=0.2) == ["family"]


def test_stop_ends_what_will_not_end_and_its_children(family: Detached, tmp_path: Path) -> None:
    pid, child = family.pid(), int((tmp_path / "child").read_text())
    assert pid is not None
    assert stop([family], patience=0.2) == ["family"]
    assert _gone(pid)
    assert _gone(child)
    assert stop([family]) == []


def test_children_of_a_process_that_was_killed_are_ended_too(family: Detached, tmp_path: Path) -> None:
    pid, child = family.pid(), int((tmp_path / "child").read_text())
    assert pid is not None
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    assert family.pid() is None
    assert not _gone(child)
    assert stop([family], patience=0.2) == ["family"]
    assert _gone(child)


def test_a_pid_that_now_belongs_to_another_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        started = psutil.Process(stranger.pid).create_time() - 1000
        (tmp_path / "old.pid").write_text(json.dumps({"pid": stranger.pid, "started": started}))
        old = Detached("old", tmp_path)
        assert old.pid() is None
        assert stop([old]) == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
