"""Use summed over a real market: for the shell, over HTTP, and for each reader its part."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api.main import create_app
from ledger.app import usage
from ledger.app.errors import UsageSumError
from ledger.app.keys import issue_api_key
from ledger.app.usage import UsageWanted, usage_found
from ledger.cli import log_usage
from ledger.cli.main import app
from ledger.domain.errors import MalformedValueError
from ledger.log.usage import UsageRow
from ledger.log.values import Use
from tests.integration.market_fixture import NANJING, SmallMarket, grant, opened_market

pytestmark = pytest.mark.integration
BIG = 2**62


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallMarket]:
    """Two licences of one product, used four times."""
    with opened_market(tmp_path_factory.mktemp("usage")) as market:
        other = grant(market)
        meter = market.market.meter(1)
        meter.append([_use(market.licence_no, 7), _use(market.licence_no, 0, status=1)])
        meter.append([_use(other, BIG), _use(other, BIG, mode=1)])
        yield market


@pytest.fixture(scope="module")
def client(small: SmallMarket) -> Iterator[TestClient]:
    with TestClient(create_app(small.market), raise_server_exceptions=False) as opened:
        yield opened


def _use(licence_no: int, units: int, **changes: Any) -> Use:
    use = Use(
        mode=2,
        purpose=3,
        meter_no=1,
        licence_no=licence_no,
        used_at_ms=1_795_000_000_000,
        version_no=1,
        status=0,
        units=units,
        records=1,
        request={"page": 1},
        response_digest=bytes(32),
    )
    return replace(use, **changes)


def _units(found: dict[str, Any], column: str) -> dict[Any, int]:
    return {row[column]: int(row["units"]) for row in found.get("rows", found.get("items"))}


def test_usage__by_each_dimension__rows_totals_and_names(small: SmallMarket) -> None:
    by = ("licence", "product", "buyer", "city", "month", "purpose", "mode")
    found = usage_found(small.market, UsageWanted(by))
    assert [row["units"] for row in found["rows"]] == [7, str(BIG), str(BIG)]
    assert found["rows"][0] == {
        "licence_no": small.licence_no,
        "product_id": str(small.product_id),
        "buyer_id": small.id_of("buyer"),
        "city_code": NANJING,
        "period_id": "2026-11",
        "purpose": "industry",
        "mode": "interface",
        "receipts": 2,
        "refusals": 1,
        "units": 7,
        "records": 2,
        "first_used_at_ms": 1_795_000_000_000,
        "last_used_at_ms": 1_795_000_000_000,
    }
    assert (found["totals"]["receipts"], found["totals"]["units"]) == (4, str(2 * BIG + 7))
    assert found["names"][str(small.product_id)]["en"] == "Sample product"
    assert found["names"][str(NANJING)] == {"zh": "南京市", "en": "Nanjing"}


def test_usage__by_dataset__each_of_the_lineage_has_the_products_use(small: SmallMarket) -> None:
    found = usage_found(small.market, UsageWanted(("dataset",)))
    datasets = {str(dataset_id) for dataset_id in small.datasets.values()}
    assert _units(found, "dataset_id") == dict.fromkeys(datasets, 2 * BIG + 7)
    assert found["totals"]["units"] == str(2 * BIG + 7)


def test_usage__month_and_licence__narrow(small: SmallMarket) -> None:
    def totals(**narrowed: Any) -> int:
        found = usage_found(small.market, UsageWanted(("month",), **narrowed))
        return int(found["totals"]["units"])

    assert totals(month_from="2026-11", month_to="2026-11") == 2 * BIG + 7
    assert (totals(month_from="2026-12"), totals(month_to="2026-10"), totals(log_no=2)) == (0, 0, 0)
    assert totals(licence_no=small.licence_no) == 7
    with pytest.raises(MalformedValueError):
        totals(month_from="2026-13")


def test_usage__row_lost__refused(small: SmallMarket, monkeypatch: pytest.MonkeyPatch) -> None:
    def losing(*parts: Any, **named: Any) -> list[UsageRow]:
        rows = summed(*parts, **named)
        return rows[1:] if named["by"] else rows

    summed = usage.sum_usage
    monkeypatch.setattr(usage, "sum_usage", losing)
    with pytest.raises(UsageSumError) as caught:
        usage_found(small.market, UsageWanted(("licence",)))
    assert (caught.value.field, caught.value.got) == ("receipts", 2)


def test_usage__over_http__each_reader_sees_its_part(
    client: TestClient, small: SmallMarket
) -> None:
    assert client.get("/v1/usage").status_code == 401
    seen = {}
    for member in (
        "regulator",
        "platform",
        "nanjing",
        "buyer",
        "operator",
        "weather",
        "chuzhou-treasury",
    ):
        key = {"X-Api-Key": issue_api_key(small.market, small.members[member].account)}
        answer = client.get("/v1/usage?by=dataset", headers=key)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "private, no-cache")
        seen[member] = (len(answer.json()["items"]), int(answer.json()["totals"]["receipts"]))
    assert seen == {
        "regulator": (3, 4),
        "platform": (3, 4),
        "nanjing": (3, 4),
        "buyer": (3, 4),
        "operator": (3, 4),
        "weather": (1, 4),
        "chuzhou-treasury": (0, 0),
    }


def test_usage__over_http__pages_and_problems(client: TestClient, small: SmallMarket) -> None:
    key = {"X-Api-Key": issue_api_key(small.market, small.members["buyer"].account)}
    page = client.get("/v1/usage?by=licence,mode&limit=2&offset=1", headers=key)
    assert (page.json()["total"], len(page.json()["items"])) == (3, 2)
    assert 'rel="prev"' in page.headers["Link"]
    narrowed = client.get(
        "/v1/usage", params={"by": "month", "from": "2026-11", "to": "2026-11"}, headers=key
    )
    assert _units(narrowed.json(), "period_id") == {"2026-11": 2 * BIG + 7}
    for query, code in (
        ("by=weekday", "domain.unknown_code"),
        ("from=2026-1", "domain.malformed_value"),
        ("limit=0", "api.invalid_request"),
    ):
        refused = client.get(f"/v1/usage?{query}", headers=key)
        assert (refused.status_code, refused.json()["code"]) == (422, code)


@pytest.fixture
def shell(small: SmallMarket, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A shell that finds the market open."""

    @contextmanager
    def opened(home: Path | None) -> Iterator[Any]:
        yield small.market

    monkeypatch.setattr(log_usage, "open_market", opened)
    monkeypatch.setattr(log_usage.out, "width", 240)
    return CliRunner()


def test_shell__usage_as_json_and_csv__same_figures(shell: CliRunner) -> None:
    words = ["log", "usage", "--by", "licence,mode"]
    document = json.loads(shell.invoke(app, [*words, "--json"]).stdout)
    table = list(csv.DictReader(io.StringIO(shell.invoke(app, [*words, "--csv"]).stdout)))
    assert [{key: str(value) for key, value in row.items()} for row in document["rows"]] == table
    assert len(table) == 3


def test_shell__usage_as_a_table__rows_bars_and_total(shell: CliRunner) -> None:
    result = shell.invoke(app, ["log", "usage", "--by", "city,mode", "--from", "2026-11"])
    assert result.exit_code == 0
    assert "南京市 Nanjing" in result.stdout
    assert f"{2 * BIG + 7:,}" in result.stdout
    assert "█" * log_usage.BAR_CELLS in result.stdout
    refused = shell.invoke(app, ["log", "usage", "--by", "weekday"])
    assert (refused.exit_code, refused.stdout) == (1, "")
