"""A public institution and its treasury are paid as the city has ruled, on a real chain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ledger.app import billing, gateway, log_keeping, payments, settlement
from ledger.app.explaining import explain
from ledger.app.keys import issue_api_key
from ledger.app.payees import treasury_rules
from ledger.app.verifying import verify_market
from ledger.chain.reverts import ChainRefusedError
from ledger.domain.ids import new_id
from ledger.report import canonical, market_statement
from ledger.report.accounts import account_statement
from tests.integration.market_fixture import CHUZHOU, NANJING, SmallMarket, opened_market
from tests.unit.camt_files import detail, entry, message

pytestmark = pytest.mark.integration


@dataclass
class Parted:
    """A market whose transport office is a public institution, and its batches under two rules."""

    small: SmallMarket
    batches: list[dict[str, Any]]


def _earn(small: SmallMarket, key: str, rows: int, number: int) -> None:
    """Use, bill, pay, accept and split."""
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
    operator = small.members["operator"].account
    done = billing.bill(small.market, operator, small.licence_no, small.scheme_id)
    assert done is not None
    invoice_id = UUID(done.result["invoice_id"])
    amount = done.result["gross_fen"]
    paid = entry(
        f"{amount // 100}.{amount % 100:02d}",
        detail(billing.invoice_reference(invoice_id)),
        bank_reference=f"B-{number}",
    )
    payments.import_statement(small.market, operator, message(paid))
    small.run("buyer", "accept-invoice", {"invoice_id": str(invoice_id)})
    settlement.split_all(small.market, operator, small.scheme_id)


@pytest.fixture(scope="module")
def parted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parted]:
    folder = tmp_path_factory.mktemp("parted")
    with opened_market(folder, transport="public_institution") as small:
        key = issue_api_key(small.market, small.members["buyer"].account, small.licence_no)
        operator = small.members["operator"].account
        _earn(small, key, 1_500, 1)
        batches = settlement.remit(small.market, operator, small.scheme_id)
        rule = {"city_code": NANJING, "treasury_ppm": 300_000, "reason": "本级财政核定"}
        small.run("nanjing-treasury", "set-treasury-rule", rule)
        _earn(small, key, 700, 2)
        batches += settlement.remit(small.market, operator, small.scheme_id)
        yield Parted(small, batches)


def _lines(parted: Parted, member: str) -> list[tuple[str, int]]:
    """Return name and fen of the lines to a member for the transport dataset, in their order."""
    found = []
    with parted.small.market.read() as connection:
        for batch in parted.batches:
            if batch["payee_id"] == parted.small.id_of(member):
                key = UUID(batch["batch_id"])
                found += [
                    (f"{key}/{line.position}", line.amount_fen)
                    for line in settlement.queries.remittance_lines_of(connection, key)
                    if line.claimant_id == parted.small.datasets["transport"]
                ]
    return found


def test_remit__after_a_rule__both_are_paid_to_the_fen_and_earlier_batches_stay(
    parted: Parted,
) -> None:
    to_treasury = _lines(parted, "nanjing-treasury")
    to_itself = _lines(parted, "transport")
    assert (len(to_treasury), len(to_itself)) == (2, 1)
    later = to_treasury[1][1] + to_itself[0][1]
    assert to_itself[0][1] == later * 700_000 // 10**6
    assert treasury_rules(parted.small.market)[0]["treasury_ppm"] == 300_000


def test_statement__parted_account__balances_and_verifies(parted: Parted, tmp_path: Path) -> None:
    with parted.small.market.read() as connection:
        report = json.loads(canonical(market_statement(connection, {})))
        member = parted.small.members["transport"].organisation_id
        account = account_statement(connection, member)
    assert account["received_fen"] == _lines(parted, "transport")[0][1]
    assert account["received_fen"] < account["remitted_fen"]
    assert verify_market(parted.small.market, report=report).ok


def test_explain__line_to_the_own_account__says_rule_base_and_cap(parted: Parted) -> None:
    (name, amount) = _lines(parted, "transport")[0]
    found, parties = explain(parted.small.market, name)
    before = _lines(parted, "nanjing-treasury")[0][1]
    arithmetic = found["steps"][0]["arithmetic"]
    assert f"{before} fen were, 0 to the own account" in arithmetic[-3]
    assert arithmetic[-1] == f"own account: {amount} − 0 remitted = {amount} fen"
    assert parted.small.members["transport"].organisation_id in parties


def test_remit__above_the_part_or_by_another_city__refused(parted: Parted) -> None:
    small = parted.small
    body = {
        "batch_id": str(new_id()),
        "payee_id": small.id_of("transport"),
        "lines": [
            {
                "scheme_id": str(small.scheme_id),
                "claimant_id": str(small.datasets["transport"]),
                "amount_fen": 1,
            }
        ],
    }
    with pytest.raises(ChainRefusedError) as refused:
        small.run("operator", "open-remittance", body)
    assert refused.value.code == "revenue_ledger.remittance_too_large"
    rule = {"city_code": NANJING, "treasury_ppm": 1, "reason": "越权"}
    for member in ("chuzhou-treasury", "nanjing", "operator"):
        with pytest.raises(ChainRefusedError) as refused:
            small.run(member, "set-treasury-rule", rule)
        assert refused.value.code == "directory.role_missing"
    with pytest.raises(ChainRefusedError):
        small.run("nanjing-treasury", "set-treasury-rule", rule | {"city_code": CHUZHOU})
