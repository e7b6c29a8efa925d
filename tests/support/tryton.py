"""Tryton itself: an ERP and CRM in an environment of its own, with a mailing list, on a database of one file."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import httpx

from lifehouse.activation.connection import PlatformConnection
from support.environments import CACHE, installed
from support.remote import free_port

PACKAGES = (
    *("trytond==8.2.1", "trytond-party==8.2.0", "trytond-marketing-email==8.2.0"),
    *("trytond-marketing==8.2.0", "trytond-web-user==8.2.0", "trytond-web-shortener==8.2.0"),
)
LIST = 1
#: Addresses there are refused, by a rule that an administrator made.
BARRED = "competition.example"
_SECRET, _DATABASE = "a-long-pass-phrase", "crm"

#: What an administrator does by hand once: a mailing list, the right to work with it, a rule of the company.
_FOUNDING = f"""
import sys
from trytond import config
config.update_etc(sys.argv[1])
from trytond.pool import Pool
from trytond.transaction import Transaction
Pool.start()
pool = Pool({_DATABASE!r})
with Transaction().start({_DATABASE!r}, 0):
    pool.init()
with Transaction().start({_DATABASE!r}, 0) as transaction:
    user, = pool.get('res.user').search([('login', '=', 'admin')])
    user.groups = pool.get('res.group').search([('name', '=', 'Marketing')])
    user.save()
    made, = pool.get('marketing.email.list').create([{{'name': 'Champions'}}])
    assert made.id == {LIST}
    pool.get('ir.rule.group').create([{{
        'name': 'Nobody of the competition', 'model': 'marketing.email', 'global_p': True, 'perm_create': True,
        'perm_read': False, 'perm_write': False, 'perm_delete': False,
        'rules': [('create', [{{'domain': '[["email", "not like", "%@{BARRED}"]]'}}])],
    }}])
    transaction.commit()
"""


@dataclass(frozen=True)
class Tryton:
    """A running server."""

    name: ClassVar = "tryton"
    options: ClassVar = {"list_id": LIST}
    field: ClassVar = "email_token"
    #: An address that it refuses, and why.
    unwelcome: ClassVar = f"ann@{BARRED}"
    refusal: ClassVar = "not allowed to create"

    url: str
    file: Path

    @property
    def connection(self) -> PlatformConnection:
        return PlatformConnection(self.url, "admin", _SECRET, {"database": _DATABASE})

    def subscribers(self) -> dict[str, bool]:
        """E-mail → whether they are subscribed, not unsubscribed, read off the database."""
        rows = self._query("select email, active from marketing_email where list_ = ?", LIST)
        assert len(rows) == len({email for email, _ in rows}), "somebody is on the list twice"
        return {email: bool(active) for email, active in rows}

    def members(self) -> set[str]:
        return {email for email, is_active in self.subscribers().items() if is_active}

    def values(self) -> dict[str, str]:
        """What the members' field is."""
        return dict(self._query("select email, email_token from marketing_email where list_ = ?", LIST))

    def made(self) -> list[str]:
        """Whom it ever took into the list."""
        return [email for (email,) in self._query("select email from taken_in")]

    def subscribe(self, email: str) -> None:
        """By hand, past every sync."""
        self._query(
            "insert into marketing_email (email, list_, email_token, active) values (?, ?, 'by hand', 1)",
            email,
            LIST,
        )

    def take_out(self, email: str) -> None:
        """By hand, off the list."""
        self._query("delete from marketing_email where email = ?", email)

    def unsubscribe(self, email: str) -> None:
        """What the link in a mail does."""
        self._query("update marketing_email set active = 0 where email = ? and list_ = ?", email, LIST)

    def end_sessions(self) -> None:
        """Whoever is logged in is logged out."""
        self._query("delete from ir_session")

    def clear(self) -> None:
        """The list is empty."""
        self._query("delete from marketing_email")
        self._query("create table if not exists taken_in (email text)")
        self._query(
            """
            create trigger if not exists notes_who_is_taken_in after insert on marketing_email
            begin insert into taken_in values (new.email); end
            """
        )
        self._query("delete from taken_in")

    def _query(self, query: str, *values: object) -> list[tuple]:
        with closing(sqlite3.connect(self.file, timeout=30)) as connection:
            rows = connection.execute(query, values).fetchall()
            connection.commit()
            return rows


def prepared() -> tuple[Path, Path]:
    """The folder of its programs, and a database with its modules in it.

    :raises Unavailable: it cannot be installed.
    """
    programs = installed("tryton", *PACKAGES)
    return programs, _founded(programs)


@contextmanager
def running() -> Iterator[Tryton]:
    """A server with an empty mailing list.

    :raises Unavailable: it cannot be installed.
    """
    programs, founded = prepared()
    folder = Path(tempfile.mkdtemp(prefix="lifehouse-tryton-"))
    shutil.copy(founded, folder / founded.name)
    port = free_port()
    settings = _settings(folder, port)
    process = subprocess.Popen(
        [programs / "trytond", "-c", settings, "-d", _DATABASE],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(process, url)
        yield Tryton(url, folder / founded.name)
    finally:
        process.kill()  # its data go with it
        process.wait(20)
        shutil.rmtree(folder)


def _founded(programs: Path) -> Path:
    """The database with the modules in it, made once for this version."""
    made = CACHE / "tryton-founded" / f"{_DATABASE}.sqlite"
    with (CACHE / "tryton-founded.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if made.exists() and made.stat().st_mtime > (programs.parent / "installed.txt").stat().st_mtime:
            return made
        shutil.rmtree(made.parent, ignore_errors=True)
        folder = made.parent.with_name("tryton-founding")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / made.name).touch()
        settings = _settings(folder, 0)
        secret = folder / "secret"
        secret.write_text(_SECRET, encoding="utf-8")
        modules = ["-u", "ir", "res", "party", "marketing_email", "--activate-dependencies"]
        _run(
            [
                programs / "trytond-admin",
                "-c",
                settings,
                "-d",
                _DATABASE,
                *modules,
                "--email",
                "a@example.com",
            ],
            secret,
        )
        _run(
            [programs / "trytond-admin", "-c", settings, "-d", _DATABASE, "-p", "--email", "a@example.com"],
            secret,
        )
        _run([programs / "python", "-c", _FOUNDING, settings], secret)
        folder.rename(made.parent)
    return made


def _run(command: list[object], secret: Path) -> None:
    environment = {**os.environ, "TRYTONPASSFILE": str(secret)}
    done = subprocess.run(command, env=environment, timeout=180, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def _settings(folder: Path, port: int) -> Path:
    path = folder / "trytond.conf"
    text = f"[database]\nuri = sqlite://\npath = {folder}\n[web]\nlisten = 127.0.0.1:{port}\n"
    path.write_text(text, encoding="utf-8")
    return path


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    """Until a call is answered: the modules are read with the first one."""
    until = time.monotonic() + 60
    question = {"id": 1, "method": "common.server.version", "params": []}
    while True:
        try:
            if httpx.post(f"{url}/rpc/", json=question, trust_env=False, timeout=60).is_success:
                return
        except httpx.TransportError:
            assert time.monotonic() < until, "Tryton did not start"
            assert process.poll() is None, "Tryton ended"
            time.sleep(0.1)
