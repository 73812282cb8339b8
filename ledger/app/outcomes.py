"""What is sent to share the outcome of a derived product, or to take a part of it back.

Nothing is proposed: the contract shares a net income by the product's lineage, exactly.
"""

from __future__ import annotations

from uuid import UUID

from ledger.app.commands import Command
from ledger.codec.documents import Document


def share_outcome(invoice_id: UUID) -> Command:
    """Return the sharing of a released income."""
    return Command("revenue", "shareOutcome", (invoice_id,), result={"invoice_id": str(invoice_id)})


def correct_outcome(
    invoice_id: UUID,
    reduction_fen: int,
    digests: tuple[bytes, bytes],
    documents: tuple[Document, ...],
) -> Command:
    """Return the opposite of what a reduction takes.

    Args:
        invoice_id: the shared bill.
        reduction_fen: what was refunded.
        digests: of the bank's line and of the decision.
        documents: what the digests are of.
    """
    return Command(
        "revenue",
        "correctOutcome",
        (invoice_id, reduction_fen, *digests),
        documents,
        {"invoice_id": str(invoice_id), "reduction_fen": reduction_fen},
    )
