"""`lifehouse init`: what it finds, what it guesses, and that what it writes is valid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import yaml
from typer.testing import CliRunner

from lifehouse.cli.app import build
from lifehouse.errors import ConfigError, SourceError
from lifehouse.ingest.declaration import Source, load_source
from lifehouse.scaffold import database, files, project, roles
from lifehouse.scaffold import types as column_types
from lifehouse.scaffold.roles import Kind
from lifehouse.scaffold.sketch import snake

CUSTOMERS = "id,e-mail,First Name,phone,registered_at,newsletter\n1,a@x.org,Ada,+49 30 1234567,2024-01-02T08:00:00Z,yes\n"
ORDERS = "order_no;customer_id;order_date;total;status\nA-1;1;31.12.2024 10:15;12,5;paid\nA-2;1;01.01.2025 09:00;3,5;paid\n"


def draft(found: object, folder: Path, name: str = "shop") -> tuple[project.Plan, Source]:
    made = project.plan(found, name, "A shop", "EUR", "Europe/Berlin")  # type: ignore[arg-type]
    project.write(made, folder)
    return made, load_source(folder / "dags" / "sources" / f"{name}.yml")


def test_daily_files_without_a_key_become_lines_that_replace_their_file(feed: Path, tmp_path: Path) -> None:
    made, source = draft(files.look(feed), tmp_path / "p")
    assert list(source.tables) == ["order_lines"]
    table = source.tables["order_lines"]
    assert (table.files, table.replaces, table.key) == ("*.csv", "file", ())
    assert table.columns["invoice_date"].type == "timestamptz"
    assert table.columns["customer_id"].from_ == "CustomerID"
    assert {draft.contract for draft in made.drafts} == {"order_lines", "orders", "profiles", "products"}
    assert str(made.newest_day) == "2011-03-12"


def test_ids_that_were_exported_as_floats_are_mended_and_said(feed: Path, tmp_path: Path) -> None:
    draft(files.look(feed), tmp_path / "p")
    assert "ids written like 17850.0" in (tmp_path / "p/dags/sources/shop.yml").read_text()
    profiles = (tmp_path / "p/dbt_project/models/staging/shop/stg_shop__profiles.sql").read_text()
    assert "split_part(customer_id, '.', 1) as customer_key" in profiles


def test_several_tables_in_one_folder_are_told_apart(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "customers.csv").write_text(CUSTOMERS)
    (folder / "orders_2024.csv").write_text(ORDERS)
    (folder / "orders_2025.csv").write_text(ORDERS)
    made, source = draft(files.look(folder), tmp_path / "p")
    assert {item.table.name: item.kind for item in made.guesses} == {
        "customers": Kind.CUSTOMERS,
        "orders": Kind.ORDERS,
    }
    assert (source.tables["orders"].files, source.tables["orders"].delimiter) == ("orders*.csv", ";")
    assert source.tables["customers"].key == ("id",)
    drafts = {draft.contract: draft.sql for draft in made.drafts}
    assert (
        "to_timestamp(order_date, 'DD.MM.YYYY HH24:MI')::timestamp at time zone 'Europe/Berlin'"
        in drafts["orders"]
    )
    assert (
        "when lower(newsletter) in" in drafts["consents"]
        or "when newsletter then 'granted'" in drafts["consents"]
    )


def test_tables_of_other_matters_are_drafted_by_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "customers.csv").write_text(CUSTOMERS)
    (folder / "support_tickets.csv").write_text(
        "ticket_no,customer_id,type,subject,created_at,solved_on,csat\n"
        "T1,1,question,tea,2024-01-02T08:00:00Z,2024-01-03,5\nT2,1,complaint,cup,2024-01-05T08:00:00Z,2024-01-06,2\n"
    )
    (folder / "coupons.csv").write_text(
        "code,campaign_id,type,value,offered_on\nC1,7,coupon,2.5,2024-01-01\n"
    )
    (folder / "visits.csv").write_text("colour,shape\nred,round\nred,square\n")  # nothing of a visit
    made, source = draft(files.look(folder), tmp_path / "p")
    assert source.phone_region is None
    declared = (tmp_path / "p/dags/sources/shop.yml").read_text()
    assert "\n# phone_region: US " in declared
    assert "# looks like tickets; 2 rows" in declared
    drafts = {draft.contract: draft for draft in made.drafts}
    assert set(drafts) == {"profiles", "consents", "tickets", "offers"}
    for line in (
        "ticket_no as source_key",
        "customer_id::text as customer_key",
        "type as kind",
        "subject as topic",
        "created_at as opened_at",
        "solved_on::timestamp at time zone 'Europe/Berlin' as solved_at",
        "csat as satisfaction",
    ):
        assert f"    {line}" in drafts["tickets"].sql, line
    assert "not found, so left out: first_answer_at" in drafts["tickets"].checks
    assert "`opened_at` is `created_at`, since no better time was found" in drafts["tickets"].checks
    assert "    'EUR' as currency" in drafts["offers"].sql
    assert "    campaign_id::text as campaign_key" in drafts["offers"].sql


def test_a_database_is_read_by_its_keys_and_its_change_times(
    databases: Callable[..., object], tmp_path: Path
) -> None:
    url = databases.create(template=None)  # type: ignore[attr-defined]
    with psycopg.connect(url) as connection:
        connection.execute(
            "create table customer (id bigint primary key, email text, updated_at timestamptz not null)"
        )
        connection.execute(
            "create table orders (order_id int primary key, customer_id bigint, order_date date, total numeric(10,2))"
        )
        connection.execute("create table log (said text)")
    made, source = draft(database.look(url, "public"), tmp_path / "p")
    assert source.kind == "sql"
    assert source.tables["customer"].cursor == "updated_at"
    assert source.tables["orders"].whole
    assert source.tables["orders"].columns["total"].type == "numeric(10,2)"
    assert "log: no primary key" in (tmp_path / "p/dags/sources/shop.yml").read_text()
    assert {draft.contract for draft in made.drafts} == {"profiles", "orders", "order_lines"}
    databases.drop(url)  # type: ignore[attr-defined]


def test_a_tables_own_id_and_its_own_lines_win_over_what_sounds_like_them(
    databases: Callable[..., object], tmp_path: Path
) -> None:
    url = databases.create(template=None)  # type: ignore[attr-defined]
    with psycopg.connect(url) as connection:
        connection.execute(
            """
            create table orders (id uuid primary key, "order" text, customer_id int, total numeric, created_at timestamptz);
            create table order_items (order_id uuid, line_no int, product_id int, quantity int, unit_price numeric,
                primary key (order_id, line_no))
            """
        )
    made, source = draft(database.look(url, "public"), tmp_path / "p")
    drafts = {draft.contract: draft.sql for draft in made.drafts}
    assert "staged('shop', 'orders', by=\"id\")" in drafts["orders"]
    assert "raw('shop', 'order_items'" in drafts["order_lines"]
    assert source.tables["orders"].columns["order_"].from_ == "order"
    databases.drop(url)  # type: ignore[attr-defined]


def test_the_address_of_a_database_is_written_nowhere(
    databases: Callable[..., object], tmp_path: Path
) -> None:
    url = databases.create(template=None)  # type: ignore[attr-defined]
    with psycopg.connect(url) as connection:
        connection.execute("create table customers (id bigint primary key, email text)")
    draft(database.look(url, "public"), tmp_path / "p")
    password = psycopg.conninfo.conninfo_to_dict(url)["password"]
    assert not [
        path for path in (tmp_path / "p").rglob("*") if path.is_file() and str(password) in path.read_text()
    ]
    databases.drop(url)  # type: ignore[attr-defined]


def test_init_never_overwrites(feed: Path, tmp_path: Path) -> None:
    draft(files.look(feed), tmp_path / "p")
    (tmp_path / "p/lifehouse.yml").write_text("mine")
    with pytest.raises(ConfigError, match="never overwrites"):
        draft(files.look(feed), tmp_path / "p")
    assert (tmp_path / "p/lifehouse.yml").read_text() == "mine"


def test_the_command_says_what_it_guessed_and_what_comes_next(feed: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        build(),
        [
            "init",
            str(tmp_path / "p"),
            "--files",
            str(feed),
            "--currency",
            "gbp",
            "--time-zone",
            "Europe/London",
        ],
    )
    assert done.exit_code == 0, done.output
    assert "looks like lines of orders" in done.output
    assert "lifehouse run --as-of 2011-03-13" in done.output
    assert yaml.safe_load((tmp_path / "p/lifehouse.yml").read_text())["reporting_currency"] == "GBP"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "name either a folder of CSV files"),
        (["--files", "{feed}"], "--currency is needed"),
        (["--files", "{feed}", "--currency", "pounds"], "ISO 4217"),
        (["--files", "{feed}", "--currency", "GBP", "--time-zone", "London"], "Europe/Berlin"),
        (["--files", "{feed}", "--currency", "GBP", "--name", "My Shop"], "lowercase"),
        (["--files", "/nowhere", "--currency", "GBP"], "no files named"),
        (["--database", "${NOT_SET_ANYWHERE}", "--currency", "GBP"], "NOT_SET_ANYWHERE is not set"),
        (["--database", "postgresql://u:secret@127.0.0.1:1/x", "--currency", "GBP"], "cannot be read"),
    ],
)
def test_a_wrong_call_is_told_in_words(feed: Path, tmp_path: Path, flags: list[str], said: str) -> None:
    arguments = [
        "init",
        str(tmp_path / "p"),
        *(flag.format(feed=feed) for flag in flags if "NOT_SET" not in flag),
    ]
    if any("NOT_SET" in flag for flag in flags):
        arguments = ["init", str(tmp_path / "p"), *flags]
    done = CliRunner().invoke(build(), arguments)
    assert isinstance(done.exception, ConfigError | SourceError)
    assert said in str(done.exception)
    assert "secret" not in str(done.exception)
    assert not (tmp_path / "p").exists()


def test_a_file_without_a_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("1,2024-01-01,3\n2,2024-01-02,4\n")
    with pytest.raises(SourceError, match="not like a header"):
        files.look(tmp_path)


@pytest.mark.parametrize(
    ("values", "fit"),
    [
        (["1", "-20"], "bigint"),
        (["007", "12"], "text"),
        (["1.5", "2"], "numeric"),
        (["17850.0", "12.0"], "text"),
        (["yes", "No"], "boolean"),
        (["2024-01-01"], "date"),
        (["2024-01-01 10:00", "2024-01-02T10:00:01.5"], "timestamp"),
        (["2024-01-01T10:00:00Z", "2024-01-01 10:00:00+02:00"], "timestamptz"),
        (["31/12/2024"], "text"),
        ([], "text"),
    ],
)
def test_a_column_has_the_narrowest_type_that_holds_every_value(values: list[str], fit: str) -> None:
    assert column_types.of(values).name == fit


def test_a_date_that_could_be_read_two_ways_takes_the_way_that_fits_all() -> None:
    assert column_types.of(["01/02/2024", "13/02/2024"]).date_format == "DD/MM/YYYY"
    assert column_types.of(["01/02/2024", "02/13/2024"]).date_format == "MM/DD/YYYY"
    assert column_types.of(["20240131", "20241231"]).date_format == "YYYYMMDD"


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("InvoiceNo", "invoice_no"),
        ("Customer ID", "customer_id"),
        ("e-mail", "e_mail"),
        ("2nd price", "n_2_nd_price"),
        ("SKU", "sku"),
        ("order", "order_"),
    ],
)
def test_headers_become_snake_case(header: str, name: str) -> None:
    assert snake(header) == name


def test_an_updated_at_is_the_cursor_and_a_date_is_not(feed: Path) -> None:
    table = files.look(feed).tables[0]
    assert roles.cursor(table) == ""
