"""Schemes, licences and invoices as plain data, with who is a party to them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ledger.app.lookup import plain
from ledger.app.market import Market
from ledger.domain.codes import InvoiceState
from ledger.projection import queries


def scheme_found(market: Market, scheme_id: UUID) -> dict[str, Any]:
    """Return a scheme and its accounts; µfen as digits.

    Raises:
        NotFoundError: it is unknown.
    """
    with market.read() as connection:
        scheme = queries.scheme(connection, scheme_id)
        accounts = queries.accounts_of(connection, scheme_id)
    return _micro_fen_as_digits(plain(scheme)) | {
        "accounts": [_micro_fen_as_digits(plain(account)) for account in accounts]
    }


def licence_found(market: Market, licence_no: int) -> tuple[dict[str, Any], set[UUID]]:
    """Return a licence and its parties.

    Raises:
        NotFoundError: it is unknown.
    """
    with market.read() as connection:
        licence = queries.licence(connection, licence_no)
    return plain(licence), {licence.operator_id, licence.buyer_id}


def invoice_found(market: Market, invoice_id: UUID) -> tuple[dict[str, Any], set[UUID]]:
    """Return an invoice with its payments and split, and its parties.

    Raises:
        NotFoundError: it is unknown.
    """
    with market.read() as connection:
        invoice = queries.invoice(connection, invoice_id)
        payments = queries.payments_of(connection, invoice_id)
        scheme = queries.scheme(connection, invoice.scheme_id)
        is_split = invoice.state == InvoiceState.SPLIT and invoice.gross_fen > 0
        split = queries.split_of(connection, invoice_id) if is_split else None
    found = plain(invoice) | {
        "payments": [plain(payment) for payment in payments],
        "split": [_micro_fen_as_digits(plain(line)) for line in split.lines] if split else None,
    }
    return found, {invoice.buyer_id, scheme.operator_id}


def _micro_fen_as_digits(row: dict[str, Any]) -> dict[str, Any]:
    return {key: str(value) if key.endswith("_micro_fen") else value for key, value in row.items()}
