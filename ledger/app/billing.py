"""Invoices: what proven use costs.

A bill rests on the licence's latest receipt in the log as anchored: its running total less what was
billed before, priced by the tariff that the licence fixed. The contract computes the same charge
from the same proof and refuses any other.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from ledger.app.batches import Ask, run_many
from ledger.app.billing_facts import BillingFacts, billing_facts
from ledger.app.commands import Command, CommandRequest, Done, command, run
from ledger.app.errors import NotAnchoredError
from ledger.app.fields import Id, InstantField, fresh_id
from ledger.app.log_keeping import LogNo
from ledger.app.market import Market
from ledger.app.products import row_on_chain, tariff_of_row
from ledger.chain.keys import KeyAccount
from ledger.codec.documents import Document
from ledger.domain.calendar import period_of, year_of
from ledger.domain.codes import Purpose
from ledger.domain.errors import LedgerError
from ledger.projection import queries
from ledger.projection.queries.billing import licence_nos_of
from ledger.revenue.tariff import charge_fen

BILLS_AT_ONCE = 2_000
TRIED_OUT = 8
"""Of so many bills that are made together the gas is estimated; the others are alike."""
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
    numbers = [request.licence_no]
    facts = billing_facts(market, request.log_no, numbers, request.before).get(request.licence_no)
    if facts is None:
        raise NotAnchoredError(
            f"licence {request.licence_no} has no anchored receipt in log {request.log_no}",
            field="licence_no",
            got=request.licence_no,
        )
    return _invoice(request, facts)


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
    facts = billing_facts(market, log_no, [licence_no], before).get(licence_no)
    if facts is not None and facts.receipt.cumulative_units == facts.from_units:
        return None
    request = IssueInvoice(scheme_id=scheme_id, licence_no=licence_no, log_no=log_no, before=before)
    return run(market, account, "issue-invoice", request)


def bill_all(
    market: Market, account: KeyAccount, scheme_id: UUID, log_no: int = 1
) -> list[Done | LedgerError]:
    """Bill all anchored use of a scheme's products in one log; return what became of each bill.

    The licences of one buyer on one product go one after another: each moves the buyer's place in
    the bands from which the next is priced.
    """
    with market.read() as connection:
        scheme = queries.scheme(connection, scheme_id)
        waiting = licence_nos_of(connection, scheme.operator_id, scheme.city_code)
    results: list[Done | LedgerError] = []
    while waiting:
        part, waiting = waiting[:BILLS_AT_ONCE], waiting[BILLS_AT_ONCE:]
        asks: list[Ask] = []
        places: set[tuple[UUID, UUID]] = set()
        for licence_no, facts in billing_facts(market, log_no, part).items():
            place = (facts.licence.buyer_id, facts.licence.product_id)
            is_used = facts.receipt.cumulative_units > facts.from_units
            if not is_used or year_of(facts.receipt.used_at_ms // 1000) != scheme.year:
                continue
            if place in places:
                waiting.append(licence_no)
                continue
            places.add(place)
            request = IssueInvoice(scheme_id=scheme_id, licence_no=licence_no, log_no=log_no)
            asks.append(Ask(account, "issue-invoice", request, planned=_invoice(request, facts)))
        results += run_many(market, asks, tried_out=TRIED_OUT)
    return results


def _invoice(request: IssueInvoice, facts: BillingFacts) -> Command:
    """Return the invoice of a licence, priced from its facts."""
    receipt, tariff = facts.receipt, facts.tariff
    units = receipt.cumulative_units - facts.from_units
    purpose = Purpose(facts.licence.purpose)
    gross_fen = 0
    if tariff is not None:
        gross_fen = charge_fen(tariff_of_row(tariff), facts.already_units, units, purpose=purpose)
    document = _document(request, facts, gross_fen)
    claim = {
        "invoice_id": request.invoice_id,
        "scheme_id": request.scheme_id,
        "log_no": request.log_no,
        "log_size": facts.log_size,
        "receipt_index": facts.index,
        "receipt": receipt.encode(),
        "inclusion_proof": facts.inclusion_proof,
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
            "units": units,
            "licence_no": request.licence_no,
            "reference": invoice_reference(request.invoice_id),
        },
    )


def _document(request: IssueInvoice, facts: BillingFacts, gross_fen: int) -> Document:
    return Document.new(
        {
            "type": "invoice",
            "invoice_id": str(request.invoice_id),
            "reference": invoice_reference(request.invoice_id),
            "licence_no": str(request.licence_no),
            "log_no": request.log_no,
            "receipt_index": str(facts.index),
            "period": period_of(facts.receipt.used_at_ms // 1000),
            "from_units": str(facts.from_units),
            "to_units": str(facts.receipt.cumulative_units),
            "gross_fen": gross_fen,
        }
    )
