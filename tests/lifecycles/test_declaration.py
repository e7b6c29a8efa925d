"""A lifecycle's file is validated at the door: file, line, and the nearest right spelling."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from lifecycles import drawing
from lifehouse.cli.app import build
from lifehouse.context import Context
from lifehouse.doctor import recorded
from lifehouse.errors import ConfigError
from lifehouse.lifecycles.compile import compile_macro, compile_models
from lifehouse.lifecycles.declaration import FOLDER, lifecycle_files, lifecycles, load
from lifehouse.lifecycles.kpis import Measure
from lifehouse.project import INSTALLATION, Project

RIGHT = (INSTALLATION / FOLDER / "status.yml").read_text(encoding="utf-8")
SHIPPED = {
    "crm": ["acquisition", "conversion", "care", "loyalty", "retention"],
    "clm": ["acquisition", "development", "maintenance", "churn"],
    "tenure": ["potential", "new", "active", "established"],
    "relationship": ["exploration", "development", "maturity", "decline", "ended"],
    "ownership": [
        *("awareness", "acquisition", "installation_use", "after_sales", "upgrade_upkeep", "termination"),
    ],
    "status": ["potential", "new", "active", "loyal", "lost"],
    "journey": ["awareness", "consideration", "purchase", "retention", "loyalty_advocacy"],
}
MISTAKES = {
    "a misspelt event type": (
        "never: order",
        "never: ordr",
        "unknown event type 'ordr'; did you mean 'order'?",
    ),
    "a misspelt bound": (
        "less_than: new}",
        "les_than: new}",
        "unknown key 'les_than'; did you mean 'less_than'?",
    ),
    "a misspelt kind of rule": ("never: order", "nevr: order", "unknown key 'nevr'; did you mean 'never'?"),
    "a window without unit": (
        "less_than: new}",
        "less_than: 60}",
        "write whole days or weeks such as 90d or 12w",
    ),
    "a window of no length": (
        "less_than: new}",
        "less_than: 0d}",
        "write whole days or weeks such as 90d or 12w",
    ),
    "two rules in one": (
        "never: order",
        "never: order\n      ever: refund",
        "exactly one key, this one has 2",
    ),
    "a misspelt window": ("at_least: lost}", "at_least: lots}", "or a name under windows:"),
    "a window that no rule calls": (
        "windows:\n",
        "windows:\n  quiet: 30d\n",
        "windows: no rule uses 'quiet'",
    ),
    "a rhythm outside since_last": (
        "within: habit,",
        "within: {times: 3, at_least: 9d, at_most: 99d, until_known: 90d},",
        "stands in since_last alone",
    ),
    "a rhythm's bounds turned round": (
        "lost: 180d",
        "lost: {times: 3, at_least: 99d, at_most: 9d, until_known: 90d}",
        "at_least is longer than at_most",
    ),
    "no bound": ("{of: order, less_than: new}", "{of: order}", "needs a bound: at_least or less_than"),
    "a misspelt key of a stage": ("    definition: >-", "    defnition: >-", "did you mean 'definition'?"),
    "no Chinese label": (
        "label: {en: Lost, zh: 流失客户}",
        "label: {en: Lost}",
        "stages.4.label.zh: Field required",
    ),
    "a misspelt stage": ("precedence: [potential,", "precedence: [potentiel,", "did you mean 'potential'?"),
    "a stage that is never tried": ("lost, new, loyal", "lost, loyal", "'new' stands 0 times"),
    "a stage without rule before the last": (
        "lost, new, loyal, active]",
        "lost, new, active, loyal]",
        "'active' has no rule",
    ),
    "a rule on the last": (
        "lost, new, loyal, active]\n",
        "lost, new, active, loyal]\n",
        "'active' has no rule",
    ),
    "a name of the sources' own pipelines": (
        "lifecycle: status",
        "lifecycle: recorded_status",
        "names that begin with 'recorded' are those of the sources' own pipelines",
    ),
    "a misspelt stage to move on to": (
        "onward: [active, loyal]",
        "onward: [active, loyel]",
        "stages.1.onward: unknown stage 'loyel'; did you mean 'loyal'?",
    ),
    "a misspelt measure": (
        "measure: {share_of_all:",
        "measure: {shares_of_all:",
        "unknown key 'shares_of_all'; did you mean 'share_of_all'?",
    ),
    "a misspelt key of a measure": (
        "figure: amount, over: 90d",
        "figur: amount, over: 90d",
        "unknown key 'figur'; did you mean 'figure'?",
    ),
    "a misspelt event of a measure": (
        "per_customer: {of: order",
        "per_customer: {of: ordr",
        "unknown event type 'ordr'; did you mean 'order'?",
    ),
    "a measure without a window": (
        "per_customer: {of: order, over: 90d}",
        "per_customer: {of: order}",
        "per_customer.over: Field required",
    ),
    "two measures in one": (
        "measure: {per_customer: {of: order, over: 90d}}",
        "measure: {per_customer: {of: order, over: 90d}, kept: {over: 30d}}",
        "a measure has exactly one key",
    ),
    "a stage and an event to reach": (
        "reached: {event: order, within: new",
        "reached: {event: order, to: [active], within: new",
        "to and event do not go together",
    ),
    "another name than the file's": (
        "lifecycle: status",
        "lifecycle: state",
        "must be the file's name 'status'",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_file_and_line_and_the_right_spelling(mistake: str, tmp_path: Path) -> None:
    right, wrong, message = MISTAKES[mistake]
    assert right in RIGHT
    text = RIGHT.replace(right, wrong, 1)
    path = tmp_path / "status.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as told:
        load(path)
    assert message in str(told.value)
    where = {int(line.removeprefix(f"{path}:").split(":")[0]) for line in str(told.value).splitlines()}
    first = text[: text.index(wrong)].count("\n") + 1
    assert min(abs(line - first) for line in where) <= 1


def test_a_stage_needs_two_plays(tmp_path: Path) -> None:
    data = yaml.safe_load(RIGHT)
    data["stages"][0]["plays"].pop()
    path = tmp_path / "status.yml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"status\.yml:\d+: stages\.0\.plays: List should have at least 2 items"
    ):
        load(path)


def test_two_stages_do_not_share_a_label(tmp_path: Path) -> None:
    path = tmp_path / "status.yml"
    path.write_text(RIGHT.replace("{en: Lost,", "{en: Loyal,"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"status\.yml:\d+: stages: label 'Loyal' is used twice"):
        load(path)


def test_seven_lifecycles_ship_with_a_source_for_every_definition(tmp_path: Path) -> None:
    shipped = {path.stem: load(path) for path in (INSTALLATION / FOLDER).glob("*.yml")}
    assert {name: list(declared.order) for name, declared in shipped.items()} == SHIPPED
    for declared in shipped.values():
        for stage in declared.stages:
            assert re.search(r"\(.*[A-Z][a-z]+", stage.definition), stage.stage
            assert "{" not in stage.definition + stage.kpi.formula, stage.stage
            assert "/" in stage.kpi.formula


def test_a_pipeline_may_be_put_in_order_in_the_companys_file(tmp_path: Path) -> None:
    stages = "[lead, {stage: won, label: {en: Won, zh: 赢单}}]"
    told = f"company: Test\nreporting_currency: EUR\nrecorded:\n  sales: {{stages: {stages}}}\n"
    (tmp_path / "lifehouse.yml").write_text(told, encoding="utf-8")
    sales = Project(tmp_path).company.recorded["sales"]
    assert [stage.stage for stage in sales.stages] == ["lead", "won"]
    models = compile_models([], {"sales": sales})
    assert (
        "when lifecycle = 'recorded_sales' and stage = 'won' then 2" in models["stage_intervals_recorded.sql"]
    )
    assert "'recorded_sales', 'sales (recorded)'" in models["lifecycle_declarations.sql"]
    assert "'won', 2, 'Won', '赢单'" in models["lifecycle_declarations.sql"]
    for right, wrong, message in (
        ("lead,", "won,", r"lifehouse\.yml:4: recorded\.sales\.stages: stage 'won' is used twice"),
        ("lead,", '"lead ",', r"lifehouse\.yml:4: .*begins or ends with a blank"),
        ("stages:", "stage:", r"lifehouse\.yml:4: .*did you mean 'stages'\?"),
    ):
        (tmp_path / "lifehouse.yml").write_text(told.replace(right, wrong, 1), encoding="utf-8")
        with pytest.raises(ConfigError, match=message):
            _ = Project(tmp_path).company


def test_the_doctor_tells_a_pipeline_or_stage_that_no_record_names_with_its_line(
    tmp_path: Path, make_context: Callable[..., Context]
) -> None:
    told = "company: Test\nreporting_currency: EUR\nrecorded:\n  salse: {stages: [lead]}\n"
    told += "  leads:\n    stages:\n      - hot\n      - cald\n"
    (tmp_path / "lifehouse.yml").write_text(told, encoding="utf-8")
    ctx = make_context(tmp_path)
    assert list(recorded.pipelines(ctx)) == [], "nothing is published yet"
    ctx.warehouse.execute(
        "create schema if not exists marts; create table marts.stage_history (lifecycle, stage) as values "
        "('recorded_sales', 'lead'), ('recorded_leads', 'hot'), ('recorded_leads', 'cold'), ('status', 'new')"
    )
    found = [finding.found.split("lifehouse.yml", 1)[1] for finding in recorded.pipelines(ctx)]
    assert found == [
        ":4: no record names the pipeline 'salse'; did you mean 'sales'?",
        ":8: no record names the stage 'cald'; did you mean 'cold'?",
    ]


def test_every_shipped_stage_has_a_kpi_that_can_be_computed_and_says_what_is_a_success() -> None:
    measured, leads_on = [], set()
    for declared in lifecycles(Project(INSTALLATION)):
        for stage in declared.stages:
            assert stage.kpi.measure is not None, (declared.lifecycle, stage.stage)
            measured.append(stage.kpi.measure.kind)
            leads_on |= {declared.lifecycle} if stage.onward else set()
            assert stage.stage not in stage.onward
    assert len(measured) == 34
    assert set(measured) == set(Measure.model_fields)  # the naive walk of the demo's night tries each of them
    assert leads_on == set(SHIPPED)


def test_a_measure_names_stages_of_its_lifecycle(tmp_path: Path) -> None:
    text = RIGHT.replace(
        "{share_of_all: {of: [order, refund], figure: amount,", "{per_customer: {of: order, stages: [loyl],"
    )
    path = tmp_path / "status.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"status\.yml:\d+: .*unknown stage 'loyl'; did you mean 'loyal'\?"):
        load(path)


def test_a_companys_own_file_replaces_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    own = tmp_path / FOLDER / "status.yml"
    own.parent.mkdir(parents=True)
    own.write_text(RIGHT, encoding="utf-8")
    found = lifecycle_files(Project(tmp_path))
    assert [path.stem for path in found] == sorted(SHIPPED)
    assert own in found


def test_all_files_are_compiled_to_one_pass_and_what_is_recorded_to_a_model(
    tmp_path: Path,
) -> None:
    models = compile_models(lifecycles(Project(INSTALLATION)), {})
    assert sorted(models) == [
        "generated.yml",
        "kpi_declarations.sql",
        "lifecycle_declarations.sql",
        "stage_intervals_recorded.sql",
    ]
    stays = compile_macro(lifecycles(Project(INSTALLATION)))
    assert stays.count("row_number() over (partition by customer_id order by occurred_at, event_id)") == 1
    assert "now()" not in "".join([stays, *models.values()])
    described = {model["name"] for model in yaml.safe_load(models["generated.yml"])["models"]}
    assert described == {name.removesuffix(".sql") for name in models if name.endswith(".sql")}


def test_check_tells_what_a_file_does_and_a_wrong_one_ends_in_an_error(tmp_path: Path) -> None:
    drawn = tmp_path / "drawn.yml"
    rule = {"count": {"of": "refund", "within": "2w", "at_least": 2}}
    drawn.write_text(yaml.safe_dump(drawing.lifecycle([rule])), encoding="utf-8")
    told = CliRunner().invoke(build(), ["lifecycle", "check", str(drawn)])
    assert told.exit_code == 0
    assert "read events: refund; days after which a stage may change by itself: 14" in told.output
    drawn.write_text(drawn.read_text().replace("refund", "refnd"), encoding="utf-8")
    told = CliRunner().invoke(build(), ["lifecycle", "check", str(drawn)])
    assert isinstance(told.exception, ConfigError)
