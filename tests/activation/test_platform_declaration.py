"""A platform's declaration: mistakes are told with their line, and what the guide shows is sound."""

from __future__ import annotations

import re
from pathlib import Path

import jmespath
import pytest
from pydantic import ValidationError
from simulated import Asked, Fault, Simulated, Wrong
from typer.testing import CliRunner
from world import World

from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.platforms import IN_PYTHON, OPTIONS, catalog, declaration, template
from lifehouse.activation.platforms.listing import Members
from lifehouse.cli.app import build
from lifehouse.errors import ConfigError
from lifehouse.project import INSTALLATION

GUIDE = (INSTALLATION / "docs" / "add-a-platform.md").read_text(encoding="utf-8")
LETTERBOX = re.findall(r"```yaml\n# dags/platforms/letterbox.yml\n(.*?)```", GUIDE, re.DOTALL)[0]


class Letterbox(Simulated):
    """What the guide's platform does."""

    name = "letterbox"
    options = {"mailing": "m1"}

    def answer(self, asked: Asked) -> tuple[int, object]:
        if asked.path == "/v1/recipients/batch":
            rows = asked.body["recipients"]
            if any(row["email"] in self.refused for row in rows):
                raise Wrong(422, {"message": "one of them is no recipient"})
            return 200, {
                "results": [
                    {"email": row["email"], "status": "ok", "id": self.take(row["email"], row["data"])}
                    for row in rows
                ]
            }
        assert asked.path == "/v1/mailings/m1/recipients"
        self.members |= {str(self.by_id(one)) for one in asked.body.get("add", [])}
        self.members -= {str(self.by_id(one)) for one in asked.body.get("remove", [])}
        return 200, {}


def test_the_guides_platform_is_added_in_one_file(world: World) -> None:
    folder = world.ctx.project.root / "dags" / "platforms"
    folder.mkdir(parents=True)
    (folder / "letterbox.yml").write_text(LETTERBOX, encoding="utf-8")
    shown = CliRunner().invoke(build(), ["platform", "check", str(folder / "letterbox.yml")])
    assert shown.exit_code == 0, shown.output
    assert "POST /v1/recipients/batch" in shown.output
    (folder / "bare.yml").write_text(
        re.sub("^example: .*$", "", LETTERBOX, flags=re.MULTILINE).replace("letterbox", "bare", 1)
    )
    shown = CliRunner().invoke(build(), ["platform", "check", str(folder / "bare.yml")])
    assert "the example has no options.mailing (the mailing's id), which a sync must say" in str(
        shown.exception
    )
    sending = {"backoff": "10ms", "per_second": 500}
    world.declare(
        platform="letterbox", options={"mailing": "m1"}, fields={"name": "first_name"}, sending=sending
    )
    keys = set(world.people(9))
    with Letterbox() as letterbox:
        letterbox.refused = {"c0004@example.com"}
        letterbox.faults.append(Fault(reset=True, applied=True))
        world.connection = PlatformConnection(letterbox.url, None, "secret")
        done = world.sync()
        assert (done.confirmed, done.refused) == (8, 1)
        assert letterbox.members == keys - letterbox.refused
        world.leave(["c0001"])
        world.sync()
        assert letterbox.members == keys - letterbox.refused - {"c0001@example.com"}


def test_the_list_names_every_platform_in_the_narrowest_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    shown = CliRunner().invoke(build(), ["platform", "list"]).output
    first = {line.split(" ")[0] for line in shown.splitlines()}
    assert first >= {*OPTIONS, *(path.stem for path in catalog.SHIPPED.glob("*.yml"))}
    assert IN_PYTHON.keys() == OPTIONS.keys()


