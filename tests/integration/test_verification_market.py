"""The verifier against a real chain, a real log and real documents, made through the use cases."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from ledger.app import billing, gateway, log_keeping, payments, settlement
from ledger.app.keys import issue_api_key
from ledger.report import canonical, market_statement
from ledger.verification import ChainRecord, VerificationReport, read_chain, read_events, verify
from tests.integration.market_fixture import SmallMarket, grant, opened_market

pytestmark = pytest.mark.integration

USED_ROWS = 3_000
GROSS_FEN = 2_000 * 691
"""1,000 rows are free, the others cost 6.91 yuan each."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallMarket]:
    with opened_market(tmp_path_factory.mktemp("verified")) as market:
        free = grant(market, purpose="public_welfare")
        use_rows(market, market.licence_no, USED_ROWS)
        anchor(market)
        use_rows(market, free, 500)
        anchor(market)
        settle(market, free)
        yield market


@pytest.fixture(scope="module")
def record(small: SmallMarket) -> ChainRecord:
    market = small.market
    return read_chain(market.chain, market.contracts, market.deployment.first_block)


@pytest.fixture(scope="module")
def statement(small: SmallMarket) -> dict[str, Any]:
    with small.market.read() as connection:
        found: dict[str, Any] = json.loads(canonical(market_statement(connection)))
    return found


def use_rows(small: SmallMarket, licence_no: int, rows: int) -> None:
    key = issue_api_key(small.market, small.members["buyer"].account, licence_no)
    cursor = 0
    while rows:
        page = gateway.use(
            small.market,
            api_key=key,
            product_id=small.product_id,
            dataset_id=small.datasets["weather"],
            cursor=cursor,
            limit=min(200, rows),
        )
        rows -= page.receipt.records
        cursor = page.next_cursor or 0


def anchor(small: SmallMarket) -> None:
    log_keeping.anchor(small.market, small.members["platform"].account, 1)


def settle(small: SmallMarket, free: int) -> None:
    market, operator = small.market, small.members["operator"].account
    assert billing.bill(market, operator, free, small.scheme_id) is not None
    invoice = billing.bill(market, operator, small.licence_no, small.scheme_id)
    assert invoice is not None
    yuan = f"{GROSS_FEN // 100}.{GROSS_FEN % 100:02d}"
    line = f"2026-11-23,{invoice.result['reference']},{yuan},buyer,B-1"
    payments.import_statement(market, operator, ",".join(payments.COLUMNS) + f"\n{line}\n")
    small.run("buyer", "accept-invoice", {"invoice_id": invoice.result["invoice_id"]})
    settlement.split_all(market, operator, small.scheme_id)
    batches = settlement.remit(market, operator, small.scheme_id)
    closing = {"batch_id": batches[0]["batch_id"], "receipt": "国库回单 0001"}
    small.run("operator", "close-remittance", closing)


def check(small: SmallMarket, record: ChainRecord, **more: Any) -> VerificationReport:
    home = small.market.home
    given: dict[str, Any] = {"logs": home / "logs", "documents": home / "documents"} | more
    given = {"lineages": record.lineages} | given
    counts, domain = record.counts, record.agreement_domain
    return verify(record.events, counts=counts, agreement_domain=domain, **given)


def test_verify__lineage_on_chain_that_was_not_listed__is_named(
    small: SmallMarket, record: ChainRecord
) -> None:
    written = deepcopy(record.lineages)
    written[small.product_id][0]["weight_ppm"] -= 1
    written[small.product_id][1]["weight_ppm"] += 1
    found = check(small, record, lineages=written).findings
    assert [item.code for item in found] == ["verify.lineage_written"]


def test_verify__whole_market__finds_nothing(
    small: SmallMarket, record: ChainRecord, statement: dict[str, Any]
) -> None:
    report = check(small, record, report=statement)
    assert report.findings == []
    checked = report.checked
    assert (checked["invoices"], checked["splits"], checked["anchors"]) == (2, 1, 2)
    assert checked["receipts"] >= USED_ROWS // 200
    assert checked["documents"] > 10
    assert statement["totals"]["gross_fen"] == GROSS_FEN


def test_read_events__in_two_parts__same_as_at_once(
    small: SmallMarket, record: ChainRecord
) -> None:
    market, middle = small.market, record.block_number // 2
    first = market.deployment.first_block
    head = read_events(market.chain, market.contracts, first, middle)
    tail = read_events(market.chain, market.contracts, middle + 1, record.block_number)
    assert head + tail == record.events
    assert head
    assert tail


def test_verify__one_bit_of_a_copied_log__is_named(
    small: SmallMarket, record: ChainRecord, tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    shutil.copytree(small.market.home / "logs", logs)
    data = bytearray((logs / "1" / "receipts.bin").read_bytes())
    data[96 * 3 + 70] ^= 1
    (logs / "1" / "receipts.bin").write_bytes(data)
    found = check(small, record, logs=logs).findings
    assert any(item.where.startswith("log 1 receipt 3 licence ") for item in found)


def test_verify__one_fen_in_a_copied_report__is_named(
    small: SmallMarket, record: ChainRecord, statement: dict[str, Any]
) -> None:
    copy = deepcopy(statement)
    copy["claimants"][0]["remitted_fen"] += 1
    (finding,) = check(small, record, report=copy).findings
    assert finding.where.endswith("remitted_fen")
    assert finding.got == finding.expected + 1


def test_verify__other_agreement_domain__digests_differ(
    small: SmallMarket, record: ChainRecord
) -> None:
    domain = record.agreement_domain | {"chainId": 1}
    home = small.market.home
    found = verify(record.events, logs=home / "logs", agreement_domain=domain).findings
    assert {item.code for item in found} == {"verify.agreement_digest"}
