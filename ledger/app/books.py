"""Schemes, licences and invoices as plain data, with who is a party to them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ledger.app.lookup import plain
from ledger.app.market import Market
from ledger.domain.codes import InvoiceState, SchemeState
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


def cycle_found(market: Market, cycle_id: UUID) -> dict[str, Any]:
    """Return a cycle with its years and how each ended; µfen as digits.

    Raises:
        NotFoundError: it is unknown.
    """
    with market.read() as connection:
        cycle = queries.cycle(connection, cycle_id)
        years = queries.years_of(connection, cycle_id)
        closed = [
            queries.year_close(connection, year.scheme_id)
            for year in years
            if year.state != SchemeState.OPEN
        ]
    return _micro_fen_as_digits(plain(cycle)) | {
        "years": [_micro_fen_as_digits(plain(year)) for year in years],
        "closed_years": [_micro_fen_as_digits(plain(close)) for close in closed],
    }


def deviations_found(market: Market, city_code: int) -> list[dict[str, Any]]:
    """Return the closed years of a city that wait for their price authority's response."""
    with market.read() as connection:
        found = queries.open_deviations(connection, city_code)
    return [_micro_fen_as_digits(plain(close)) for close in found]


def licence_found(market: Market, licence_no: int) -> tuple[dict[str, Any], set[UUID]]:
    """Return a licence and its parties.

    Raises:
        NotFoundError: it is unknown.
    """
    with market.read() as connection:
        licence = queries.licence(connection, licence_no)
    return plain(licence), {licence.operator_id, licence.buyer_id}


def invoice_found(market: Market, invoice_id: UUID) -> tuple[dict[str, Any], set[UUID]]:
    """Return an invoice with its payments, reductions and split, and its parties.

    Raises:
        NotFoundError: it is unknown.
    """
    with market.read() as connection:
        invoice = queries.invoice(connection, invoice_id)
        payments = queries.payments_of(connection, invoice_id)
        scheme = queries.scheme(connection, invoice.scheme_id)
        is_split = invoice.state == InvoiceState.SPLIT and invoice.gross_fen > 0
        split = queries.split_of(connection, invoice_id) if is_split else None
        reductions = queries.reductions_of(connection, invoice_id)
    found = plain(invoice) | {
        "payments": [plain(payment) for payment in payments],
        "reductions": [plain(reduction) for reduction in reductions],
        "split": [_micro_fen_as_digits(plain(line)) for line in split.lines] if split else None,
    }
    return found, {invoice.buyer_id, scheme.operator_id}


def _micro_fen_as_digits(row: dict[str, Any]) -> dict[str, Any]:
    return {key: str(value) if key.endswith("_micro_fen") else value for key, value in row.items()}
