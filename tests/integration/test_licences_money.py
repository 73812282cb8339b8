"""What an agreement fixes for the money: the quoted tariff, use as acceptance; a month's bills."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import UUID

import pytest

from ledger.app import gateway, log_keeping, payments
from ledger.app.agreements import AgreementDraft, draft_agreement, licence_no_of, sign_agreement
from ledger.app.billing import invoice_reference
from ledger.app.importing import import_file
from ledger.app.keys import issue_api_key
from ledger.app.monthly_billing import MonthBilled, bill_month
from ledger.app.verifying import verify_market
from ledger.chain.reverts import ChainRefusedError
from ledger.domain.calendar import period_of, start_of_period, year_of
from ledger.domain.codes import InvoiceState
from ledger.projection import queries
from tests.integration.market_fixture import (
    TICKS,
    YEAR_SECONDS,
    SmallMarket,
    grant,
    opened_market,
)
from tests.unit.meter_story import line

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallMarket]:
    with opened_market(tmp_path_factory.mktemp("months")) as market:
        yield market


def use(small: SmallMarket, licence_no: int, rows: int) -> None:
    key = issue_api_key(small.market, small.members["buyer"].account, licence_no)
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
    log_keeping.anchor(small.market, small.members["platform"].account, 1)


def month(small: SmallMarket) -> MonthBilled:
    operator = small.members["operator"].account
    return bill_month(small.market, operator, period_of(small.market.now_seconds()))


def publish(small: SmallMarket) -> None:
    bands = [{"up_to_units": None, "price_micro_yuan": 4_000_000}]
    body = {"product_id": str(small.product_id), "basis": "data_records", "bands": bands}
    small.run("operator", "publish-tariff", body)


def test_month__used_free_and_unused__one_bill_each_where_used_and_nothing_twice(
    small: SmallMarket,
) -> None:
    free, unused = grant(small, purpose="public_welfare"), grant(small)
    use(small, small.licence_no, 1_500)
    use(small, free, 20)
    found = month(small)
    billed = {row["licence_no"]: row["gross_fen"] for row in found.invoices}
    assert billed == {small.licence_no: 345_500, free: 0}
    assert (found.billed_before, found.unused, found.refused) == ([], [unused], [])
    with small.market.read() as connection:
        nothing = next(row for row in found.invoices if row["licence_no"] == free)
        invoice = queries.invoice(connection, UUID(nothing["invoice_id"]))
    assert invoice.state == InvoiceState.SPLIT
    again = month(small)
    assert (again.invoices, again.billed_before) == ([], [small.licence_no, free])
    use(small, unused, 10)
    third = month(small)
    assert [row["licence_no"] for row in third.invoices] == [unused]


def test_month__earlier_ones_not_billed__each_has_a_bill_of_its_own(small: SmallMarket) -> None:
    now = small.market.now_seconds()
    start = start_of_period(period_of(now))
    if year_of(start - 1) != year_of(now):
        pytest.skip("the month before lies in a year for which no scheme is approved")
    number = grant(small, valid_from=start - 86_400)
    log_no = small.run("platform", "open-log", {}).result["log_no"]
    rows = [
        line(seq, meter_no=9, licence_no=number, used_at_ms=1_000 * used_at, units=units)
        for seq, used_at, units in ((1, start - 60, 30), (2, now, 40))
    ]
    path = small.folder / "months.ndjson"
    path.write_text("\n".join(map(json.dumps, rows)))
    assert import_file(small.market, path, log_no, tell=lambda *told: None).taken == 2
    log_keeping.anchor(small.market, small.members["platform"].account, log_no)
    found = month(small).invoices
    assert [(row["licence_no"], row["units"]) for row in found] == [(number, 30), (number, 40)]
    with small.market.read() as connection:
        bills = [queries.invoice(connection, UUID(row["invoice_id"])) for row in found]
    assert [bill.period_id for bill in bills] == [period_of(start - 1), period_of(now)]


def test_quote__tariff_superseded_meanwhile__licence_keeps_the_quoted_one(
    small: SmallMarket,
) -> None:
    now = small.market.now_seconds()
    draft = draft_agreement(
        small.market,
        AgreementDraft.model_validate(
            {
                "product_id": str(small.product_id),
                "buyer_id": small.id_of("buyer"),
                "purpose": "industry",
                "modes": ["interface"],
                "valid_from": now - 60,
                "valid_until": now + YEAR_SECONDS,
                "quota_units": 100,
                "disclaimers_ticked": TICKS,
            }
        ),
    )
    quoted = sign_agreement(small.market, small.members["operator"].account, draft)
    publish(small)
    accepted = sign_agreement(small.market, small.members["buyer"].account, draft)
    body = {"agreement": draft["agreement"], "operator": quoted, "buyer": accepted}
    small.run("buyer", "grant-licence", body)
    number = licence_no_of(small.market, UUID(draft["agreement"]["agreement_id"]))
    with small.market.read() as connection:
        assert queries.licence(connection, number).tariff_no == 1
    with pytest.raises(ChainRefusedError) as refused:
        grant(small, tariff_no=7)
    assert refused.value.code == "licence_registry.tariff_not_in_force"


def test_release__use_is_acceptance__at_once_and_verified(small: SmallMarket) -> None:
    number, operator = grant(small, is_accepted_by_use=True), small.members["operator"].account
    use(small, number, 50)
    [bill] = month(small).invoices
    gross, reference = bill["gross_fen"], invoice_reference(UUID(bill["invoice_id"]))
    line = f"2026-11-23,{reference},{gross // 100}.{gross % 100:02d},buyer,B-9"
    payments.import_statement(small.market, operator, ",".join(payments.COLUMNS) + f"\n{line}\n")
    small.run("operator", "release-invoice", {"invoice_id": bill["invoice_id"]})
    with small.market.read() as connection:
        invoice = queries.invoice(connection, UUID(bill["invoice_id"]))
    assert (invoice.state, invoice.is_accepted) == (InvoiceState.RELEASED, True)
    assert verify_market(small.market).findings == []


def test_quote__fourteen_days_after_it_was_superseded__refused(small: SmallMarket) -> None:
    assert small.market.node is not None
    small.market.node.increase_time(14 * 24 * 3600 + 60)
    with pytest.raises(ChainRefusedError) as refused:
        grant(small, tariff_no=1)
    assert refused.value.code == "licence_registry.tariff_not_in_force"
