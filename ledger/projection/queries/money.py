"""Invoices and payments. Amounts in fen or µfen as the names say."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, select

from ledger.domain.codes import InvoiceState
from ledger.projection.queries.base import Page, columns, one, page, records
from ledger.projection.queries.schemes import scheme
from ledger.projection.tables import invoices, payments


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
    is_frozen: bool
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


def is_billed_in(connection: Connection, licence_no: int, period_id: int) -> bool:
    """Return whether a licence has an invoice on use of a month."""
    query = select(invoices.c.invoice_id).where(
        invoices.c.licence_no == licence_no, invoices.c.period_id == period_id
    )
    return connection.execute(query.limit(1)).first() is not None


def next_splits(connection: Connection, scheme_id: UUID, limit: int) -> list[InvoiceRow]:
    """Return the released invoices whose turn it is to be split, in the order of release."""
    first = scheme(connection, scheme_id).split_count + 1
    query = (
        select(*columns(invoices, InvoiceRow))
        .where(
            invoices.c.scheme_id == scheme_id,
            invoices.c.release_no >= first,
            invoices.c.state == InvoiceState.RELEASED,
        )
        .order_by(invoices.c.release_no)
        .limit(limit)
    )
    found = records(connection, query, InvoiceRow)
    return [row for number, row in enumerate(found, start=first) if row.release_no == number]
