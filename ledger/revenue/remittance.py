"""Step 10, payee: how much of an entitlement is paid at a remittance.

Rules kept here:
1. Whole fen are paid; the fraction of a fen stays in the account until it has grown.
2. Who was paid more than is (still) due owes the difference; it is set off, never paid twice.

To whom it is paid - treasury or own account - follows the kind of organisation, not the amount.
"""

from __future__ import annotations

from typing import NamedTuple

from ledger.domain.units import (
    MICRO_FEN_PER_FEN,
    Fen,
    MicroFen,
    fen,
    micro_fen,
    whole_fen,
)


class AccountPosition(NamedTuple):
    """Where an account stands: entitled = remitted + payable + carried - receivable."""

    payable_fen: Fen
    carried_micro_fen: MicroFen
    """The fraction of a fen that stays in the account, below 1,000,000 µfen."""
    receivable_micro_fen: MicroFen
    """What was remitted beyond the entitlement, after a correction; set off in later batches."""


def account_position(entitled_micro_fen: MicroFen, remitted_fen: Fen) -> AccountPosition:
    """Return what is payable, carried and receivable for an entitlement and its remittances."""
    due = micro_fen(entitled_micro_fen) - fen(remitted_fen, "remitted_fen") * MICRO_FEN_PER_FEN
    if due < 0:
        return AccountPosition(Fen(0), MicroFen(0), MicroFen(-due))
    return AccountPosition(whole_fen(MicroFen(due)), MicroFen(due % MICRO_FEN_PER_FEN), MicroFen(0))


def payable_fen(entitled_micro_fen: MicroFen, remitted_fen: Fen) -> Fen:
    """Return the whole fen of (entitled - remitted); floor, and zero when more was remitted."""
    return account_position(entitled_micro_fen, remitted_fen).payable_fen
