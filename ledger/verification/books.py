"""The books of money as the replay keeps them; amounts in fen or µfen as the names say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ledger.domain.codes import InvoiceState, RemittanceState
from ledger.domain.units import MICRO_FEN_PER_FEN
from ledger.verification.findings import Findings


@dataclass(slots=True)
class Account:
    """What one claimant may recover in a scheme, and has received."""

    cost_fen: int
    recovered_micro_fen: int = 0
    entitled_micro_fen: int = 0
    remitted_fen: int = 0
    reasons: list[tuple[UUID, int]] = field(default_factory=list)
    """Invoice and µfen of each credit, in the order of release."""

    @property
    def room_micro_fen(self) -> int:
        """Approved cost that is not recovered yet."""
        return max(0, self.cost_fen * MICRO_FEN_PER_FEN - self.recovered_micro_fen)

    @property
    def payable_fen(self) -> int:
        """Whole fen that are owed."""
        return self.entitled_micro_fen // MICRO_FEN_PER_FEN - self.remitted_fen


@dataclass(slots=True)
class Scheme:
    """A scheme with its accounts."""

    terms: dict[str, Any]
    accounts: dict[UUID, Account]
    approved_at: int
    tax_taken_micro_fen: int = 0
    reserve_micro_fen: int = 0
    release_count: int = 0
    split_count: int = 0

    @property
    def tax_room_micro_fen(self) -> int:
        """Approved tax that is not set aside yet."""
        return int(self.terms["tax_fen"]) * MICRO_FEN_PER_FEN - self.tax_taken_micro_fen


@dataclass(slots=True)
class Invoice:
    """A bill and what became of it; `net_fen` and `vat_fen` are 0 until it is split."""

    invoice_id: UUID
    scheme_id: UUID
    licence_no: int
    product_id: UUID
    units: int
    gross_fen: int
    state: InvoiceState
    paid_fen: int = 0
    held_until: int = 0
    release_no: int = 0
    net_fen: int = 0
    vat_fen: int = 0


@dataclass(slots=True)
class Batch:
    """A remittance batch."""

    payee_id: UUID
    amount_fen: int
    state: RemittanceState = RemittanceState.OPEN


class Books:
    """Schemes, invoices and batches by id, and the bank receipts that are used up."""

    def __init__(self) -> None:
        self.schemes: dict[UUID, Scheme] = {}
        self.invoices: dict[UUID, Invoice] = {}
        self.batches: dict[UUID, Batch] = {}
        self._receipts: set[bytes] = set()

    def use_receipt(self, receipt_digest: bytes, where: str, findings: Findings) -> None:
        """Take a bank's or treasury's receipt; it serves once."""
        is_new = receipt_digest not in self._receipts
        findings.require(is_new, "bank_receipt_twice", where, receipt_digest, "a new receipt")
        self._receipts.add(receipt_digest)
