"""Invoices: what proven use costs.

A bill rests on the licence's latest receipt in the log as anchored: its running total less what was
billed before, priced by the tariff that the licence fixed. The contract computes the same charge
from the same proof and refuses any other.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from ledger.app.commands import Command, CommandRequest, Done, command, run
from ledger.app.errors import NotAnchoredError
from ledger.app.fields import Id, InstantField, fresh_id
from ledger.app.log_keeping import LogNo, reader
from ledger.app.market import Market
from ledger.app.products import row_on_chain, tariff_of_row
from ledger.chain.keys import KeyAccount
from ledger.codec.documents import Document
from ledger.codec.receipts import Receipt
from ledger.domain.calendar import period_of, year_of
from ledger.domain.codes import Purpose
from ledger.log.reader import LogReader
from ledger.projection import queries
from ledger.projection.queries.sales import LicenceRow, TariffRow
from ledger.revenue.tariff import charge_fen

EMPTY_TARIFF: dict[str, Any] = {"basis": 0, "free_quota_units": 0, "discount_ppm": 0, "bands": []}


class IssueInvoice(CommandRequest):
    """A bill on what a licence used since its last bill in one log."""

    invoice_id: Id = Field(default_factory=fresh_id)
    scheme_id: Id
    licence_no: Annotated[int, Field(ge=1, lt=2**64)]
    log_no: LogNo = 1
    before: InstantField | None = None
    """Only use dated before this moment, Unix seconds; all when absent."""


def invoice_reference(invoice_id: UUID) -> str:
    """Return what a buyer writes on the transfer: MDL and the id's last twelve hex digits."""
    return "MDL" + invoice_id.hex[-12:].upper()


@command("issue-invoice", IssueInvoice, "Issue an invoice on proven use", "开具账单")
def issue_invoice(market: Market, actor_id: UUID | None, request: IssueInvoice) -> Command:
    """Plan an invoice at the log's anchored size.

    Raises:
        NotAnchoredError: no receipt of the licence is anchored.
    """
    log = reader(market, request.log_no)
    size = market.contracts.usage_log.head(request.log_no, block="latest").size
    latest = _latest(log, request, size)
    if latest is None:
        raise NotAnchoredError(
            f"licence {request.licence_no} has no anchored receipt in log {request.log_no}",
            field="licence_no",
            got=request.licence_no,
        )
    index, receipt = latest
    tariff, gross_fen, from_units = _charge(market, request, receipt)
    document = _document(request, receipt, index, from_units, gross_fen)
    claim = {
        "invoice_id": request.invoice_id,
        "scheme_id": request.scheme_id,
        "log_no": request.log_no,
        "log_size": size,
        "receipt_index": index,
        "receipt": receipt.encode(),
        "inclusion_proof": log.inclusion_proof(index, size),
        "tariff": row_on_chain(tariff) if tariff else EMPTY_TARIFF,
        "gross_fen": gross_fen,
        "document_digest": document.digest,
    }
    return Command(
        "revenue",
        "issueInvoice",
        (claim,),
        (document,),
        {
            "invoice_id": str(request.invoice_id),
            "gross_fen": gross_fen,
            "units": receipt.cumulative_units - from_units,
            "reference": invoice_reference(request.invoice_id),
        },
    )


def bill(
    market: Market,
    account: KeyAccount,
    licence_no: int,
    scheme_id: UUID,
    log_no: int = 1,
    *,
    before: int | None = None,
) -> Done | None:
    """Bill a licence; None when all its anchored use is billed.

    Args:
        market: the market.
        account: an account of the operator or a platform.
        licence_no: the licence.
        scheme_id: the scheme of the year of its use.
        log_no: the log in which it was used.
        before: only use dated before this Unix second; all when absent.

    Raises:
        NotAnchoredError: none of its use is anchored.
        LedgerError: as `run`.
    """
    request = IssueInvoice(scheme_id=scheme_id, licence_no=licence_no, log_no=log_no, before=before)
    size = market.contracts.usage_log.head(log_no, block="latest").size
    latest = _latest(reader(market, log_no), request, size)
    with market.read() as connection:
        billed = queries.billed_units(connection, licence_no, log_no)
    if latest is not None and latest[1].cumulative_units == billed:
        return None
    return run(market, account, "issue-invoice", request)


def _latest(log: LogReader, request: IssueInvoice, size: int) -> tuple[int, Receipt] | None:
    before_ms = None if request.before is None else 1_000 * request.before
    return log.latest(request.licence_no, size=size, before_ms=before_ms) if size else None


def _charge(
    market: Market, request: IssueInvoice, receipt: Receipt
) -> tuple[TariffRow | None, int, int]:
    """Return tariff, charge in fen and the running total billed before."""
    with market.read() as connection:
        licence = queries.licence(connection, request.licence_no)
        from_units = queries.billed_units(connection, request.licence_no, request.log_no)
        tariff = (
            queries.tariff(connection, licence.product_id, licence.tariff_no)
            if licence.tariff_no
            else None
        )
    if tariff is None:
        return None, 0, from_units
    already = _position(market, licence, receipt)
    units = receipt.cumulative_units - from_units
    purpose = Purpose(licence.purpose)
    return tariff, charge_fen(tariff_of_row(tariff), already, units, purpose=purpose), from_units


def _position(market: Market, licence: LicenceRow, receipt: Receipt) -> int:
    year = year_of(receipt.used_at_ms // 1000)
    return market.contracts.revenue.used_units(
        licence.buyer_id, licence.product_id, year, block="latest"
    )


def _document(
    request: IssueInvoice, receipt: Receipt, index: int, from_units: int, gross_fen: int
) -> Document:
    return Document.new(
        {
            "type": "invoice",
            "invoice_id": str(request.invoice_id),
            "reference": invoice_reference(request.invoice_id),
            "licence_no": str(request.licence_no),
            "log_no": request.log_no,
            "receipt_index": str(index),
            "period": period_of(receipt.used_at_ms // 1000),
            "from_units": str(from_units),
            "to_units": str(receipt.cumulative_units),
            "gross_fen": gross_fen,
        }
    )
