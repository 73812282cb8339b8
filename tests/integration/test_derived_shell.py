"""Derived products from a shell: affiliates, listing, a scheme of market prices, the split."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner

from ledger.cli.main import app
from tests.integration.derived_story import (
    derivation,
    earn,
    join_developer,
    license_to,
    source,
)
from tests.integration.market_fixture import NANJING, open_shell, opened_market

pytestmark = pytest.mark.integration


def test_shell__derived_product__from_listing_to_an_explained_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_market(tmp_path) as small:
        open_shell(small, monkeypatch)

        def mdl(*words: object, status: int = 0) -> Any:
            result = CliRunner().invoke(app, [*(str(word) for word in words), "--json"])
            assert result.exit_code == status, result.output
            return json.loads(result.stdout)

        join_developer(small, "first", 900)
        pair = (small.id_of("first"), small.id_of("operator"))
        mdl("org", "affiliate", *pair, "--as", "first")
        licence_no = license_to(small, small.product_id, "operator", "first", 100_000)
        body = derivation(small, [source(licence_no, small.datasets["weather"], 100_000)], 0)
        file = tmp_path / "derived.json"
        file.write_text(json.dumps(body), "utf-8")
        refused = mdl("product", "derive", file, "--as", "first", status=1)
        assert refused["error"]["code"] == "revenue.operator_resells"
        mdl("org", "affiliate", *pair, "--end", "股权转让", "--as", "nanjing")
        listed = mdl("product", "derive", file, "--as", "first")["result"]
        assert [item["share_ppm"] for item in listed["shares"]] == [100_000]
        year = time.gmtime(time.time() + 8 * 3600).tm_year
        opened = mdl("scheme", "market", NANJING, year, "--as", "first")["result"]
        bands = [{"up_to_units": None, "price_micro_yuan": 1_000_000}]
        tariff = {"product_id": body["product_id"], "basis": "data_records", "bands": bands}
        small.run("first", "publish-tariff", tariff)
        ids = (listed["product_id"], opened["scheme_id"])
        invoice_id = earn(small, "first", UUID(ids[0]), UUID(ids[1]), 106)
        assert len(mdl("split", "run", opened["scheme_id"], "--as", "first")) == 1
        line = mdl("explain", f"{invoice_id}/6/0")
        assert (line["tier"], line["amount_micro_fen"]) == ("outcome", str(10_000 * 100_000))
