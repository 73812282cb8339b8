"""The edge of the money on a real chain: prices, statements, papers, files, explanations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sepaxml
import xmlschema
from fastapi.testclient import TestClient

from api.main import create_app
from ledger.app import billing, gateway, log_keeping, payments, settlement
from ledger.app.agreements import QuoteRequest
from ledger.app.explaining import explain
from ledger.app.invoice_papers import (
    check_invoice,
    invoice_document,
    invoice_figures,
    sign_invoice,
)
from ledger.app.keys import issue_api_key
from ledger.app.payees import payee_records, set_payee
from ledger.app.pricing import price_preview
from ledger.app.remittance_files import (
    batch_found,
    credit_transfer,
    keep_file,
    netting_found,
    treasury_rows,
)
from ledger.app.requests import parse_part
from ledger.domain.errors import LedgerError
from ledger.domain.ids import digest, new_id
from ledger.report.accounts import account_statement
from tests.integration.market_fixture import CHUZHOU, NANJING, SmallMarket, opened_market
from tests.unit.camt_files import detail, entry, message
from tests.unit.trial_bodies import scheme_body

pytestmark = pytest.mark.integration

SCHEMA = Path(sepaxml.__file__).parent / "schemas/pain.001.001.09.xsd"


@dataclass
class Settled:
    """A market with two invoices: the first paid over camt.053 and split, the second open."""

    small: SmallMarket
    invoice_id: UUID
    second_id: UUID
    reports: dict[str, payments.StatementReport] = field(default_factory=dict)
    batches: list[dict[str, Any]] = field(default_factory=list)

    def refusal(self, act: Callable[[], object]) -> LedgerError:
        with pytest.raises(LedgerError) as refused:
            act()
        return refused.value


def _use(small: SmallMarket, key: str, rows: int) -> None:
    while rows:
        page = gateway.use(
            small.market,
            api_key=key,
            product_id=small.product_id,
            dataset_id=small.datasets["weather"],
            cursor=0,
            limit=min(500, rows),
        )
        rows -= page.receipt.records


def _bill(small: SmallMarket) -> UUID:
    log_keeping.anchor(small.market, small.members["platform"].account, 1)
    operator = small.members["operator"].account
    done = billing.bill(small.market, operator, small.licence_no, small.scheme_id)
    assert done is not None
    return UUID(done.result["invoice_id"])


def _import(settled: Settled, name: str, *entries: str) -> None:
    account = settled.small.members["operator"].account
    found = payments.import_statement(settled.small.market, account, message(*entries))
    settled.reports[name] = found


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settled]:
    with opened_market(tmp_path_factory.mktemp("edge")) as small:
        key = issue_api_key(small.market, small.members["buyer"].account, small.licence_no)
        _use(small, key, 1_500)
        first = _bill(small)
        _use(small, key, 100)
        made = Settled(small, first, _bill(small))
        reference = billing.invoice_reference(first)
        # 500 units at 6.91 yuan are 3,455.00 yuan; the second bill is 691.00 yuan.
        _import(made, "part", entry("1000.00", detail(reference), bank_reference="B-1"))
        _import(
            made,
            "rest",
            entry("1000.00", detail(reference), bank_reference="B-1"),
            entry("2500.00", detail(f"{reference} 数据"), bank_reference="B-2"),
            entry("7.00", detail("房租"), bank_reference="B-3"),
            entry("8.00", detail(reference), bank_reference="B-4", currency="USD"),
        )
        small.run("buyer", "accept-invoice", {"invoice_id": str(first)})
        operator = small.members["operator"].account
        settlement.split_all(small.market, operator, small.scheme_id)
        made.batches = settlement.remit(small.market, operator, small.scheme_id)
        yield made


def _item(settled: Settled, bank_reference: str) -> Any:
    items = payments.open_items(settled.small.market)
    return next(item for item in items if item.bank_reference == bank_reference)


def _account(settled: Settled, member: str, **options: Any) -> dict[str, Any]:
    with settled.small.market.read() as connection:
        key = settled.small.members[member].organisation_id
        return account_statement(connection, key, **options)


def test_price__preview__counts_band_by_band_and_is_free_in_the_public_interest(
    settled: Settled,
) -> None:
    body = {"product_id": str(settled.small.product_id), "purpose": "industry", "units": 1_500}
    found = price_preview(settled.small.market, parse_part(QuoteRequest, body)).as_dict()
    assert [band["units"] for band in found["bands"]] == ["1000", "500", "0"]
    assert found["charge_fen"] == 345_500
    free = parse_part(QuoteRequest, body | {"purpose": "public_welfare"})
    assert price_preview(settled.small.market, free).as_dict()["charge_fen"] == 0


def test_payment__in_parts__is_recorded_until_the_invoice_is_paid(settled: Settled) -> None:
    amounts = {
        name: [done.result["amount_fen"] for done in report.matched]
        for name, report in settled.reports.items()
    }
    assert amounts == {"part": [100_000], "rest": [245_500]}
    assert settled.reports["rest"].already_recorded == 1


def test_payment__that_fits_no_invoice__waits_with_its_reason(settled: Settled) -> None:
    codes = [finding.code for finding in settled.reports["rest"].findings]
    assert codes == ["payment.overpaid", "payment.reference_unknown", "payment.currency"]
    items = {item.bank_reference: item for item in payments.open_items(settled.small.market)}
    assert {name: item.code for name, item in items.items()} == {
        "B-2": "payment.overpaid",
        "B-3": "payment.reference_unknown",
        "B-4": "payment.currency",
    }
    assert (items["B-2"].amount_fen, items["B-4"].currency) == (4_500, "USD")
    assert items["B-2"].excess_of is not None


def test_payment__imported_again__makes_no_second_item(settled: Settled) -> None:
    before = payments.open_items(settled.small.market)
    _import(
        settled,
        "again",
        entry(
            "2500.00",
            detail(f"{billing.invoice_reference(settled.invoice_id)} 数据"),
            bank_reference="B-2",
        ),
    )
    assert payments.open_items(settled.small.market) == before
    assert settled.reports["again"].already_recorded == 1


def test_payment__waiting_excess_assigned__pays_another_invoice_once(settled: Settled) -> None:
    market, operator = settled.small.market, settled.small.members["operator"].account
    item = _item(settled, "B-2")
    done = payments.assign_payment(market, operator, item.receipt_digest, settled.second_id)
    assert done.result["amount_fen"] == 4_500
    assert "B-2" not in {found.bank_reference for found in payments.open_items(market)}
    error = settled.refusal(
        lambda: payments.assign_payment(market, operator, item.receipt_digest, settled.second_id)
    )
    assert error.code == "revenue_ledger.receipt_used"


def test_payment__foreign_or_unknown__is_not_assigned(settled: Settled) -> None:
    market, operator = settled.small.market, settled.small.members["operator"].account
    foreign = _item(settled, "B-4").receipt_digest
    for key, code in ((foreign, "payment.currency"), (digest(bytes(32)), "payment.item_unknown")):
        error = settled.refusal(
            lambda key=key: payments.assign_payment(market, operator, key, settled.second_id)
        )
        assert error.code == code


def test_payment__to_a_paid_invoice__waits_whole(settled: Settled) -> None:
    reference = billing.invoice_reference(settled.invoice_id)
    _import(settled, "late", entry("5.00", detail(reference), bank_reference="B-5"))
    assert [finding.code for finding in settled.reports["late"].findings] == ["payment.overpaid"]
    item = _item(settled, "B-5")
    payments.dismiss_payment(settled.small.market, item.receipt_digest, "已退回")
    _import(settled, "dismissed", entry("5.00", detail(reference), bank_reference="B-5"))
    assert settled.reports["dismissed"].findings == []
    everything = payments.open_items(settled.small.market, is_all=True)
    assert {found.dismissed_reason for found in everything} >= {"已退回"}


def test_invoice__figures__lead_from_receipts_to_the_charge(settled: Settled) -> None:
    first = invoice_figures(settled.small.market, settled.invoice_id)
    second = invoice_figures(settled.small.market, settled.second_id)
    assert (first["units"], first["gross_fen"]) == ("1500", 345_500)
    assert (second["price"]["already_used_units"], second["gross_fen"]) == ("1500", 69_100)
    assert first["receipts"]["after_index"] is None
    assert second["receipts"]["after_index"] == first["receipts"]["through_index"]
    assert first["net_fen"] + first["vat_fen"] == first["gross_fen"]


def test_invoice__signed_by_its_issuer__is_checked_and_kept(settled: Settled) -> None:
    market = settled.small.market
    figures = invoice_figures(market, settled.invoice_id)
    assert invoice_document(market, figures)["signature"] is None
    signed = sign_invoice(market, settled.small.members["operator"].account, figures)
    assert check_invoice(market, json.loads(json.dumps(signed))) == signed["signature"]["signer"]
    assert invoice_document(market, figures) == signed
    buyer = settled.small.members["buyer"].account
    error = settled.refusal(lambda: sign_invoice(market, buyer, figures))
    assert error.code == "invoice.not_issuer"


@pytest.mark.parametrize("name", ["gross_fen", "units", "buyer"])
def test_invoice__figure_changed_after_signing__is_noticed(settled: Settled, name: str) -> None:
    market = settled.small.market
    figures = invoice_figures(market, settled.second_id)
    signed = sign_invoice(market, settled.small.members["operator"].account, figures)
    value = 1 if name == "gross_fen" else figures["issuer"] if name == "buyer" else "1"
    forged = signed | {"invoice": figures | {name: value}}
    assert settled.refusal(lambda: check_invoice(market, forged)).field == "signature"


def test_remittance__to_a_bank__is_a_valid_transfer_with_the_same_bytes(settled: Settled) -> None:
    market, small = settled.small.market, settled.small
    batch = _batch(settled, "transport")
    error = settled.refusal(lambda: credit_transfer(market, batch))
    assert error.code == "remittance.payee_record_missing"
    for number, member in enumerate(("transport", "operator")):
        set_payee(market, _record(small.id_of(member), number))
    content = credit_transfer(market, batch)
    xmlschema.XMLSchema(SCHEMA).validate(content.decode())
    path = keep_file(market, batch, content)
    assert keep_file(market, batch, credit_transfer(market, batch)) == path
    assert settled.refusal(lambda: keep_file(market, batch, b"x")).code == "remittance.file_differs"
    assert path.stat().st_mode & 0o777 == 0o600


def test_remittance__to_a_treasury__names_item_city_and_earner(settled: Settled) -> None:
    market, small = settled.small.market, settled.small
    batch = _batch(settled, "nanjing-treasury")
    key = small.id_of("nanjing-treasury")
    set_payee(market, _record(key, 7))
    error = settled.refusal(lambda: treasury_rows(market, batch))
    assert (error.code, error.field) == ("remittance.payee_record_missing", "item_code")
    set_payee(market, _record(key, 7) | {"item_code": "103070101"})
    rows = treasury_rows(market, batch)
    assert [(row["city_code"], row["item_code"], row["earner"]) for row in rows] == [
        (NANJING, "103070101", "虚构weather")
    ]
    total = sum(round(float(row["amount_yuan"]) * 100) for row in rows)
    assert total == batch.row.amount_fen
    assert [str(record.organisation_id) for record in payee_records(market)].count(key) == 1


def test_netting__by_pair_of_cities__sums_all_batches(settled: Settled) -> None:
    found = netting_found(settled.small.market)
    pairs = {(row["city_code"], row["other_city_code"]): row for row in found}
    assert set(pairs) == {(NANJING, NANJING), (NANJING, CHUZHOU)}
    assert sum(row["to_other_fen"] for row in found) == sum(
        batch["amount_fen"] for batch in settled.batches
    )
    assert pairs[NANJING, CHUZHOU]["net_payee_city"] == CHUZHOU
    assert netting_found(settled.small.market, 200_001) == []


def test_account__of_every_party__balances_and_names_lines_that_explain(settled: Settled) -> None:
    for member in ("weather", "operator", "platform", "nanjing-treasury"):
        found = _account(settled, member)
        credited = int(found["credited_micro_fen"])
        rest = int(found["carried_micro_fen"])
        paid = found["remitted_fen"] + found["payable_fen"]
        assert credited == paid * 1_000_000 + rest > 0
        kinds = {explain(settled.small.market, row["line"])[0]["kind"] for row in found["entries"]}
        assert kinds == {"line", "remittance"}


def test_account__before_the_first_day__is_empty(settled: Settled) -> None:
    found = _account(settled, "operator", until=0)
    assert (found["entries"], found["credited_micro_fen"]) == ([], "0")


def test_account__of_a_treasury__holds_what_its_bodies_earned(settled: Settled) -> None:
    treasury, provider = _account(settled, "nanjing-treasury"), _account(settled, "weather")
    assert treasury["credited_micro_fen"] == provider["credited_micro_fen"]
    assert {row["for"] for row in treasury["entries"]} == {"paid_here"}


def test_explain__line__leads_from_receipts_to_the_recorded_amount(settled: Settled) -> None:
    line = _account(settled, "weather")["entries"][0]["line"]
    found, parties = explain(settled.small.market, line)
    text = "\n".join(part for step in found["steps"] for part in step["arithmetic"])
    assert found["tier"] == "lineage_cost"
    assert "500 · 6910000 = 3455000000 micro-yuan" in text
    assert f"recorded {found['amount_micro_fen']} µfen" in text
    share = next(part for part in text.splitlines() if part.startswith("X′ · w / W′ = "))
    assert abs(int(share.split()[6]) - int(found["amount_micro_fen"])) <= 1
    assert any("发改价格〔2025〕65号" in step["rule"] for step in found["steps"])
    assert settled.small.members["weather"].organisation_id in parties


def test_explain__batch__comes_to_its_amount(settled: Settled) -> None:
    batch = settled.batches[0]
    found, parties = explain(settled.small.market, batch["batch_id"])
    assert found["amount_fen"] == batch["amount_fen"]
    assert UUID(batch["payee_id"]) in parties
    assert f"paid {batch['amount_fen']} fen" in json.dumps(found["steps"], ensure_ascii=False)


@pytest.mark.parametrize("kind", ["id", "line", "position", "text"])
def test_explain__name_of_nothing__is_refused(settled: Settled, kind: str) -> None:
    names = {
        "id": str(new_id()),
        "line": f"{new_id()}/2/0",
        "position": f"{settled.invoice_id}/2/99",
        "text": "nothing",
    }
    error = settled.refusal(lambda: explain(settled.small.market, names[kind]))
    assert error.code in ("app.line_unknown", "domain.malformed_value")


def test_http__papers_files_and_explanations__are_for_their_parties(settled: Settled) -> None:
    small = settled.small
    line = _account(settled, "weather")["entries"][0]["line"]
    paths = {
        f"/v1/products/{small.product_id}/price?units=1500": (200, 200, 200),
        f"/v1/invoices/{settled.invoice_id}/document": (401, 200, 403),
        f"/v1/invoices/{settled.invoice_id}/document?format=pdf": (401, 200, 403),
        f"/v1/invoices/{settled.invoice_id}/document?format=html": (401, 200, 403),
        f"/v1/invoices/{settled.invoice_id}/document?format=csv": (401, 200, 403),
        "/v1/payments/open": (401, 200, 403),
        "/v1/remittances": (401, 200, 403),
        "/v1/remittances/netting": (401, 200, 403),
        f"/v1/explanations/{line}": (401, 200, 403),
        f"/v1/organisations/{small.id_of('operator')}/account": (401, 200, 403),
    }
    with TestClient(create_app(small.market), raise_server_exceptions=False) as client:
        keys = [
            {"X-Api-Key": issue_api_key(small.market, small.members[member].account)}
            for member in ("operator", "chuzhou")
        ]
        floating = client.post("/v1/simulations", json=scheme_body() | {"carry_over_cycles": 1.5})
        found = {
            path: tuple(client.get(path, headers=headers).status_code for headers in ({}, *keys))
            for path in paths
        }
    assert found == paths
    assert (floating.status_code, floating.json()["field"]) == (422, "carry_over_cycles")


def _batch(settled: Settled, member: str) -> Any:
    wanted = settled.small.id_of(member)
    batch_id = next(row["batch_id"] for row in settled.batches if row["payee_id"] == wanted)
    return batch_found(settled.small.market, UUID(batch_id))


def _record(organisation_id: str, number: int) -> dict[str, Any]:
    return {
        "organisation_id": organisation_id,
        "account_name": f"虚构账户 {number}",
        "account_no": f"320100{number:013d}",
        "bank_name": "虚构银行",
        "cnaps_code": f"1023010000{number:02d}",
    }


def test_correction__of_a_split__is_a_line_of_its_own_and_leaves_a_receivable(
    tmp_path: Path,
) -> None:
    with opened_market(tmp_path) as small:
        key = issue_api_key(small.market, small.members["buyer"].account, small.licence_no)
        _use(small, key, 1_500)
        made = Settled(small, _bill(small), new_id())
        reference = billing.invoice_reference(made.invoice_id)
        _import(made, "whole", entry("3455.00", detail(reference), bank_reference="B-1"))
        invoice = {"invoice_id": str(made.invoice_id)}
        small.run("buyer", "accept-invoice", invoice)
        operator = small.members["operator"].account
        settlement.split_all(small.market, operator, small.scheme_id)
        settlement.remit(small.market, operator, small.scheme_id)
        before = _account(made, "operator")
        reduction = {"reduction_fen": 100_000, "receipt": "R-1", "reason": "退款"}
        small.run("operator", "correct-split", invoice | reduction)
        found = _account(made, "operator")
        corrected = [row for row in found["entries"] if row["kind"] == "corrected"]
        explained, _ = explain(small.market, corrected[0]["line"])
        figures = invoice_figures(small.market, made.invoice_id)
        settlement.split_all(small.market, operator, small.scheme_id)
        entries = _account(made, "operator")["entries"]
        again = [row for row in entries if row["kind"] == "credited"][-1]
        shared, _ = explain(small.market, again["line"])
    assert found["credited_micro_fen"] == "0"
    assert found["receivable_fen"] == before["remitted_fen"] > found["remitted_fen"] == 0
    assert corrected[0]["line"].endswith("@2")
    assert explained["steps"][-1]["title"] == "红冲 Correction"
    assert figures["gross_fen"] == 345_500
    assert again["line"].endswith("@3")
    assert f"recorded {again['amount_micro_fen']} µfen" in json.dumps(
        shared["steps"], ensure_ascii=False
    )
