"""Money: schemes and the market's statement are public; invoices are their parties'."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps import MarketDep, Number, Reader, require_party
from api.tags import Tagged
from ledger.app.books import deviations_found, invoice_found, licence_found, scheme_found
from ledger.app.explaining import explain
from ledger.app.lookup import keepers_of_money
from ledger.app.names import display_names
from ledger.app.reconciling import reconcile
from ledger.app.splits import split_lines
from ledger.app.verifying import verify_market
from ledger.domain.calendar import end_of_day
from ledger.report.accounts import account_statement
from ledger.report.statements import market_statement, organisation_statement

router = APIRouter(prefix="/v1", tags=["money 资金"], dependencies=[Tagged])


@router.get("/statement")
def statement(market: MarketDep) -> dict[str, Any]:
    """Who used, who supplied, who gets how many fen and why (对账单)."""
    names = display_names(market)
    with market.read() as connection:
        return market_statement(connection, names)


@router.get("/organisations/{organisation_id}/statement")
def own_statement(organisation_id: UUID, market: MarketDep, reader: Reader) -> dict[str, Any]:
    """One organisation's own statement."""
    require_party(market, reader, {organisation_id})
    names = display_names(market)
    with market.read() as connection:
        return organisation_statement(connection, organisation_id, names)


@router.get("/organisations/{organisation_id}/account")
def own_account(
    organisation_id: UUID, market: MarketDep, reader: Reader, until: str = ""
) -> dict[str, Any]:
    """One organisation's account at any date: credited, remitted, payable, by line (往来账)."""
    require_party(market, reader, {organisation_id})
    last = end_of_day(until) if until else None
    names = display_names(market)
    with market.read() as connection:
        return account_statement(connection, organisation_id, until=last, names=names)


@router.get("/explanations/{line:path}")
def explanation(line: str, market: MarketDep, reader: Reader) -> dict[str, Any]:
    """Where an amount comes from: receipts, tariff, rule and arithmetic (逐步溯源)."""
    found, parties = explain(market, line)
    require_party(market, reader, parties | keepers_of_money(market))
    return found


@router.get("/deviations")
def deviations(
    market: MarketDep, city_code: Annotated[int, Query(ge=0, lt=10**7)]
) -> list[dict[str, Any]]:
    """Years whose deviation waits for the price authority's response (年度偏离)."""
    return deviations_found(market, city_code)


@router.get("/reconciliation")
def reconciliation(market: MarketDep, reader: Reader) -> dict[str, Any]:
    """Database, verifier and chain side by side (对账); operators, platform and regulators."""
    require_party(market, reader, keepers_of_money(market))
    return reconcile(market)


@router.post("/verifications")
def verification(
    market: MarketDep, reader: Reader, statement: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Recompute everything, and a statement that is sent (核验); keepers of money, regulators."""
    require_party(market, reader, keepers_of_money(market))
    return verify_market(market, report=statement).as_dict()


@router.get("/schemes/{scheme_id}")
def scheme(scheme_id: UUID, market: MarketDep) -> dict[str, Any]:
    """One scheme with its claimants' accounts."""
    return scheme_found(market, scheme_id)


@router.get("/splits/{invoice_id}")
def split(invoice_id: UUID, market: MarketDep) -> dict[str, Any]:
    """How an invoice's net income was shared: µfen by claimant, tax and reserve (分账)."""
    lines = split_lines(market, invoice_id)
    return {
        "invoice_id": str(invoice_id),
        "lines_micro_fen": {key: str(amount) for key, amount in lines.items()},
    }


@router.get("/licences/{licence_no}")
def licence(licence_no: Number, market: MarketDep, reader: Reader) -> dict[str, Any]:
    """One licence; its parties and regulators."""
    found, parties = licence_found(market, licence_no)
    require_party(market, reader, parties)
    return found


@router.get("/invoices/{invoice_id}")
def invoice(invoice_id: UUID, market: MarketDep, reader: Reader) -> dict[str, Any]:
    """One invoice with its payments and split; its parties and regulators."""
    found, parties = invoice_found(market, invoice_id)
    require_party(market, reader, parties)
    return found
