"""Schemes, invoices, splits, remittances. Amounts in fen or µfen as the names say."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, select

from ledger.domain.codes import InvoiceState
from ledger.domain.units import MICRO_FEN_PER_FEN
from ledger.projection.queries.base import Page, columns, one, page, records
from ledger.projection.tables import (
    invoices,
    payments,
    scheme_accounts,
    schemes,
    split_lines,
    splits,
)


@dataclass(frozen=True, slots=True)
class SchemeRow:
    """An approved pricing scheme and how far it is used up."""

    scheme_id: UUID
    operator_id: UUID
    city_code: int
    year: int
    bond_ppm: int
    spread_ppm: int
    surcharge_ppm: int
    vat_ppm: int
    hold_seconds: int
    tax_micro_fen: int
    tax_taken_micro_fen: int
    reserve_micro_fen: int
    release_count: int
    split_count: int
    decision_digest: bytes
    approved_at: int


@dataclass(frozen=True, slots=True)
class AccountRow:
    """What one claimant may recover in a scheme, and has received."""

    scheme_id: UUID
    claimant_id: UUID
    cost_micro_fen: int
    recovered_micro_fen: int
    entitled_micro_fen: int
    remitted_micro_fen: int

    @property
    def payable_fen(self) -> int:
        """Whole fen that are owed; floor, the fraction stays in the account."""
        return (self.entitled_micro_fen - self.remitted_micro_fen) // MICRO_FEN_PER_FEN


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """A bill; `state` per `domain.codes.InvoiceState`, `held_until` 0 until paid in full."""

    invoice_id: UUID
    scheme_id: UUID
    product_id: UUID
    buyer_id: UUID
    licence_no: int
    period_id: int
    state: int
    log_no: int
    receipt_index: int
    from_units: int
    to_units: int
    gross_fen: int
    paid_fen: int
    held_until: int
    release_no: int
    is_accepted: bool
    document_digest: bytes
    issued_at: int
    tx_hash: str


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """Money that arrived on an invoice."""

    invoice_id: UUID
    payment_no: int
    amount_fen: int
    receipt_digest: bytes
    recorded_at: int
    tx_hash: str


@dataclass(frozen=True, slots=True)
class SplitLineRow:
    """One line of a split; tier 1 tax, 2 lineage cost, 5 reserve; no claimant for tax, reserve."""

    invoice_id: UUID
    tier: int
    position: int
    claimant_id: UUID | None
    amount_micro_fen: int


@dataclass(frozen=True, slots=True)
class SplitRow:
    """A recorded split."""

    invoice_id: UUID
    scheme_id: UUID
    release_no: int
    net_fen: int
    vat_fen: int
    recorded_at: int
    tx_hash: str


@dataclass(frozen=True, slots=True)
class SplitDetail:
    """A split with its lines; they sum to the net income exactly."""

    split: SplitRow
    lines: tuple[SplitLineRow, ...]


def scheme(connection: Connection, scheme_id: UUID) -> SchemeRow:
    """Return one scheme.

    Raises:
        NotFoundError: it is unknown.
    """
    query = select(schemes).where(schemes.c.scheme_id == scheme_id)
    return one(connection, query, SchemeRow, "scheme", scheme_id)


def schemes_list(
    connection: Connection, *, operator_id: UUID | None = None, year: int | None = None
) -> list[SchemeRow]:
    """Return schemes in the order of their approval."""
    query = select(schemes)
    if operator_id is not None:
        query = query.where(schemes.c.operator_id == operator_id)
    if year is not None:
        query = query.where(schemes.c.year == year)
    return records(
        connection, query.order_by(schemes.c.approved_at, schemes.c.scheme_id), SchemeRow
    )


def accounts_of(connection: Connection, scheme_id: UUID) -> list[AccountRow]:
    """Return the accounts of a scheme, ascending by claimant."""
    query = select(scheme_accounts).where(scheme_accounts.c.scheme_id == scheme_id)
    return records(connection, query.order_by(scheme_accounts.c.claimant_id), AccountRow)


def invoice(connection: Connection, invoice_id: UUID) -> InvoiceRow:
    """Return one invoice.

    Raises:
        NotFoundError: it is unknown.
    """
    query = select(*columns(invoices, InvoiceRow)).where(invoices.c.invoice_id == invoice_id)
    return one(connection, query, InvoiceRow, "invoice", invoice_id)


def invoices_list(
    connection: Connection,
    *,
    state: int | None = None,
    buyer_id: UUID | None = None,
    scheme_id: UUID | None = None,
    licence_no: int | None = None,
    period_id: int | None = None,
    limit: int = 100,
    offset: int = 0,
) -> Page[InvoiceRow]:
    """Return invoices in the order of issue."""
    query = select(*columns(invoices, InvoiceRow))
    for column, wanted in (
        (invoices.c.state, state),
        (invoices.c.buyer_id, buyer_id),
        (invoices.c.scheme_id, scheme_id),
        (invoices.c.licence_no, licence_no),
        (invoices.c.period_id, period_id),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    ordered = query.order_by(invoices.c.issued_at, invoices.c.invoice_id)
    return page(connection, ordered, InvoiceRow, limit, offset)


def payments_of(connection: Connection, invoice_id: UUID) -> list[PaymentRow]:
    """Return the payments on an invoice in their order."""
    query = select(payments).where(payments.c.invoice_id == invoice_id)
    return records(connection, query.order_by(payments.c.payment_no), PaymentRow)


def payment_of_receipt(connection: Connection, receipt_digest: bytes) -> PaymentRow | None:
    """Return the payment that a bank's or treasury's receipt was recorded as, if it was."""
    query = select(payments).where(payments.c.receipt_digest == receipt_digest)
    found = records(connection, query, PaymentRow)
    return found[0] if found else None


def open_invoices(connection: Connection) -> list[InvoiceRow]:
    """Return all invoices that are not paid in full, oldest first."""
    query = (
        select(*columns(invoices, InvoiceRow))
        .where(invoices.c.state == InvoiceState.ISSUED)
        .order_by(invoices.c.invoice_id)
    )
    return records(connection, query, InvoiceRow)


def billed_units(connection: Connection, licence_no: int, log_no: int) -> int:
    """Return the units of a licence billed so far in one log."""
    query = select(invoices.c.to_units).where(
        invoices.c.licence_no == licence_no, invoices.c.log_no == log_no
    )
    return max((int(value) for value in connection.execute(query).scalars()), default=0)


def next_split(connection: Connection, scheme_id: UUID) -> InvoiceRow | None:
    """Return the released invoice whose turn it is to be split, None when none waits."""
    number = scheme(connection, scheme_id).split_count + 1
    query = select(*columns(invoices, InvoiceRow)).where(
        invoices.c.scheme_id == scheme_id,
        invoices.c.release_no == number,
        invoices.c.state == InvoiceState.RELEASED,
    )
    return next(iter(records(connection, query, InvoiceRow)), None)


def split_of(connection: Connection, invoice_id: UUID) -> SplitDetail:
    """Return the split of an invoice with its lines by tier and position.

    Raises:
        NotFoundError: it is not split, or it was for nothing.
    """
    found = one(
        connection,
        select(splits).where(splits.c.invoice_id == invoice_id),
        SplitRow,
        "split",
        invoice_id,
    )
    lines = select(split_lines).where(split_lines.c.invoice_id == invoice_id)
    ordered = lines.order_by(split_lines.c.tier, split_lines.c.position)
    return SplitDetail(found, tuple(records(connection, ordered, SplitLineRow)))


def splits_of(connection: Connection, scheme_id: UUID) -> list[SplitDetail]:
    """Return the splits of a scheme in the order of release."""
    query = select(splits.c.invoice_id).where(splits.c.scheme_id == scheme_id)
    ids = connection.execute(query.order_by(splits.c.release_no)).scalars().all()
    return [split_of(connection, invoice_id) for invoice_id in ids]
