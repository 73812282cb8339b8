"""Trials at their edges: refusals, screens and answers, in the shell and over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api.intake import Intake
from api.problems import install
from api.routes import simulations
from ledger.app.simulations import read_trial
from ledger.cli.charts import BAR_CELLS, Bar, stacked
from ledger.cli.main import app
from ledger.domain.units import INCOME_FEN_MAX
from tests.unit.trial_bodies import changed, scheme_body, tariff_body

pytestmark = pytest.mark.unit

HUGE = "9" * 5_000
BAD_SCHEMES = [
    ("scheme.costs_fen.D1", -1, "scheme.costs_fen.D1"),
    ("scheme.costs_fen.D1", INCOME_FEN_MAX + 1, "scheme.costs_fen.D1"),
    ("scheme.costs_fen.D1", 1.0, "scheme.costs_fen.D1"),
    ("scheme.costs_fen.D1", True, "scheme.costs_fen.D1"),
    ("scheme.costs_fen.D1", "1", "scheme.costs_fen.D1"),
    ("scheme.costs_fen.D1", HUGE, "scheme.costs_fen.D1"),
    ("scheme.costs_fen.D1", None, "scheme.costs_fen.D1"),
    ("scheme.costs_fen.D1", ..., "incomes.0.weights_ppm"),
    ("scheme.costs_fen.O", ..., "scheme.operator"),
    ("scheme.costs_fen.P", ..., "scheme.platform"),
    ("scheme.costs_fen", ..., "scheme.costs_fen"),
    ("scheme.costs_fen", [], "scheme.costs_fen"),
    ("scheme.costs_fen.D1", INCOME_FEN_MAX, "scheme.costs_fen"),
    ("scheme.costs_fen.governance", 1, "scheme.costs_fen.governance.[key]"),
    ("scheme.spread_ppm", 60_001, "scheme.spread_ppm"),
    ("scheme.spread_ppm", -1, "scheme.spread_ppm"),
    ("scheme.bond_ppm", 1_000_001, "scheme.bond_ppm"),
    ("scheme.tax_fen", 0.5, "scheme.tax_fen"),
    ("scheme.vat_ppm", ..., "scheme.vat_ppm"),
    ("scheme.profit_ppm.providers", 399_999, "scheme.profit_ppm"),
    ("scheme.profit_ppm.buyer", 0, "scheme.profit_ppm.buyer"),
    ("scheme.carry_in_fen", -1, "scheme.carry_in_fen"),
    ("scheme.operator", 7, "scheme.operator"),
    ("scheme.colour", "red", "scheme.colour"),
    ("scheme", [1], "scheme"),
    ("scheme", ..., "scheme"),
    ("incomes", {}, "incomes"),
    ("incomes.0.gross_fen", INCOME_FEN_MAX + 1, "incomes.0.gross_fen"),
    ("incomes.0.gross_fen", -1, "incomes.0.gross_fen"),
    ("incomes.0.gross_fen", ..., "incomes.0.gross_fen"),
    ("incomes.0.weights_ppm.D1", 240_001, "incomes.0.weights_ppm"),
    ("incomes.0.weights_ppm", {"X": 1_000_000}, "incomes.0.weights_ppm"),
    ("incomes.0.weights_ppm", {}, "incomes.0.weights_ppm"),
    ("incomes.0.weights_ppm.D1", -1, "incomes.0.weights_ppm.D1"),
    ("incomes.1.quality.D1", 101, "incomes.1.quality.D1"),
    ("incomes.1.quality.X", 1, "incomes.1.quality"),
    ("incomes.2.pool", ["D1", "X"], "incomes.2.pool"),
    ("incomes.2.pool", "D1", "incomes.2.pool"),
    ("incomes.3.refund", 1, "incomes.3.refund"),
    ("incomes.3.refund", True, "incomes.3.refund"),
    ("close", "month", "close"),
    ("carry_over_cycles", 4, "carry_over_cycles"),
    ("carry_over_cycles", 0, "carry_over_cycles"),
    ("colour", "red", "colour"),
]
BAD_TARIFFS = [
    ("bands.0.price_micro_yuan", -1, "bands.0.price_micro_yuan"),
    ("bands.0.price_micro_yuan", 0.5, "bands.0.price_micro_yuan"),
    ("bands.1.up_to", 10_000, "bands[1].up_to_units"),
    ("bands.3.up_to", 20_000_000, "bands[3].up_to_units"),
    ("bands", [], "bands"),
    ("discount_ppm", 1_000_001, "discount_ppm"),
    ("units", -1, "units"),
    ("units", ..., "units"),
    ("already_used", 2**64 - 1, "units"),
    ("purpose", "fun", "purpose"),
    ("colour", "red", "colour"),
]


@pytest.fixture(scope="module")
def client() -> TestClient:
    served = FastAPI()
    install(served)
    served.add_middleware(Intake, own_reading=(simulations.PATH,))
    served.include_router(simulations.router)
    return TestClient(served, raise_server_exceptions=False)


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("MDL_HOME", "/nowhere/at/all")
    monkeypatch.setenv("MDL_PORT", "no number")
    monkeypatch.setenv("COLUMNS", "80")
    return CliRunner()


def _run(runner: CliRunner, words: list[str], body: Any, *options: str) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    return runner.invoke(app, [*words, "-", *options], input=text)


@pytest.mark.parametrize(("path", "value", "field"), BAD_SCHEMES)
def test_shell__bad_scheme__names_the_field(
    runner: CliRunner, path: str, value: Any, field: str
) -> None:
    text = json.dumps(changed(scheme_body(), path, value)).replace(f'"{HUGE}"', HUGE)
    result = _run(runner, ["scheme", "simulate"], text, "--json")
    error = json.loads(result.stdout)["error"]
    assert (result.exit_code, error["field"]) == (1, field)
    assert _run(runner, ["scheme", "simulate"], text).exit_code == 1


@pytest.mark.parametrize(("path", "value", "field"), BAD_SCHEMES)
def test_http__bad_scheme__is_422_and_names_the_field(
    client: TestClient, path: str, value: Any, field: str
) -> None:
    text = json.dumps(changed(scheme_body(), path, value)).replace(f'"{HUGE}"', HUGE)
    headers = {"Content-Type": "application/json"}
    answer = client.post("/v1/simulations", content=text, headers=headers)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("path", "value", "field"), BAD_TARIFFS)
def test_tariff__bad_body__names_the_field_in_the_shell_and_over_http(
    runner: CliRunner, client: TestClient, path: str, value: Any, field: str
) -> None:
    body = changed(tariff_body(), path, value)
    result = _run(runner, ["tariff", "price"], body, "--json")
    assert (result.exit_code, json.loads(result.stdout)["error"]["field"]) == (1, field)
    answer = client.post("/v1/simulations", json=body)
    assert answer.status_code == 422
    assert path.startswith("bands") is (answer.json()["field"].startswith("bands"))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[" * 100_000, "null", "1", '"text"', "[]", '{"scheme":1,"scheme":2}', "NaN"],
    ids=["empty", "cut", "deep", "null", "number", "text", "list", "twice", "nan"],
)
def test_trial__no_object_of_members__is_refused_without_a_trace(
    runner: CliRunner, client: TestClient, text: str
) -> None:
    result = _run(runner, ["scheme", "simulate"], text, "--json")
    assert (result.exit_code, json.loads(result.stdout)["error"]["field"]) == (1, "body")
    answer = client.post("/v1/simulations", content=text)
    assert (answer.status_code, answer.json()["field"]) == (422, "body")


@pytest.mark.parametrize("name", ['"\\ud800"', '"x\\u0000\\u001b[31m"'], ids=["half", "control"])
def test_shell__hostile_id__is_one_json_document(runner: CliRunner, name: str) -> None:
    text = json.dumps(scheme_body()).replace('"D1"', name)
    result = _run(runner, ["scheme", "simulate"], text, "--json")
    assert isinstance(json.loads(result.stdout), dict)
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_shell__file_that_is_not_there__is_an_answer(runner: CliRunner, tmp_path: Path) -> None:
    result = runner.invoke(app, ["scheme", "simulate", str(tmp_path / "none.json"), "--json"])
    assert (result.exit_code, json.loads(result.stdout)["error"]["field"]) == (1, "file")


def test_shell__json__equals_the_answer_over_http(runner: CliRunner, client: TestClient) -> None:
    for words, body in (
        (["scheme", "simulate"], scheme_body()),
        (["tariff", "price"], tariff_body()),
    ):
        printed = json.loads(_run(runner, words, body, "--json").stdout)
        assert printed == client.post("/v1/simulations", json=body).json()


def test_screen__scheme__shows_bars_tiers_and_claimants_in_80_columns(runner: CliRunner) -> None:
    text = _run(runner, ["scheme", "simulate"], scheme_body()).stdout
    for wanted in ("5,423,500.00", "▓▓▓", "超收待扣减", "1,299,465.24", "8.80 %", "238,721.69"):
        assert wanted in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_screen__tariff__shows_bands_and_charge_in_80_columns(runner: CliRunner) -> None:
    text = _run(runner, ["tariff", "price"], tariff_body()).stdout
    for wanted in ("34,391.34", "4,691.340000", "10,001–1,000,000"):
        assert wanted in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_chart__parts_of_any_size__fill_the_bar_exactly() -> None:
    rows = stacked(["a", "b", "c"], [Bar("x", [1, 1, 1]), Bar("y", [0, 10**30, 7])]).plain
    lines = rows.splitlines()
    assert [len(lines[1]), len(lines[3])] == [BAR_CELLS, BAR_CELLS]
    assert stacked(["a"], [Bar("x", [0])]).plain.splitlines()[1] == "—"


def test_openapi__simulations__describes_both_bodies(client: TestClient) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/v1/simulations"]["post"]
    text = json.dumps(operation)
    assert "costs_fen" in text
    assert "already_used" in text
    assert "$ref" not in json.dumps(operation["requestBody"])


def test_reading__number_of_many_digits__stays_text() -> None:
    assert read_trial(f'{{"a": {HUGE}, "b": 7}}') == {"a": HUGE, "b": 7}
