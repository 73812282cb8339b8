"""The demonstration, run once: its figures, its refusals, what it prints and what it leaves."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner

from ledger.app.market import Market
from ledger.app.settings import Settings
from ledger.app.splits import split_lines
from ledger.app.verifying import verify_market
from ledger.cli.demo.command import run_demo
from ledger.cli.demo.stage import Stage
from ledger.cli.main import app
from ledger.cli.shell import out
from ledger.projection import queries

pytestmark = pytest.mark.integration

V1_TAX, V2_TAX = 72_000_000_000, 679_233_600
V1 = {
    "weather": 2_382_720_000_000,
    "airports": 595_680_000_000,
    "employment": 992_800_000_000,
    "operator": 4_765_440_000_000,
    "platform": 1_191_360_000_000,
}
V2 = {
    "weather": 22_478_103_936,
    "airports": 5_619_525_984,
    "employment": 9_365_876_640,
    "operator": 44_956_207_872,
    "platform": 11_239_051_968,
}
REFUSALS = [
    "dataset_registry.content_exists",
    "dataset_registry.not_open",
    "revenue.price_above_cap",
    "use.quota_exceeded",
    "use.mode_not_granted",
    "use.purpose_not_granted",
    "use.expired",
    "use.licence_suspended",
]


@dataclass
class Told:
    """The finished demonstration: its stage, what it printed, its market opened again."""

    stage: Stage
    text: str
    market: Market

    @property
    def statement(self) -> dict[str, Any]:
        found: dict[str, Any] = self.stage.facts["statement"]
        return found

    def lines(self, invoice: dict[str, Any]) -> dict[str, int]:
        """Return an invoice's split by the keys of the story; tax and reserve by their names."""
        keys = {str(value): key for key, value in self.stage.organisations.items()}
        keys |= {str(value): key for key, value in self.stage.datasets.items()}
        found = split_lines(self.market, UUID(invoice["invoice_id"]))
        return {keys.get(key, key): amount for key, amount in found.items()}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    home = tmp_path_factory.mktemp("demo") / "home"
    with out.capture() as captured:
        stage = run_demo(home, keep_serving=False)
    with Market.open(Settings(home=home, rpc_url="", database_url="")) as market:
        yield Told(stage, captured.get(), market)


def _invoices(told: Told) -> list[dict[str, Any]]:
    with told.market.read() as connection:
        rows = queries.invoices_list(connection, licence_no=told.stage.licence_no).items
    ordered = sorted(rows, key=lambda row: row.release_no)
    return [{"invoice_id": str(row.invoice_id), "row": row} for row in ordered]


def test_demo__both_bills__are_the_vectors_to_the_fen(told: Told) -> None:
    bills = [(bill["row"].gross_fen, bill["row"].paid_fen) for bill in _invoices(told)]
    assert bills == [(10_600_000, 10_600_000), (99_999, 99_999)]


def test_demo__both_splits__are_the_vectors_to_the_micro_fen(told: Told) -> None:
    first, second = (told.lines(bill) for bill in _invoices(told))
    assert first == V1 | {"tax": V1_TAX, "reserve": 0}
    assert second == V2 | {"tax": V2_TAX, "reserve": 0}


def test_demo__every_refusal__came_with_its_code(told: Told) -> None:
    assert told.stage.facts["refusals"] == REFUSALS
    for code in REFUSALS:
        assert code in told.text


def test_demo__refused_uses__have_receipts_in_the_log(told: Told) -> None:
    with told.market.read() as connection:
        log = queries.log(connection, 1)
    # 46 pages of 21,000 rows, one of 271, one free; five refusals.
    assert log.size == 46 + 1 + 1 + 5
    assert told.stage.facts["anchors"] >= 3


def test_demo__public_interest_use__is_metered_and_billed_zero(told: Told) -> None:
    licence_no = told.stage.free_licence_no
    use = next(row for row in told.statement["uses"] if row["licence_no"] == licence_no)
    assert (use["units"], use["gross_fen"], use["invoice_count"]) == (400, 0, 1)


def test_demo__bank_line_without_an_invoice__is_left_for_people(told: Told) -> None:
    findings = told.stage.facts["bank_findings"]
    assert [finding.code for finding in findings] == ["payment.reference_unknown"]


