"""Nothing that breaks an invariant passes the release gate, and what is served stays."""

from __future__ import annotations

import pytest
from tests.releases import town
from tests.releases.damages import DAMAGES

from lifehouse.errors import LifehouseError
from lifehouse.releases.publish import publish


def test_a_sound_release_passes_without_a_warning_and_its_page_is_written(copy: town.Town) -> None:
    verdict = copy.judge()
    assert [warning.sentence for warning in verdict.warnings if warning.severity != "info"] == []
    assert verdict.rows > 1000
    results = copy.results()
    assert len(results) > 100
    assert all(row["meaning"] and row["what_to_do"] and row["owner"] for row in results)
    assert publish(copy.ctx, copy.run_id) == 2


def test_every_rule_has_a_damage_that_it_sees(copy: town.Town) -> None:
    copy.judge()
    rules = {
        (str(row["subject"]), str(row["expectation"])) for row in copy.results() if row["severity"] != "info"
    }
    generic = ("key (", "required values", "allowed values", "size near", "not empty")  # of every mart
    seen = {(subject, name) for damages in DAMAGES.values() for _, subject, name in damages}
    unseen = {rule for rule in rules - seen if not rule[1].startswith(generic)}
    assert unseen == set()
    assert {name.split(" (")[0] for _, name in rules} <= {name.split(" (")[0] for _, name in seen}


@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_closes_the_gate_and_the_published_release_stays(copy: town.Town, kind: str) -> None:
    for damage, _, _ in DAMAGES[kind]:
        copy.do(damage)
    told = copy.closed()
    expected = {(subject, name) for _, subject, name in DAMAGES[kind]}
    assert expected <= copy.failed()
    assert expected & copy.failed("critical")
    assert all("; " in sentence for sentence in told)  # what to do
    assert (
        copy.ctx.warehouse.value("select status from control.runs order by run_id desc limit 1")
        == "gate_closed"
    )
    with pytest.raises(LifehouseError, match="gate_closed"):
        publish(copy.ctx, copy.run_id)
    assert copy.ctx.warehouse.value("select release_id from control.published") == 1
    assert copy.ctx.warehouse.value("select count(*) from marts.customers") == 150


def test_the_sentence_names_the_mart_the_count_and_what_to_do(copy: town.Town) -> None:
    copy.do("update {slot}.orders set gross_amount = gross_amount + 1 where order_key = '2024-01-05-3'")
    (sentence,) = copy.closed()
    assert sentence.startswith(
        "orders: what an order came to is what was paid less what was given back (1 of 867 rows"
    )
    assert "look at the staging model" in sentence


def test_a_rule_that_cannot_be_judged_closes_the_gate_alone(copy: town.Town) -> None:
    copy.do("alter table {slot}.segments drop column meaning")  # a warning's column, and one of the contract
    told = copy.closed()
    assert any(
        'could not be judged (UndefinedColumn: column "meaning" does not exist' in text for text in told
    )
    assert any("missing: meaning" in text for text in told)
    assert copy.failed() == {("segments", "described"), ("segments", "columns")}


def test_a_lost_mart_closes_the_gate(copy: town.Town) -> None:
    copy.do("drop table {slot}.dates")
    assert any(text.startswith("dates: the mart was built") for text in copy.closed())


def test_records_lost_after_they_came_close_the_gate(copy: town.Town) -> None:
    copy.do("delete from raw_tiny.lines where order_id = '2024-02-01-5'")
    assert any("load 2 of tiny.lines" in text for text in copy.closed())


def test_nothing_is_left_open_after_the_judgement(copy: town.Town) -> None:
    copy.judge()
    sessions = copy.ctx.warehouse.rows(
        "select application_name, state, query from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid() and state is not null"
    )
    assert sessions == []


def test_results_and_pages_hold_no_value_of_a_person(copy: town.Town) -> None:
    copy.do(
        "update {slot}.customers set orders = orders + 1; update {slot}.orders set currency = 'p7@example.com'"
    )
    copy.closed()
    pages = copy.ctx.home.folder("data_docs", "release", "all")
    written = [path.read_text() for path in pages.rglob("*.html")] + [str(copy.results())]
    assert written
    assert not any("example.com" in text or "Person" in text for text in written)
