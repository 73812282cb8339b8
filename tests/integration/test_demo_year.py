"""The year of the demonstration, run once: it balances three ways, and its turns happened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api.main import create_app
from ledger.app.extent import market_extent
from ledger.app.market import Market
from ledger.app.payments import open_items
from ledger.app.settings import Settings
from ledger.cli.main import app
from ledger.domain.codes import SchemeState
from ledger.projection import queries
from ledger.report.accounts import account_statement

pytestmark = [pytest.mark.integration, pytest.mark.long]


@dataclass
class Year:
    """What the command told, and its market opened again."""

    told: dict[str, Any]
    market: Market


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    home = tmp_path_factory.mktemp("year") / "home"
    result = CliRunner().invoke(app, ["demo", "--year", "--home", str(home), "--json"])
    assert result.exit_code == 0, result.output
    settings = Settings(home=home, rpc_url="", database_url="")
    with Market.open(settings) as market:
        yield Year(json.loads(result.stdout), market)


def test_year__reconciled__no_figure_differs_anywhere(year: Year) -> None:
    assert year.told["findings"] == []
    assert year.told["reconciliation"]["ok"]
    cycles = year.told["reconciliation"]["cycles"]
    assert len(cycles) == 4
    for cycle in cycles:
        figures = {figure["name"]: int(figure["sql"]) for figure in cycle["figures"]}
        assert {figure["difference"] for figure in cycle["figures"]} == {"0"}
        parts = ("tax", "entitled", "reserve", "carry_out")
        shared = sum(figures[f"{part}_micro_fen"] for part in parts)
        assert shared == figures["income_micro_fen"]


def test_year__of_sixty_providers__in_two_provinces(year: Year) -> None:
    assert year.told["counts"]["providers"] == 60
    cities = {cycle["city_code"] // 10_000 for cycle in year.told["reconciliation"]["cycles"]}
    assert cities == {32, 34}


def test_year__sixty_providers_of_fifty_nine__said_on_the_page(year: Year) -> None:
    extent = market_extent(year.market)
    assert (extent["provider_count"], extent["level_stated_count"]) == (60, 59)
    assert (extent["theme_count"], extent["province_count"]) == (23, 2)
    with TestClient(create_app(year.market)) as client:
        for language, words in (("zh", "各层级之和为 59 家"), ("en", "the levels sum to 59")):
            assert words in client.get(f"/?lang={language}").text


def test_year__closed__answered_carried_out_and_poured(year: Year) -> None:
    with year.market.read() as connection:
        schemes = queries.schemes_list(connection)
        states = sorted(scheme.state for scheme in schemes)
        cycles = [queries.cycle(connection, scheme.cycle_id) for scheme in schemes]
    open_ones = [SchemeState.OPEN, SchemeState.ANSWERED, SchemeState.ANSWERED]
    assert states == [*open_ones, SchemeState.CYCLE_CLOSED]
    carried = [cycle for cycle in cycles if cycle.carry_out_micro_fen]
    poured = [cycle for cycle in cycles if cycle.previous_id is not None]
    assert [cycle.instalment_count for cycle in carried] == [2]
    assert [cycle.is_poured for cycle in poured] == [True]


def test_year__refunds__are_set_off_and_nobody_owes_at_the_end(year: Year) -> None:
    with year.market.read() as connection:
        batches = queries.remittances_list(connection)
        owing = queries.debtors(connection)
        members = queries.organisations_list(connection)
        accounts = [account_statement(connection, row.organisation_id) for row in members]
    assert sum(batch.set_off_fen for batch in batches) > 0
    assert sum(owing.values()) == 0
    assert sum(account["set_off_fen"] for account in accounts) > 0
    assert {account["receivable_fen"] for account in accounts} == {0}
    paid = sum(account["received_fen"] for account in accounts)
    assert paid == sum(batch.amount_fen for batch in batches)


def test_year__bank_lines__two_wait_for_people(year: Year) -> None:
    codes = sorted(item.code for item in open_items(year.market))
    assert codes == ["payment.overpaid", "payment.reference_unknown"]


def test_demo__unknown_scale__is_refused(tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    result = CliRunner().invoke(app, ["demo", "--year", "--home", home, "--scale", "huge"])
    assert result.exit_code == 1
    assert "huge" in result.output
