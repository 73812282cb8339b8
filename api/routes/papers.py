"""Papers of money: invoices as documents, bank lines that wait, remittance batches and their files.

They depend on files of this service beside the chain, so they carry no tag of a block.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.deps import MarketDep, Reader, require_party
from ledger.app.books import invoice_found
from ledger.app.invoice_papers import invoice_document, invoice_figures
from ledger.app.lookup import keepers_of_money
from ledger.app.payments import open_items
from ledger.app.remittance_files import (
    batch_found,
    batches_found,
    credit_transfer,
    netting_found,
    treasury_rows,
)
from ledger.domain.calendar import parse_period
from ledger.report.invoice_papers import PAGE_POLICY, invoice_csv, invoice_html, invoice_pdf
from ledger.report.tables import to_csv

router = APIRouter(prefix="/v1", tags=["money 资金"])


@router.get("/invoices/{invoice_id}/document", response_model=None)
def invoice_paper(
    invoice_id: UUID,
    market: MarketDep,
    reader: Reader,
    form: Annotated[Literal["json", "csv", "html", "pdf"], Query(alias="format")] = "json",
) -> Response | dict[str, Any]:
    """One invoice as JSON (signed once its issuer did), CSV, printable page or PDF (账单文件)."""
    _, parties = invoice_found(market, invoice_id)
    require_party(market, reader, parties)
    figures = invoice_figures(market, invoice_id)
    if form == "csv":
        return Response(invoice_csv(figures).encode("utf-8-sig"), media_type="text/csv")
    if form == "html":
        headers = {"Content-Security-Policy": f"{PAGE_POLICY}; frame-ancestors 'none'"}
        return Response(invoice_html(figures), media_type="text/html", headers=headers)
    if form == "pdf":
        return Response(invoice_pdf(figures), media_type="application/pdf")
    return invoice_document(market, figures)


@router.get("/payments/open")
def payments_open(market: MarketDep, reader: Reader) -> list[dict[str, Any]]:
    """Bank lines that wait for people (待处理到账); operators, platform and regulators."""
    require_party(market, reader, keepers_of_money(market))
    return [asdict(item) for item in open_items(market)]


@router.get("/remittances")
def remittances(market: MarketDep, reader: Reader) -> list[dict[str, Any]]:
    """List the batches (划拨批次)."""
    require_party(market, reader, keepers_of_money(market))
    return batches_found(market)


@router.get("/remittances/netting")
def netting(market: MarketDep, reader: Reader, period: str = "") -> list[dict[str, Any]]:
    """What each pair of cities owes the other, and the net (城市间轧差)."""
    require_party(market, reader, keepers_of_money(market))
    return netting_found(market, parse_period(period) if period else None)


@router.get("/remittances/{batch_id}/file")
def remittance_file(batch_id: UUID, market: MarketDep, reader: Reader) -> Response:
    """A batch's file: pain.001 for a bank, CSV for a treasury (划拨文件)."""
    batch = batch_found(market, batch_id)
    require_party(market, reader, keepers_of_money(market) | {batch.row.payee_id})
    if batch.is_to_treasury:
        content = to_csv(treasury_rows(market, batch)).encode("utf-8-sig")
        return Response(content, media_type="text/csv")
    return Response(credit_transfer(market, batch), media_type="application/xml")