def test_demo__remittances__pay_administrative_bodies_through_their_treasury(told: Told) -> None:
    organisations = told.stage.organisations
    paid = {UUID(item["payee_id"]): item["amount_fen"] for item in told.stage.facts["batches"]}
    assert paid == {
        organisations["nanjing-treasury"]: (V1["weather"] + V2["weather"]) // 10**6,
        organisations["chuzhou-treasury"]: (V1["employment"] + V2["employment"]) // 10**6,
        organisations["transport"]: (V1["airports"] + V2["airports"]) // 10**6,
        organisations["operator"]: (V1["operator"] + V2["operator"]) // 10**6,
        organisations["platform"]: (V1["platform"] + V2["platform"]) // 10**6,
    }


def test_demo__remittance_files__say_what_the_batches_say(told: Told) -> None:
    for batch in told.stage.facts["batches"]:
        text = Path(batch["file"]).read_text("utf-8")
        yuan = [row["amount_yuan"] for row in csv.DictReader(text.splitlines())]
        assert sum(int(amount.replace(".", "")) for amount in yuan) == batch["amount_fen"]


def test_demo__one_batch__is_closed_by_a_receipt(told: Told) -> None:
    with told.market.read() as connection:
        closed = [row for row in queries.remittances_list(connection) if row.receipt_digest]
    assert [str(row.batch_id) for row in closed] == [told.stage.facts["batches"][0]["batch_id"]]


def test_demo__second_version__names_its_parent(told: Told) -> None:
    with told.market.read() as connection:
        detail = queries.dataset(connection, told.stage.datasets["prices"])
    assert [row.version_no for row in detail.versions] == [1, 2]
    assert [(row.version_no, row.parent_version_no) for row in detail.parents] == [(2, 1)]


def test_demo__reopened_market__is_verified_without_findings(told: Told) -> None:
    report = json.loads((told.market.home / "statement.json").read_text("utf-8"))
    found = verify_market(told.market, report=report)
    assert found.findings == []
    assert found.checked["receipts"] == 53


def test_demo__flipped_byte_and_changed_fen__are_both_found(told: Told) -> None:
    assert told.stage.facts["findings"] == 0
    log, report = told.stage.facts["altered"]
    assert log.startswith("verify.")
    assert report.startswith("verify.report_figure")


def test_demo__what_it_prints__has_nine_steps_and_no_secret(told: Told) -> None:
    headings = re.findall(r"^(\d) \w", told.text, re.MULTILINE)
    assert headings == [str(number) for number in range(1, 10)]
    assert "mdl_" not in told.text
    assert "虚构" in told.text


def test_demo__reading_commands__print_one_json_document_each(told: Told) -> None:
    dataset_id = str(told.stage.datasets["weather"])
    organisation_id = str(told.stage.organisations["operator"])
    answers = {}
    for words in (
        ["statement"],
        ["org", "list"],
        ["org", "show", organisation_id],
        ["dataset", "list"],
        ["dataset", "show", dataset_id],
        ["product", "list"],
        ["product", "show", str(told.stage.product_id)],
        ["licence", "list"],
        ["licence", "show", "1"],
        ["licence", "quote", str(told.stage.product_id), "21000"],
        ["scheme", "list"],
        ["scheme", "show", str(told.stage.scheme_id)],
        ["invoice", "show", _invoices(told)[0]["invoice_id"]],
        ["log", "show", "1"],
        ["key", "list"],
    ):
        result = CliRunner().invoke(app, [*words, "--home", str(told.market.home), "--json"])
        assert result.exit_code == 0, result.output
        answers[" ".join(words[:2])] = json.loads(result.stdout)
    assert answers["licence quote"]["charge_fen"] == 10_600_000
    assert answers["licence show"]["gross_fen"] == 10_699_999
    assert answers["dataset show"]["row_count"] == 1_461
    assert [step["to_state"] for step in answers["dataset show"]["registration"]][-1] == "coded"
    assert {int(line["amount_micro_fen"]) for line in answers["invoice show"]["split"]} == {
        V1_TAX,
        *V1.values(),
        0,
    }
    assert answers["log show"]["receipt_count"] == 53


def test_demo__another_folder__is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep", "utf-8")
    result = CliRunner().invoke(app, ["demo", "--home", str(tmp_path), "--no-serve"])
    assert result.exit_code == 1
    assert (tmp_path / "mine.txt").read_text("utf-8") == "keep"