@pytest.mark.parametrize(
    ("wrong", "right", "words"),
    [
        ("keyed: true", "keyd: true", r"letterbox.yml:4: unknown key 'keyd'; did you mean 'keyed'\?"),
        ("add: [upsert, join]", "add: [upsert, jion]", r"there is no call 'jion'; did you mean 'join'\?"),
        (
            "{options.mailing}",
            "{options.mailin}",
            r"nothing is called {options.mailin}; did you mean {options.mailing}\?",
        ),
        (
            "status == 'ok'",
            "status = 'ok'",
            r"letterbox.yml:\d+: calls.upsert.answer.results.ok: .* is no JMESPath",
        ),
        ("{each: {email", "{all: {email", r"calls.upsert: a call for several rows needs `each:`"),
        ("keyed: true", "keyed: false", r"a batch that is repeated must be one call"),
        ('"{key}"', '"{key|rot13}"', r"there is no filter 'rot13'; there are text"),
        ("  leave:", "  spare: {path: /x}\n  leave:", r"calls: no action uses spare"),
        ("\n  headers: {A", "\n  login: {path: /in}\n  headers: {A", r":\d+: auth.login: a login says where"),
        ('"{key}", data', '"{cursor}", data', r"nothing is called {cursor}"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, wrong: str, right: str, words: str) -> None:
    file = tmp_path / "letterbox.yml"
    assert wrong in LETTERBOX
    file.write_text(LETTERBOX.replace(wrong, right, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        declaration.load(file)


def test_an_unknown_option_is_told_where_the_sync_says_it(world: World) -> None:
    world.declare(platform="mailchimp", options={"list": "abc", "segment_id": 1})
    with pytest.raises(
        ConfigError, match=r"push.yml:\d+: options: unknown key 'list'; did you mean 'list_id'\?"
    ):
        world.sync()
    world.declare(platform="letterbox", options={})
    folder = world.ctx.project.root / "dags" / "platforms"
    folder.mkdir(parents=True)
    (folder / "letterbox.yml").write_text(LETTERBOX, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"push.yml:\d+: options.mailing: is required: the mailing's id$"):
        world.sync()


def test_what_is_put_into_a_path_stays_one_part_of_it() -> None:
    assert template.fill_path("/people/{key}/tags", {"key": "a/../b?c"}) == "/people/a%2F..%2Fb%3Fc/tags"


def test_objects_are_put_together_and_texts_filled_in() -> None:
    shape = {
        "to": {"each": {"...": "{fields|nested}", "{options.flag}": True, "user": {"id": "{key}"}}},
        "n": "{n|number}",
    }
    rows = [{"key": "k1", "fields": {"user.name": "Ann", "age": 7}}, {"key": "k2", "fields": {}}]
    assert template.fill(shape, {"options": {"flag": "on"}, "n": "12"}, rows) == {
        "to": [
            {"user": {"name": "Ann", "id": "k1"}, "age": 7, "on": True},
            {"on": True, "user": {"id": "k2"}},
        ],
        "n": 12,
    }


def test_an_option_in_an_expression_is_a_name_and_in_quotes_a_text() -> None:
    values = {"options": {"flag": "of whom", "tag": 'the "best" `ones`'}}
    expression = template.named("{options.flag} == '{options.tag}'", values)
    assert jmespath.search(expression, {"of whom": 'the "best" `ones`'}) is True
    assert jmespath.search(expression, {"of whom": "others"}) is False


@pytest.mark.parametrize(
    ("page", "more", "problem"),
    [
        ({"cursor": "next"}, {}, "say the query's parameter, or what {cursor} is first"),
        ({"parameter": "after", "first": "0"}, {}, "and not both"),
        ({"parameter": "after"}, {"asks": 5}, "comes in no pages"),
        (None, {"key": None}, "say where an item's key is"),
    ],
)
def test_a_list_that_cannot_be_read_so_is_no_declaration(
    page: dict[str, str] | None, more: dict[str, object], problem: str
) -> None:
    told = {"path": "/members", "at": "members", "key": "email", "page": page, **more}
    with pytest.raises(ValidationError, match=re.escape(problem)):
        Members.model_validate(told)


def test_many_mutations_are_put_together_in_one_text_with_a_variable_each() -> None:
    shape = {
        "query": {
            "together": ["m(", {"each": "$r{row}: P!, "}, ") { ", [{"each": "r{row}: p(p: $r{row}) "}, "}"]]
        },
        "variables": {"n": 1, "...": {"each": {"r{row}": {"...": "{fields|filled|nested}", "id": "{id}"}}}},
    }
    rows = [
        {"row": 0, "id": "7", "fields": {"more.age": 30, "more.title": None}},
        {"row": 1, "id": "8", "fields": {}},
    ]
    assert template.fill(shape, {}, rows) == {
        "query": "m($r0: P!, $r1: P!, ) { r0: p(p: $r0) r1: p(p: $r1) }",
        "variables": {"n": 1, "r0": {"more": {"age": 30}, "id": "7"}, "r1": {"id": "8"}},
    }


def test_a_call_for_fields_is_not_made_where_none_are_mapped(tmp_path: Path) -> None:
    file = tmp_path / "letterbox.yml"
    file.write_text(LETTERBOX.replace("  upsert:\n", "  upsert:\n    if_fields: true\n"), encoding="utf-8")
    declared = declaration.load(file)
    assert declared.for_sync("mirror", has_fields=True).actions == declared.actions
    without = declared.for_sync("mirror", has_fields=False)
    assert without.actions == {"add": ("join",), "change": (), "remove": ("leave",)}
    assert (without.requests("add"), without.requests("change"), without.size("change")) == (1, 0, 1)
