"""A scheme's whole life through the use cases: objection, refund, change, closes, deduction."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from ledger.app import billing, gateway, log_keeping, payments, settlement
from ledger.app.books import cycle_found, deviations_found, invoice_found
from ledger.app.commands import run
from ledger.app.explaining import explain
from ledger.app.keys import issue_api_key
from ledger.app.verifying import verify_market
from ledger.domain.catalogue_lists import QUALITY_DIMENSIONS
from ledger.domain.codes import InvoiceState, SchemeState
from ledger.domain.errors import LedgerError
from ledger.domain.ids import new_id
from ledger.projection import queries
from ledger.projection.projector import projection_digest, rebuild
from ledger.report import canonical, market_statement
from ledger.report.accounts import account_statement
from tests.integration.market_fixture import NANJING, YEAR_SECONDS, SmallMarket, opened_market

pytestmark = pytest.mark.integration

ROWS = 2_000
SHARE = re.compile(r"= ([0-9]+) \+ ([0-9]+)/[0-9]+ µfen")
GROSS_FEN = 1_000 * 691
"""1,000 rows are free, the others cost 6.91 yuan each."""
NET_FEN = GROSS_FEN * 100 // 106


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallMarket]:
    with opened_market(tmp_path_factory.mktemp("closing")) as market:
        body = {"organisation_id": market.id_of("nanjing"), "role": "handler"}
        run(market.market, market.market.governance, "grant-role", body | {"city_code": NANJING})
        yield market


def earn(small: SmallMarket, rows: int, yuan: str, reference: str) -> str:
    """Use, anchor, bill, pay; return the invoice, its payment held."""
    market, operator = small.market, small.members["operator"].account
    key = issue_api_key(market, small.members["buyer"].account, small.licence_no)
    cursor = 0
    while rows:
        page = gateway.use(
            market,
            api_key=key,
            product_id=small.product_id,
            dataset_id=small.datasets["weather"],
            cursor=cursor,
            limit=min(200, rows),
        )
        rows -= page.receipt.records
        cursor = page.next_cursor or 0
    log_keeping.anchor(market, small.members["platform"].account, 1)
    invoice = billing.bill(market, operator, small.licence_no, small.scheme_id)
    assert invoice is not None
    line = f"2026-11-23,{invoice.result['reference']},{yuan},buyer,{reference}"
    payments.import_statement(market, operator, ",".join(payments.COLUMNS) + f"\n{line}\n")
    return str(invoice.result["invoice_id"])


def refused(code: str, small: SmallMarket, member: str, name: str, body: dict[str, Any]) -> None:
    with small.market.read() as connection:
        before = projection_digest(connection)
    with pytest.raises(LedgerError) as caught:
        small.run(member, name, body)
    assert caught.value.code == code
    with small.market.read() as connection:
        assert projection_digest(connection) == before


def verified(small: SmallMarket) -> dict[str, Any]:
    with small.market.read() as connection:
        statement: dict[str, Any] = json.loads(canonical(market_statement(connection)))
    report = verify_market(small.market, report=statement)
    assert report.findings == []
    return statement


def test_closing__objection_refund_change_and_closes__balance_to_the_micro_fen(
    small: SmallMarket,
) -> None:
    market, operator = small.market, small.members["operator"].account
    invoice_id = earn(small, ROWS, f"{GROSS_FEN // 100}.{GROSS_FEN % 100:02d}", "B-1")
    freeze_and_accept(small, invoice_id)
    settlement.split_all(market, operator, small.scheme_id)
    settlement.remit(market, operator, small.scheme_id)
    refund(small, invoice_id)
    change_costs(small)
    grade(small, "C")
    settlement.split_all(market, operator, small.scheme_id)
    settlement.remit(market, operator, small.scheme_id)
    statement = verified(small)
    assert statement["totals"]["receivable_fen"] > 0
    close_year_and_cycle(small)
    deduct(small)
    grade(small, "A")
    explained(small)
    verified(small)
    with market.read() as connection:
        before = projection_digest(connection)
    rebuild(market.engine)
    with market.read() as connection:
        assert projection_digest(connection) == before


def grade(small: SmallMarket, letter: str) -> None:
    scores = dict.fromkeys(QUALITY_DIMENSIONS, {"A": 95, "C": 75}[letter])
    body = {"dataset_id": str(small.datasets["weather"]), "scores": scores, "report": "抽查"}
    small.run("nanjing", "inspect-dataset", body)


def explained(small: SmallMarket) -> None:
    """Each credit is explained from what was recorded: computed shares are the recorded lines."""
    names: set[str] = set()
    for member in small.members.values():
        with small.market.read() as connection:
            found = account_statement(connection, member.organisation_id)
        names |= {entry["line"] for entry in found["entries"]}
    tiers = set()
    for name in sorted(names):
        step, found = last_step(small, name)
        if found["kind"] != "line" or step["title"].startswith("红冲"):
            continue
        tiers.add((found["tier"], "invoice" not in found))
        share = SHARE.search(step["arithmetic"][-2])
        recorded = int(found["amount_micro_fen"])
        if share is None:
            assert f"open cost of the claimant {recorded} µfen" in step["arithmetic"][-2]
        else:
            assert 0 <= recorded - int(share[1]) <= (int(share[2]) > 0)
    assert tiers >= {("lineage_cost", False), ("benefit", False), ("lineage_cost", True)}
    with small.market.read() as connection:
        split = queries.splits_of(connection, small.scheme_id)[-1]
        closing = queries.fills_of(connection, small.scheme_id)[-1]
    weather = small.datasets["weather"]
    own = next(line for line in split.lines if line.tier == 4 and line.claimant_id == weather)
    step, _ = last_step(small, f"{split.split.invoice_id}/4/{own.position}@{split.split.entry_no}")
    assert f"{weather}: w 240000 · q 80 (C) = 19200000" in step["arithmetic"]
    step, found = last_step(small, f"{small.scheme_id}/5/0@{closing.fill.event_no}")
    assert found["steps"][0]["title"].startswith("周期清算")
    assert step["arithmetic"][-2] == f"what is left: {found['amount_micro_fen']} µfen"


def last_step(small: SmallMarket, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    found, _ = explain(small.market, name)
    return found["steps"][-1], found


def freeze_and_accept(small: SmallMarket, invoice_id: str) -> None:
    claim = {
        "subject_kind": "invoice",
        "subject": invoice_id,
        "ground": "quality",
        "fact": "缺值",
        "statement": "异议",
        "evidence": [{"kind": "sample", "text": "样本"}],
    }
    case = {"objection_id": small.run("buyer", "open-objection", claim).result["objection_id"]}
    small.run("nanjing", "suspend-objected", case | {"reason": "异议受理"})
    refused("revenue_ledger.frozen", small, "buyer", "accept-invoice", {"invoice_id": invoice_id})
    small.run("buyer", "advance-objection", case | {"to": "withdrawn", "text": "撤回"})
    small.run("buyer", "accept-invoice", {"invoice_id": invoice_id})


def refund(small: SmallMarket, invoice_id: str) -> None:
    """A third of the bill goes back after everything was remitted."""
    body = {"invoice_id": invoice_id, "reduction_fen": GROSS_FEN + 1, "reason": "退款"}
    refused(
        "revenue_ledger.reduction_too_large",
        small,
        "operator",
        "correct-split",
        body | {"receipt": "R-0"},
    )
    body |= {"reduction_fen": GROSS_FEN // 3, "receipt": "R-1"}
    small.run("operator", "correct-split", body)
    found, _ = invoice_found(small.market, UUID(invoice_id))
    assert found["state"] == InvoiceState.RELEASED
    assert found["gross_fen"] == GROSS_FEN - GROSS_FEN // 3
    assert [item["amount_fen"] for item in found["reductions"]] == [GROSS_FEN // 3]
    with small.market.read() as connection:
        assert queries.debtors(connection)
        entries = queries.entries_of(connection, UUID(invoice_id))
    assert [entry.split.is_correction for entry in entries] == [False, True]


def change_costs(small: SmallMarket) -> None:
    """Costs so small that the income reaches profit and reserve."""
    with small.market.read() as connection:
        costs = [
            {"claimant_id": str(row.claimant_id), "cost_fen": 40_000}
            for row in queries.accounts_of(connection, small.scheme_id)
        ]
    body = {
        "scheme_id": str(small.scheme_id),
        "change_from": small.market.now_seconds() + 60,
        "bond_ppm": 17_500,
        "spread_ppm": 60_000,
        "surcharge_ppm": 7_200,
        "vat_ppm": 60_000,
        "tax_fen": 3_600_000,
        "hold_days": 1,
        "reason": "调整",
        "costs": costs,
    }
    key = {"scheme_id": str(small.scheme_id)}
    refused("app.change_absent", small, "operator", "enact-change", key)
    small.run("nanjing", "announce-change", body)
    refused("revenue_ledger.change_time", small, "operator", "enact-change", key)
    assert small.market.node is not None
    small.market.node.increase_time(61)
    with small.market.read() as connection:
        (waiting,) = queries.next_splits(connection, small.scheme_id, 1)
    refused(
        "revenue_ledger.change_due",
        small,
        "operator",
        "split-income",
        {"invoice_id": str(waiting.invoice_id)},
    )
    small.run("operator", "enact-change", key)


def close_year_and_cycle(small: SmallMarket) -> None:
    market, key = small.market, {"scheme_id": str(small.scheme_id)}
    accounts = key | {"accounts": "年度决算(虚构)"}
    refused("revenue_ledger.year_not_over", small, "operator", "close-year", accounts)
    assert market.node is not None
    market.node.increase_time(YEAR_SECONDS)
    small.run("operator", "close-year", accounts)
    assert [row["outcome"] for row in deviations_found(market, NANJING)] == [2]
    cycle = {"cycle_id": str(small.scheme_id), "instalments": 2, "reason": "结转"}
    refused("revenue_ledger.scheme_state", small, "nanjing", "close-cycle", cycle)
    small.run("nanjing", "answer-deviation", key | {"response": "调整上限收费标准"})
    assert deviations_found(market, NANJING) == []
    done = small.run("nanjing", "close-cycle", cycle)
    found = cycle_found(market, small.scheme_id)
    assert found["carry_out_micro_fen"] == done.result["carry_out_micro_fen"]
    assert int(done.result["carry_out_micro_fen"]) > 0
    refused("revenue_ledger.cycle_closed", small, "nanjing", "close-cycle", cycle)
    with market.read() as connection:
        assert queries.scheme(connection, small.scheme_id).state == SchemeState.CYCLE_CLOSED


def deduct(small: SmallMarket) -> None:
    """The next cycle's first year opens with what this one recovered too much."""
    scheme_id = new_id()
    with small.market.read() as connection:
        before = queries.scheme(connection, small.scheme_id)
        accounts = queries.accounts_of(connection, small.scheme_id)
    body = {
        "scheme_id": str(scheme_id),
        "operator_id": small.id_of("operator"),
        "previous_cycle_id": str(small.scheme_id),
        "city_code": NANJING,
        "year": before.year + 1,
        "bond_ppm": 17_500,
        "spread_ppm": 60_000,
        "surcharge_ppm": 7_200,
        "vat_ppm": 60_000,
        "tax_fen": 0,
        "hold_days": 1,
        "reason": "成本监审",
        "costs": [
            {"claimant_id": str(row.claimant_id), "cost_fen": 50_000_000}
            for row in accounts
            if row.cost_micro_fen
        ],
    }
    small.run("nanjing", "approve-scheme", body)
    done = small.run("operator", "pour-carry-in", {"scheme_id": str(scheme_id)})
    amount = int(done.result["carry_in_micro_fen"])
    with small.market.read() as connection:
        after = queries.scheme(connection, scheme_id)
        carry_out = queries.cycle(connection, small.scheme_id).carry_out_micro_fen
    assert amount == carry_out // 2
    assert after.recovered_micro_fen == amount
    key = {"scheme_id": str(scheme_id)}
    refused("revenue_ledger.nothing_to_pour", small, "operator", "pour-carry-in", key)
