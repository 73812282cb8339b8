"""The books of money as the replay keeps them; amounts in fen or µfen as the names say."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any
from uuid import UUID

from ledger.domain.codes import InvoiceState, RemittanceState, SchemeState
from ledger.domain.units import MICRO_FEN_PER_FEN, PPM_WHOLE
from ledger.verification.findings import Findings


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an account was credited: a split, its correction, a pour; no invoice for a pour."""

    kind: str
    invoice_id: UUID | None = None
    product_id: UUID | None = None


@dataclass(slots=True)
class Account:
    """What one claimant may recover in a scheme, and has received."""

    cost_micro_fen: int = 0
    is_pooled: bool = False
    recovered_micro_fen: int = 0
    entitled_micro_fen: int = 0
    remitted_fen: int = 0
    own_fen: int = 0
    """Of a public institution: remitted to itself, not to its treasury, under its city's rules."""
    rule_no: int = 0
    treasury_ppm: int = PPM_WHOLE
    before_rule: tuple[int, int] = (0, 0)
    """Remitted in all, and to itself, when it was first paid under the rule."""
    reasons: list[tuple[Reason, str, int]] = field(default_factory=list)
    """Reason, tier and µfen of each credit, in the order of the chain."""

    @property
    def cost_fen(self) -> int:
        """Approved cost in whole fen."""
        return self.cost_micro_fen // MICRO_FEN_PER_FEN

    @property
    def room_micro_fen(self) -> int:
        """Approved cost that is not recovered yet."""
        return max(0, self.cost_micro_fen - self.recovered_micro_fen)

    @property
    def payable_fen(self) -> int:
        """Whole fen that are owed."""
        return self.entitled_micro_fen // MICRO_FEN_PER_FEN - self.remitted_fen

    def follow(self, rule: tuple[int, int] | None) -> None:
        """Be parted by a city's rule from now on; what is remitted stays as it was paid."""
        if rule is not None and rule[0] != self.rule_no:
            self.rule_no, self.treasury_ppm = rule
            self.before_rule = self.remitted_fen, self.own_fen

    def own_part_fen(self) -> int:
        """What the institution itself may have had of what is due by now; floor."""
        due = self.entitled_micro_fen // MICRO_FEN_PER_FEN
        paid, own = self.before_rule
        if 0 <= due < paid:
            return int(Fraction(own * due, paid))
        return own + int(Fraction((due - paid) * (PPM_WHOLE - self.treasury_ppm), PPM_WHOLE))

    def own_payable_fen(self) -> int:
        """What of the whole fen that are owed goes to the institution itself."""
        return max(0, min(self.payable_fen, self.own_part_fen() - self.own_fen))


@dataclass(slots=True)
class Scheme:
    """A scheme with its accounts."""

    terms: dict[str, Any]
    accounts: dict[UUID, Account]
    approved_at: int
    tax_micro_fen: int = 0
    profit_micro_fen: int = 0
    tax_taken_micro_fen: int = 0
    benefit_micro_fen: int = 0
    """Permitted profit used up; `forgone` is its part that no quality earned."""
    forgone_micro_fen: int = 0
    reserve_micro_fen: int = 0
    release_count: int = 0
    split_count: int = 0
    version_no: int = 0
    announced: dict[str, Any] | None = None
    """Arguments of the change that is announced and not in force."""
    state: SchemeState = SchemeState.OPEN
    carry_in_micro_fen: int = 0
    carry_out_micro_fen: int = 0
    """What its cycle's close took from it, less what it gave to its claimants."""

    @property
    def cost_micro_fen(self) -> int:
        """Approved cost of all claimants."""
        return sum(account.cost_micro_fen for account in self.accounts.values())

    @property
    def tax_room_micro_fen(self) -> int:
        """Approved tax that is not set aside yet."""
        return max(0, self.tax_micro_fen - self.tax_taken_micro_fen)

    @property
    def profit_room_micro_fen(self) -> int:
        """Permitted profit that is not used up yet."""
        return max(0, self.profit_micro_fen - self.benefit_micro_fen)

    @property
    def income_micro_fen(self) -> int:
        """All that was shared, the tax and the reserve included."""
        entitled = sum(account.entitled_micro_fen for account in self.accounts.values())
        return self.tax_taken_micro_fen + entitled + self.reserve_micro_fen

    def room_of(self, claimant_id: UUID) -> int:
        """Return the cost that a claimant may still recover, 0 when none was approved."""
        account = self.accounts.get(claimant_id)
        return account.room_micro_fen if account else 0

    def recover(self, claimant_id: UUID, amount: int, reason: Reason, tier: str) -> None:
        """Credit recovered cost."""
        if amount:
            self.accounts.setdefault(claimant_id, Account()).recovered_micro_fen += amount
            self._credit(claimant_id, amount, reason, tier)

    def share(self, claimant_id: UUID, amount: int, reason: Reason) -> None:
        """Credit a share of the profit."""
        if amount:
            self._credit(claimant_id, amount, reason, "benefit")

    def share_outcome(self, claimant_id: UUID, amount: int, reason: Reason) -> None:
        """Credit a share of what a derived product earned."""
        if amount:
            self._credit(claimant_id, amount, reason, "outcome")

    def _credit(self, claimant_id: UUID, amount: int, reason: Reason, tier: str) -> None:
        account = self.accounts.setdefault(claimant_id, Account())
        account.entitled_micro_fen += amount
        account.reasons.append((reason, tier, amount))


@dataclass(slots=True)
class Cycle:
    """Up to three years that are reviewed together."""

    scheme_ids: list[UUID]
    previous_id: UUID | None
    is_poured: bool = False
    instalment_count: int = 0
    carry_out_micro_fen: int = 0


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
    is_frozen: bool = False
    split: dict[str, Any] | None = None
    """The split that holds, as its event has it."""


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
        self.cycles: dict[UUID, Cycle] = {}
        self.receivable_fen: defaultdict[UUID, int] = defaultdict(int)
        """Whole fen that each payee owes back."""
        self._receipts: set[bytes] = set()

    def use_receipt(self, receipt_digest: bytes, where: str, findings: Findings) -> None:
        """Take a bank's or treasury's receipt; it serves once."""
        is_new = receipt_digest not in self._receipts
        findings.require(is_new, "bank_receipt_twice", where, receipt_digest, "a new receipt")
        self._receipts.add(receipt_digest)
