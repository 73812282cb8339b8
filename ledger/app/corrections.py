"""Corrections: a bill reduced, a split taken back by its opposite (红冲).

Nothing is edited: each correction is an entry of its own, with its document and, where money went
back, the bank's line.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from ledger.app.commands import Command, CommandRequest, command
from ledger.app.datasets import decision_document
from ledger.app.fields import Id, Text
from ledger.app.market import Market
from ledger.app.outcomes import correct_outcome
from ledger.app.scheme_state import recorded_on_chain
from ledger.codec.documents import Document
from ledger.domain.ids import ZERO_DIGEST
from ledger.domain.units import AMOUNT_FEN_MAX
from ledger.projection import queries


class ReduceInvoice(CommandRequest):
    """A credit note on a bill that is not split; `receipt` is the bank's line of a refund."""

    invoice_id: Id
    reduction_fen: Annotated[int, Field(ge=1, le=AMOUNT_FEN_MAX)]
    reason: Text
    receipt: Text | None = None


class CorrectSplit(CommandRequest):
    """A split taken back; the bill is reduced by what was refunded, and the rest split anew."""

    invoice_id: Id
    reduction_fen: Annotated[int, Field(ge=0, le=AMOUNT_FEN_MAX)] = 0
    reason: Text
    receipt: Text | None = None


@command("reduce-invoice", ReduceInvoice, "Reduce a bill", "账单减额")
def reduce_invoice(market: Market, actor_id: UUID | None, request: ReduceInvoice) -> Command:
    """Plan a credit note or a refund before the split."""
    decision = decision_document("reduction", request.invoice_id, request.reason)
    receipt = _receipt(market, request.receipt)
    documents = (decision,) if receipt is None else (decision, receipt)
    return Command(
        "revenue",
        "reduce",
        (request.invoice_id, request.reduction_fen, _digest(receipt), decision.digest),
        documents,
        {"invoice_id": str(request.invoice_id), "reduction_fen": request.reduction_fen},
    )


@command("correct-split", CorrectSplit, "Take a split back", "红冲分账")
def correct_split(market: Market, actor_id: UUID | None, request: CorrectSplit) -> Command:
    """Plan the opposite entries of the split as it was recorded.

    Raises:
        NotFoundError: the invoice is not split.
    """
    decision = decision_document("correction", request.invoice_id, request.reason)
    receipt = _receipt(market, request.receipt)
    with market.read() as connection:
        product_id = queries.invoice(connection, request.invoice_id).product_id
        if queries.product(connection, product_id).product.is_derived:
            digests = (_digest(receipt), decision.digest)
            documents = (decision,) if receipt is None else (decision, receipt)
            return correct_outcome(request.invoice_id, request.reduction_fen, digests, documents)
        recorded = recorded_on_chain(queries.split_of(connection, request.invoice_id))
    return Command(
        "revenue",
        "correct",
        (
            request.invoice_id,
            request.reduction_fen,
            recorded,
            _digest(receipt),
            decision.digest,
        ),
        (decision,) if receipt is None else (decision, receipt),
        {"invoice_id": str(request.invoice_id), "reduction_fen": request.reduction_fen},
    )


def _receipt(market: Market, text: str | None) -> Document | None:
    if text is None:
        return None
    salt = market.secrets.salt_for("bank", text)
    return Document({"type": "refund_receipt", "text": text}, salt)


def _digest(receipt: Document | None) -> bytes:
    return ZERO_DIGEST if receipt is None else receipt.digest
