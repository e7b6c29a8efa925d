"""Vendure itself: a shop in Node with customers and a customer group, on a database of the session's Postgres."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import httpx
import psycopg

from lifehouse.activation.connection import PlatformConnection
from support.databases import Databases
from support.node import installed
from support.remote import free_port

PACKAGES = ("@vendure/core@3.7.3", "@vendure/harden-plugin@3.7.3", "pg@8.23.1")
_GROUP, _SECRET = 1, "a-long-pass-phrase"
#: The token of a channel beside the default one, with no customers.
RESELLERS = "resellers"
_RIGHTS = ["ReadCustomer", "UpdateCustomer", "ReadCustomerGroup", "UpdateCustomerGroup"]

#: The shop as its makers recommend it for production, but for passwords that cost a quarter of a second each.
_SERVER = """
const { createHash } = require("node:crypto");
const { bootstrap, DefaultLogger, LogLevel } = require("@vendure/core");
const { HardenPlugin } = require("@vendure/harden-plugin");
const { port, secret, database } = JSON.parse(process.env.SHOP);
const hash = async (text) => createHash("sha256").update(text).digest("hex");
bootstrap({
  apiOptions: { port, hostname: "127.0.0.1", csrfPrevention: true },
  authOptions: {
    tokenMethod: ["bearer", "cookie"],
    superadminCredentials: { identifier: "admin", password: secret },
    passwordHashingStrategy: { hash, check: async (text, hashed) => (await hash(text)) === hashed },
  },
  dbConnectionOptions: { type: "postgres", url: database, synchronize: true },
  customFields: { Customer: [{ name: "points", type: "int", nullable: true }] },
  plugins: [HardenPlugin.init({ apiMode: "prod" })],
  logger: new DefaultLogger({ level: LogLevel.Error }),
});
"""
_CUSTOMERS = """
with made as (
    insert into customer ("firstName", "lastName", "emailAddress")
    select 'First', 'Last', concat(name, '@example.com')
    from (
        select concat('c', lpad(n::text, 4, '0')) as name from generate_series(1, 230) as n
        union all
        select unnest(array['moved', 'by.hand'])
    ) as names
    returning id
)
insert into customer_channels_channel ("customerId", "channelId") select id, 1 from made
"""


@dataclass(frozen=True)
class Vendure:
    """A running server. Its customers are ``c0001@example.com`` to ``c0230``, ``moved`` and ``by.hand``."""

    name: ClassVar = "vendure"
    options: ClassVar = {"group_id": _GROUP}
    field: ClassVar = "firstName"
    #: An address that it refuses, and why.
    unwelcome: ClassVar = "stranger@example.com"
    refusal: ClassVar = "does not know it"

    url: str
    database: str

    @property
    def connection(self) -> PlatformConnection:
        """An administrator who may do no more than a sync needs."""
        return PlatformConnection(self.url, "crm@example.com", _SECRET)

    def members(self) -> set[str]:
        """Who is in the group, read off the database."""
        query = """
        select customer."emailAddress" from customer_groups_customer_group as member
        inner join customer on member."customerId" = customer.id where member."customerGroupId" = %s
        """
        return {email for (email,) in self.query(query, _GROUP)}

    def values(self) -> dict[str, str]:
        """What the members' field is."""
        members = self.members()
        told = self.query('select "emailAddress", "firstName" from customer')
        return {email: value for email, value in told if email in members}

    def made(self) -> list[str]:
        """Whom it ever took into the group, by the history that it keeps of every customer."""
        query = """
        select customer."emailAddress" from history_entry as entry inner join customer on entry."customerId" = customer.id
        where entry.type = 'CUSTOMER_ADDED_TO_GROUP' order by entry.id
        """
        return [email for (email,) in self.query(query)]

    def subscribe(self, email: str) -> None:
        """By hand, past every sync: they are in the group."""
        query = (
            'insert into customer_groups_customer_group select id, %s from customer where "emailAddress" = %s'
        )
        self.query(query, _GROUP, email)

    def take_out(self, email: str) -> None:
        """By hand, out of the group."""
        query = """
        delete from customer_groups_customer_group
        where "customerId" = (select id from customer where "emailAddress" = %s)
        """
        self.query(query, email)

    def rename(self, email: str, new: str) -> None:
        """They change their address in the shop."""
        self.query('update customer set "emailAddress" = %s where "emailAddress" = %s', new, email)

    def lose_database(self) -> None:
        """The connection of whoever asks next who is in the group ends before they are told."""
        holder = psycopg.connect(self.database)
        holder.execute("lock table customer_groups_customer_group in access exclusive mode")

        def end() -> None:
            waits = "select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'"
            until = time.monotonic() + 60
            while not self.query(f"{waits} and datname = current_database()") and time.monotonic() < until:
                time.sleep(0.01)
            holder.close()

        threading.Thread(target=end, daemon=True).start()

    def end_sessions(self) -> None:
        """Whoever is logged in is logged out."""
        self._asked("mutation { logout { success } }", token=self._token(self.connection.login))

    def clear(self) -> None:
        """Nobody is in the group; all customers are as they were in the beginning."""
        for table in ("customer_groups_customer_group", "history_entry", "customer"):
            self.query(f"delete from {table}")
        self.query(_CUSTOMERS)

    def found(self) -> None:
        """What the shop's owner does by hand once: a customer group, and an administrator for the syncs."""
        token = self._token("admin")
        made = self._asked('mutation { createCustomerGroup(input: {name: "Champions"}) { id } }', token=token)
        assert made["createCustomerGroup"]["id"] == str(_GROUP)
        zone = self._asked('mutation { createZone(input: {name: "Everywhere"}) { id } }', token=token)
        channel = {
            **{
                "code": "resellers",
                "token": RESELLERS,
                "defaultLanguageCode": "en",
                "defaultCurrencyCode": "EUR",
            },
            **dict.fromkeys(("defaultTaxZoneId", "defaultShippingZoneId"), zone["createZone"]["id"]),
            "pricesIncludeTax": True,
        }
        create = "mutation($it: CreateChannelInput!) { createChannel(input: $it) { ... on Channel { id } } }"
        made = self._asked(create, {"it": channel}, token)
        channels = ["1", made["createChannel"]["id"]]
        role = {"channelIds": channels, "code": "crm", "description": "syncs", "permissions": _RIGHTS}
        create = "mutation($role: CreateRoleInput!) { createRole(input: $role) { id } }"
        made = self._asked(create, {"role": role}, token)
        who = {
            "firstName": "Customer",
            "lastName": "Relations",
            "emailAddress": self.connection.login,
            "password": _SECRET,
            "roleIds": [made["createRole"]["id"]],
        }
        create = "mutation($who: CreateAdministratorInput!) { createAdministrator(input: $who) { id } }"
        self._asked(create, {"who": who}, token)

    def query(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database) as connection:
            cursor = connection.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []

    def _token(self, name: str | None) -> str:
        log_in = "mutation($name: String!, $secret: String!) { login(username: $name, password: $secret) { __typename } }"
        return self._post(log_in, {"name": name, "secret": _SECRET}).headers["vendure-auth-token"]

    def _asked(self, query: str, variables: dict[str, Any] | None = None, token: str = "") -> dict[str, Any]:
        told = self._post(query, variables, token).json()
        assert "errors" not in told, told["errors"]
        return told["data"]

    def _post(self, query: str, variables: dict[str, Any] | None = None, token: str = "") -> httpx.Response:
        body = {"query": query, "variables": variables or {}}
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.post(f"{self.url}/admin-api", json=body, headers=headers, trust_env=False, timeout=60)


def prepared() -> Path:
    """The folder of its packages.

    :raises Unavailable: it cannot be installed.
    """
    return installed("vendure", *PACKAGES)


@contextmanager
def running(databases: Databases) -> Iterator[Vendure]:
    """A server with an empty customer group.

    :raises Unavailable: it cannot be installed.
    """
    modules = prepared()
    database, port = databases.create("vendure", template=None), free_port()
    shop = json.dumps({"port": port, "secret": _SECRET, "database": database})
    process = subprocess.Popen(
        ["node", "-e", _SERVER],
        cwd=modules.parent,  # where its packages are found
        env={**os.environ, "SHOP": shop, "NODE_ENV": "production"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        vendure = Vendure(f"http://127.0.0.1:{port}", database)
        _wait(process, vendure.url)
        vendure.found()
        yield vendure
    finally:
        process.kill()  # its data go with it
        process.wait(20)
        databases.drop(database)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    """Until it answers."""
    until = time.monotonic() + 60
    while True:
        try:
            answer = httpx.post(
                f"{url}/admin-api", json={"query": "{ __typename }"}, trust_env=False, timeout=60
            )
            if answer.is_success:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < until, "Vendure did not start"
        assert process.poll() is None, "Vendure ended"
        time.sleep(0.1)
