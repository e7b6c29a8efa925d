"""What the documentation says is true: its links lead somewhere, its commands exist, its YAML is valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from lifehouse.activation.declaration import load_sync
from lifehouse.cli.app import build
from lifehouse.ingest.declaration import load_source
from lifehouse.project import INSTALLATION
from lifehouse.report import catalogue

PAGES = sorted([*INSTALLATION.glob("*.md"), *INSTALLATION.glob("docs/**/*.md")])
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CALL = re.compile(r"(?:^|[`\s&/])lifehouse ([a-z][a-z-]*)((?: +--[a-z-]+)?)", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def code(page: Path) -> str:
    """The page's code: fenced, indented and inline."""
    text = page.read_text()
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return "\n".join(
        [*fenced, *re.findall(r"^ {4,}\S.*$", text, re.MULTILINE), *re.findall(r"`[^`\n]+`", text)]
    )


def test_the_pages_are_there() -> None:
    names = {page.name for page in PAGES}
    assert {
        "README.md",
        "index.md",
        "getting-started.md",
        "add-a-source.md",
        "add-a-segment.md",
        "add-a-sync.md",
    } <= names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(INSTALLATION)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in _LINK.findall(page.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(INSTALLATION)))
def test_every_command_that_is_shown_exists(page: Path) -> None:
    app = build()
    options = {
        (info.name or info.callback.__name__): Path(info.callback.__code__.co_filename).read_text()
        for info in app.registered_commands
        if info.callback
    }
    groups = {str(info.name) for info in app.registered_groups}
    for command, option in _CALL.findall(code(page)):
        assert command in {*options, *groups}, f"{page.name}: lifehouse {command}"
        if option.strip() and command in options:
            plain = option.strip().removeprefix("--").replace("-", "_")
            assert plain in options[command], f"{page.name}: lifehouse {command} {option}"


def examples(page: str, key: str) -> list[str]:
    text = (INSTALLATION / "docs" / page).read_text()
    return [
        block
        for block in re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        if block.startswith(f"{key}:")
    ]


def test_the_declaration_that_is_shown_is_valid(tmp_path: Path) -> None:
    (block,) = examples("add-a-source.md", "source")
    path = tmp_path / "shop.yml"
    path.write_text(block)
    assert load_source(path).tables["orders"].cursor == "updated_at"


def test_the_sync_that_is_shown_is_valid(tmp_path: Path) -> None:
    (block,) = examples("add-a-sync.md", "sync")
    path = tmp_path / "win_back.yml"
    path.write_text(block)
    assert load_sync(path).segment == "status_lost"


def test_the_catalogue_of_marts_is_what_the_models_say() -> None:
    assert catalogue.PAGE.read_text() == catalogue.page(), (
        "make it anew: .venv/bin/python -m lifehouse.report.catalogue"
    )


def test_the_hooks_before_a_commit_need_no_network() -> None:
    config = yaml.safe_load((INSTALLATION / ".pre-commit-config.yaml").read_text())
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    assert all(hook["entry"].startswith(".venv/bin/") for repo in config["repos"] for hook in repo["hooks"])


def test_the_licence_is_the_whole_apache_licence() -> None:
    text = (INSTALLATION / "LICENSE").read_text()
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
