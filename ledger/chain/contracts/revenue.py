"""RevenueLedger: schemes, accounts, invoices, remittances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ledger.chain.contracts.base import Contract, as_record
from ledger.chain.rpc_types import BlockId


@dataclass(frozen=True, slots=True)
class SchemeRecord:
    """A scheme as the chain keeps it; `state` per `ledger.domain.codes.SchemeState`."""

    operator_id: UUID
    platform_id: UUID
    governance_id: UUID
    cycle_id: UUID
    city_code: int
    year: int
    is_trial: bool
    surcharge_ppm: int
    vat_ppm: int
    providers_ppm: int
    operator_ppm: int
    platform_ppm: int
    governance_ppm: int
    hold_days: int
    cost_micro_fen: int
    profit_micro_fen: int
    tax_micro_fen: int
    tax_taken_micro_fen: int
    recovered_micro_fen: int
    benefit_micro_fen: int
    forgone_micro_fen: int
    reserve_micro_fen: int
    pool_count: int
    open_count: int
    release_count: int
    split_count: int
    state: int
    version_no: int


@dataclass(frozen=True, slots=True)
class CycleRecord:
    """A cycle as the chain keeps it; `instalment_count` 0 until it is closed."""

    operator_id: UUID
    city_code: int
    first_year: int
    year_count: int
    instalment_count: int
    is_poured: bool
    carry_out_micro_fen: int
    previous_id: UUID


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """What one claimant may recover and has received in one scheme, in µfen."""

    cost_micro_fen: int
    recovered_micro_fen: int
    entitled_micro_fen: int
    remitted_micro_fen: int
    is_pooled: bool


@dataclass(frozen=True, slots=True)
class InvoiceRecord:
    """An invoice as the chain keeps it; `held_until` in Unix seconds, 0 until paid in full."""

    scheme_id: UUID
    product_id: UUID
    licence_no: int
    period_id: int
    state: int
    gross_fen: int
    paid_fen: int
    held_until: int
    release_no: int
    is_frozen: bool


@dataclass(frozen=True, slots=True)
class RemittanceRecord:
    """A remittance batch; state 0 when it is unknown."""

    payee_id: UUID
    opener_id: UUID
    amount_fen: int
    state: int


class RevenueLedger(Contract):
    """Views of the revenue ledger."""

    name = "RevenueLedger"

    def scheme(self, scheme_id: UUID, *, block: BlockId) -> SchemeRecord:
        """Return a scheme; refused when unknown."""
        return as_record(SchemeRecord, self.view("scheme", scheme_id, block=block))

    def account(self, scheme_id: UUID, claimant_id: UUID, *, block: BlockId) -> AccountRecord:
        """Return a claimant's account in a scheme; zero when it has none."""
        return as_record(AccountRecord, self.view("account", scheme_id, claimant_id, block=block))

    def accounts(
        self, scheme_id: UUID, claimant_ids: Sequence[UUID], *, block: BlockId
    ) -> list[AccountRecord]:
        """Return the accounts of many claimants in a scheme."""
        calls = [(scheme_id, claimant_id) for claimant_id in claimant_ids]
        return [
            as_record(AccountRecord, found) for found in self.views("account", calls, block=block)
        ]

    def invoices(self, invoice_ids: Sequence[UUID], *, block: BlockId) -> list[InvoiceRecord]:
        """Return many invoices."""
        calls = [(invoice_id,) for invoice_id in invoice_ids]
        return [
            as_record(InvoiceRecord, found) for found in self.views("invoice", calls, block=block)
        ]

    def invoice(self, invoice_id: UUID, *, block: BlockId) -> InvoiceRecord:
        """Return an invoice; refused when unknown."""
        return as_record(InvoiceRecord, self.view("invoice", invoice_id, block=block))

    def cycle(self, cycle_id: UUID, *, block: BlockId) -> CycleRecord:
        """Return a cycle; zero when it is unknown."""
        return as_record(CycleRecord, self.view("cycle", cycle_id, block=block))

    def receivable_fen(self, payee_id: UUID, *, block: BlockId) -> int:
        """Return the whole fen that a payee owes back."""
        return int(self.view("receivableFen", payee_id, block=block))

    def remittance(self, batch_id: UUID, *, block: BlockId) -> RemittanceRecord:
        """Return a remittance batch."""
        return as_record(RemittanceRecord, self.view("remittance", batch_id, block=block))

    def billed_units(self, licence_no: int, log_no: int, *, block: BlockId) -> int:
        """Return the units of a licence billed so far in one log."""
        return int(self.view("billedUnits", licence_no, log_no, block=block))

    def used_units(self, buyer_id: UUID, product_id: UUID, year: int, *, block: BlockId) -> int:
        """Return the units of a buyer billed for a product in a calendar year."""
        return int(self.view("usedUnits", buyer_id, product_id, year, block=block))
