"""The requests of the shipped platforms against the contracts that their makers publish; and requests that those refuse."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner
from vendors import VENDORS

from lifehouse.activation.platforms import OPTIONS, catalog, check
from lifehouse.activation.platforms.request import Prepared
from lifehouse.cli.app import build
from lifehouse.errors import ConfigError
from lifehouse.project import INSTALLATION
from support.data import contract
from support.prism import installed_prism, serving

#: Platform → contracts. Of Zoho's tags and of Fxiaoke's updates see ``UNTOLD``.
CONTRACTS = {
    "hubspot": ["hubspot/contacts.v3.limits.json", "hubspot/lists-memberships.v3.json"],
    "zoho_crm": ["zoho/record.served.limits.json"],
    "mailchimp": ["mailchimp/marketing.limits.json"],
    "zendesk": ["zendesk/support.limits.json"],
    "klaviyo": ["klaviyo/profiles.limits.json", "klaviyo/lists.json"],
    "fxiaoke": ["fxiaoke/openapi.derived.json"],
    "pipedrive": ["pipedrive/openapi.json"],
    "salesforce": ["salesforce/salesforce.json"],
    "salesforce_members": ["salesforce/salesforce.json"],
}
#: Calls that the contracts at hand do not describe, or describe by what the vendor answers rather than by what it takes.
UNTOLD = {"zoho_crm": {"tag", "untag"}, "fxiaoke": {"update", "unmark"}}
#: Those of one contract, which is opened once for them.
ALIKE = {"salesforce_members": "salesforce"}
#: In Python: what the tests' own servers stand in for, and what real systems are asked.
OURS = {"webhook", "csv_drop"}
REAL = {"csv_drop", "sql_table", "tryton", "vendure"}


def broken(body: bytes) -> bytes:
    """The body with its first list, else its innermost object, replaced by a text; one that has neither becomes a list.

    A file becomes an empty one.
    """
    try:
        told = json.loads(body)
    except ValueError:
        return b""

    def spoil(shape: Any) -> bool:
        for name, item in shape.items() if isinstance(shape, dict) else ():
            if isinstance(item, list) and item:
                shape[name] = "not a list"
                return True
            if isinstance(item, dict) and spoil(item):
                return True
        for name, item in shape.items() if isinstance(shape, dict) else ():
            if isinstance(item, dict):
                shape[name] = "not an object"
                return True
        return False

    return json.dumps(told if spoil(told) else ["no object"]).encode()


@pytest.mark.parametrize("name", sorted(CONTRACTS.keys() - {"zendesk"} - ALIKE.keys()))
def test_the_check_accepts_what_ships_and_refuses_what_is_broken(name: str) -> None:
    files = [contract(file) for file in CONTRACTS[name]]
    path = catalog.SHIPPED / f"{name}.yml"
    declared = catalog.find(name, Path())
    assert declared
    found = {sample.call: sample for sample in check.against(declared, files)}
    problems = {call: sample.problem for call, sample in found.items() if sample.problem}
    assert problems.keys() == UNTOLD.get(name, set())
    apis = {file.name: check._open(file) for file in files}
    for call, sample in found.items():
        if sample.prepared.content and call not in UNTOLD.get(name, ()):
            sent = replace(sample.prepared, content=broken(sample.prepared.content))
            assert check._problem(apis, sent), f"{call} is accepted whatever it says"
    arguments = [argument for file in files for argument in ("--contract", str(file))]
    shown = CliRunner().invoke(build(), ["platform", "check", str(path), *arguments])
    assert shown.exit_code == (1 if name in UNTOLD else 0), shown.output


PERSON = {
    "type": "object",
    "required": ["type", "identifiers", "action"],
    "properties": {"action": {"enum": ["identify"]}, "attributes": {"type": "object"}},
}
OK = {"responses": {"200": {"description": "OK"}}}
TRACK = {
    "openapi": "3.0.1",
    "info": {"title": "Track", "version": "1"},
    "servers": [{"url": "https://track.customer.io"}],
    "paths": {
        "/api/v2/batch": {
            "post": {
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {
                                "properties": {
                                    "batch": {
                                        "type": "array",
                                        "items": {
                                            "anyOf": [{"$ref": "#/components/schemas/identify_person"}],
                                            "discriminator": {"propertyName": "action"},
                                        },
                                    }
                                }
                            }
                        }
                    }
                },
                **OK,
            }
        }
    },
    "components": {"schemas": {"identify_person": PERSON}},
}
APP = {
    "openapi": "3.0.1",
    "info": {"title": "App", "version": "1"},
    "servers": [{"url": "https://api.customer.io"}],
    "paths": {"/v1/customers": {"get": OK, "post": OK}},
}


def test_a_discriminator_forbids_nothing_and_an_address_of_its_own_is_looked_up_by_its_path(
    tmp_path: Path,
) -> None:
    files = []
    for name, told in (("track.json", TRACK), ("app.json", APP)):
        (tmp_path / name).write_text(json.dumps(told), encoding="utf-8")
        files.append(tmp_path / name)
    declared = catalog.find("customer_io", Path())
    assert declared
    found = {sample.call: sample for sample in check.against(declared, files)}
    assert {call: sample.problem for call, sample in found.items()} == dict.fromkeys(
        ["identify", "update", "unmark", "find_there", "members", "opted out"]
    )
    apis = {file.name: check._open(file) for file in files}
    sent = found["identify"].prepared
    wrong = replace(sent, content=(sent.content or b"").replace(b'"identify"', b'"greet"'))
    assert "not valid" in str(check._problem(apis, wrong))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("shop.graphql", "type Query { a: Int }", "is a GraphQL schema"),
        ("shop.json", '{"data": {"__schema": {"types": []}}}', "is a GraphQL schema"),
        ("old.json", '{"swagger": "2.0", "paths": {}}', r"is Swagger 2.0; convert it"),
        ("list.json", "[1]", "is no OpenAPI 3 contract"),
        ("empty.yml", "", "is no OpenAPI 3 contract"),
        ("broken.yml", "a: [", "cannot be read as an OpenAPI contract"),
    ],
)
def test_what_is_no_openapi_contract_is_told_what_it_is(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        check._open(tmp_path / name)


def test_the_guide_says_what_each_platform_was_tested_against() -> None:
    text = (INSTALLATION / "docs" / "add-a-platform.md").read_text(encoding="utf-8")
    lines = [line.split("|")[1:-1] for line in text.splitlines() if re.match(r"\| `\w+`.*(\|.*){5}", line)]
    shown = {cells[0].split("`")[1]: [cell.strip() for cell in cells] for cells in lines}
    declared = {path.stem for path in catalog.SHIPPED.glob("*.yml")}
    assert shown.keys() == declared | OPTIONS.keys()
    for name, (_, _, maker, simulator, real, live) in shown.items():
        assert maker.startswith(("yes", "derived")) == (name in CONTRACTS), name
        assert (" but " in maker) == (name in UNTOLD), name
        assert simulator.startswith("yes") == (name in {*(v.name for v in VENDORS), *OURS}), name
        assert (real != "–") == (name in REAL), name
        assert live == "–"
        if name in declared:
            told = next(line for line in _shipped(name).splitlines() if line.startswith("tested: "))
            assert ("neither the maker's contract nor" in told) == (name not in CONTRACTS), name
            assert ("derived" in told) == maker.startswith("derived"), name
            assert ("simula" in told) == simulator.startswith("yes"), name
            assert ("itself" in told) == (name in REAL), name
            assert "live service" in told, name


def _shipped(name: str) -> str:
    return (catalog.SHIPPED / f"{name}.yml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def prism() -> Path:
    return installed_prism()


@pytest.mark.parametrize("name", sorted(CONTRACTS.keys() - ALIKE.keys()))
def test_prism_accepts_what_ships_and_refuses_what_is_broken(name: str, prism: Path) -> None:
    left = {}
    for one in [name, *(other for other, first in ALIKE.items() if first == name)]:
        declared = catalog.find(one, Path())
        assert declared
        left |= {(one, sample.call): sample.prepared for sample in check.samples(declared)}
    for file in CONTRACTS[name]:
        with serving(prism, contract(file)) as url:
            for call, sent in list(left.items()):
                status = _status(url, sent)
                if status == 404:  # another contract's
                    continue
                assert 200 <= status < 300, f"{call}: {status}"
                if sent.content:
                    bad = replace(sent, content=broken(sent.content))
                    assert 400 <= _status(url, bad) < 500, f"{call} is accepted whatever it says"
                del left[call]
    assert {call for _, call in left} == UNTOLD.get(name, set())


def _status(url: str, sent: Prepared) -> int:
    return httpx.request(
        sent.method,
        url + sent.path,
        params=sent.query or None,
        headers=sent.headers,
        content=sent.content,
        trust_env=False,
        timeout=60,
    ).status_code
