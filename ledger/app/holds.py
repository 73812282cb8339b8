"""Money on an invoice: recorded as it arrives, held, released by acceptance or by time."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from ledger.app.commands import Command, CommandRequest, command
from ledger.app.fields import DigestField, Id
from ledger.app.market import Market
from ledger.domain.units import AMOUNT_FEN_MAX


class RecordPayment(CommandRequest):
    """Money that arrived on an invoice."""

    invoice_id: Id
    amount_fen: Annotated[int, Field(ge=1, le=AMOUNT_FEN_MAX)]
    receipt_digest: DigestField


class AcceptInvoice(CommandRequest):
    """The buyer accepts what was delivered."""

    invoice_id: Id


class ReleaseInvoice(CommandRequest):
    """Ends the hold after its time."""

    invoice_id: Id


@command("record-payment", RecordPayment, "Record a payment", "登记到账")
def record_payment(market: Market, actor_id: UUID | None, request: RecordPayment) -> Command:
    """Plan the record of a payment."""
    return Command(
        "revenue",
        "recordPayment",
        (request.invoice_id, request.amount_fen, request.receipt_digest),
        result={"invoice_id": str(request.invoice_id), "amount_fen": request.amount_fen},
    )


@command("accept-invoice", AcceptInvoice, "Accept the delivery", "验收")
def accept_invoice(market: Market, actor_id: UUID | None, request: AcceptInvoice) -> Command:
    """Plan the buyer's acceptance."""
    return Command(
        "revenue", "accept", (request.invoice_id,), result={"invoice_id": str(request.invoice_id)}
    )


@command("release-invoice", ReleaseInvoice, "Release a payment after its hold", "解付")
def release_invoice(market: Market, actor_id: UUID | None, request: ReleaseInvoice) -> Command:
    """Plan the release after the hold."""
    return Command(
        "revenue", "release", (request.invoice_id,), result={"invoice_id": str(request.invoice_id)}
    )
