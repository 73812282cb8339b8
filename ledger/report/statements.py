"""Statements of the market: who supplied, who used, who gets how many fen and why.

Rules kept here:
1. Fen are integers; µfen are strings of digits, because they may exceed what JSON keeps exact.
2. Lists are ordered by their ids, so equal projections give equal bytes.
3. A statement whose figures do not add up is refused, when made and when read.
4. Names come from off-chain profiles; no figure depends on them.

The shape is a contract with `ledger.verification`, which computes every figure again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from ledger.codec.canonical import canonical_json
from ledger.domain.ids import digest_text
from ledger.domain.money import Tier
from ledger.domain.units import MICRO_FEN_PER_FEN
from ledger.projection import queries
from ledger.report.claimants import claimant_rows, payee_rows
from ledger.report.sums import require_sums

FORMAT = 3
_PAGE_SIZE = 500
Names = Mapping[UUID, Mapping[str, str]]
Figures = dict[str, Any]
Connection = Any
"""A read connection as `ledger.projection.database.read` gives it."""
SplitsByInvoice = Mapping[UUID, list[queries.SplitRow]]
Record = TypeVar("Record")


def market_statement(connection: Connection, names: Names | None = None) -> Figures:
    """Return the statement of the whole market, ready for JSON.

    Args:
        connection: a read connection to the projections.
        names: {"zh", "en"} of organisations, datasets and products, as far as they are known.

    Raises:
        StatementSumError: the projections' figures do not add up.
    """
    totals = queries.market_totals(connection)
    invoices = _all(lambda at: queries.invoices_list(connection, limit=_PAGE_SIZE, offset=at))
    splits = _splits(connection)
    claimants = claimant_rows(connection, splits, invoices)
    schemes = _schemes(connection, invoices, splits, claimants)
    found: Figures = {
        "format": FORMAT,
        "block_number": totals.block_number,
        "names": _names(names),
        "totals": _totals(connection, invoices, splits, claimants, schemes),
        "schemes": schemes,
        "products": _products(connection),
        "uses": _uses(connection, invoices, splits),
        "claimants": claimants,
        "payees": payee_rows(connection, claimants),
        "anchors": _anchors(connection),
    }
    require_sums(found)
    return found


def organisation_statement(
    connection: Connection, organisation_id: UUID, names: Names | None = None
) -> Figures:
    """Return what concerns one organisation: supply, use, what it is owed and was paid.

    Raises:
        NotFoundError: the organisation is unknown.
        StatementSumError: the projections' figures do not add up.
    """
    queries.organisation(connection, organisation_id)
    whole, own = market_statement(connection, names), str(organisation_id)
    return {
        "format": FORMAT,
        "block_number": whole["block_number"],
        "organisation_id": own,
        "names": whole["names"],
        "uses": [row for row in whole["uses"] if row["buyer_id"] == own],
        "claimants": [row for row in whole["claimants"] if row["earner_id"] == own],
        "schemes": [row for row in whole["schemes"] if row["operator_id"] == own],
        "products": [row for row in whole["products"] if row["operator_id"] == own],
        "payees": [row for row in whole["payees"] if row["payee_id"] == own],
    }


def canonical(statement: Figures) -> bytes:
    """Return a statement as canonical JSON: the bytes that are stored, signed and compared."""
    return canonical_json(statement)


def _all(part: Callable[[int], queries.Page[Record]]) -> list[Record]:
    items: list[Record] = []
    while True:
        page = part(len(items))
        items += page.items
        if not page.items or len(items) >= page.total:
            return items


def _splits(connection: Connection) -> list[queries.SplitDetail]:
    return [
        split
        for scheme in _ordered_schemes(connection)
        for split in queries.splits_of(connection, scheme.scheme_id)
    ]


def _ordered_schemes(connection: Connection) -> list[queries.SchemeRow]:
    return sorted(queries.schemes_list(connection), key=lambda scheme: scheme.scheme_id)


def _by_invoice(splits: Iterable[queries.SplitDetail]) -> SplitsByInvoice:
    found: defaultdict[UUID, list[queries.SplitRow]] = defaultdict(list)
    for detail in splits:
        found[detail.split.invoice_id].append(detail.split)
    return found


def _money_of(invoices: Iterable[queries.InvoiceRow], splits: SplitsByInvoice) -> Figures:
    found = list(invoices)
    own = [split for invoice in found for split in splits.get(invoice.invoice_id, ())]
    return {
        "invoice_count": len(found),
        "gross_fen": sum(invoice.gross_fen for invoice in found),
        "paid_fen": sum(invoice.paid_fen for invoice in found),
        "net_fen": sum(split.sign * split.net_fen for split in own),
        "vat_fen": sum(split.sign * split.vat_fen for split in own),
    }


def _totals(
    connection: Connection,
    invoices: list[queries.InvoiceRow],
    splits: list[queries.SplitDetail],
    claimants: list[Figures],
    schemes: list[Figures],
) -> Figures:
    totals = queries.market_totals(connection)
    counts = ("event", "organisation", "dataset", "version", "product", "licence", "log")
    names = [f"{name}_count" for name in (*counts, "anchor", "receipt")]
    return (
        _money_of(invoices, _by_invoice(splits))
        | {name: getattr(totals, name) for name in names}
        | {
            "tax_micro_fen": str(totals.tax_micro_fen),
            "reserve_micro_fen": str(totals.reserve_micro_fen),
            "entitled_micro_fen": str(totals.entitled_micro_fen),
            "payable_fen": sum(row["payable_fen"] for row in claimants),
            "remitted_fen": totals.remitted_fen,
            "receivable_fen": sum(queries.debtors(connection).values()),
        }
        | _carried(schemes)
    )


def _schemes(
    connection: Connection,
    invoices: list[queries.InvoiceRow],
    splits: list[queries.SplitDetail],
    claimants: list[Figures],
) -> list[Figures]:
    rows, by_invoice = [], _by_invoice(splits)
    for scheme in _ordered_schemes(connection):
        own = [row for row in claimants if row["scheme_id"] == str(scheme.scheme_id)]
        billed = [item for item in invoices if item.scheme_id == scheme.scheme_id]
        rows.append(
            {
                "scheme_id": str(scheme.scheme_id),
                "operator_id": str(scheme.operator_id),
                "city_code": scheme.city_code,
                "year": scheme.year,
                "cost_fen": sum(row["cost_fen"] for row in own),
                "tax_fen": scheme.tax_micro_fen // MICRO_FEN_PER_FEN,
                "tax_taken_micro_fen": str(scheme.tax_taken_micro_fen),
                "reserve_micro_fen": str(scheme.reserve_micro_fen),
                "entitled_micro_fen": str(sum(int(row["entitled_micro_fen"]) for row in own)),
                "payable_fen": sum(row["payable_fen"] for row in own),
                "remitted_fen": sum(row["remitted_fen"] for row in own),
            }
            | _money_of(billed, by_invoice)
            | _carry(connection, scheme.scheme_id, splits)
        )
    return rows


def _carry(connection: Connection, scheme_id: UUID, splits: list[queries.SplitDetail]) -> Figures:
    """Return what an earlier cycle brought, and what its own cycle took at its close."""
    fills = queries.fills_of(connection, scheme_id)
    carried_in = [detail for detail in fills if detail.fill.is_carry_in]
    reserve = sum(_reserve(detail.lines) for detail in carried_in)
    for detail in splits:
        if detail.split.scheme_id == scheme_id:
            reserve += detail.split.sign * _reserve(detail.lines)
    closed = [detail for detail in fills if not detail.fill.is_carry_in]
    kept = sum(detail.fill.amount_micro_fen - _reserve(detail.lines) for detail in closed)
    return {
        "carry_in_micro_fen": str(sum(detail.fill.amount_micro_fen for detail in carried_in)),
        "carry_out_micro_fen": str(reserve - kept if closed else 0),
    }


def _carried(schemes: list[Figures]) -> Figures:
    names = ("carry_in_micro_fen", "carry_out_micro_fen")
    return {name: str(sum(int(scheme[name]) for scheme in schemes)) for name in names}


def _reserve(lines: Iterable[queries.SplitLineRow]) -> int:
    return sum(line.amount_micro_fen for line in lines if line.tier == Tier.RESERVE)


def _products(connection: Connection) -> list[Figures]:
    rows = _all(lambda at: queries.search_products(connection, limit=_PAGE_SIZE, offset=at))
    return [
        {
            "product_id": str(product.product_id),
            "operator_id": str(product.operator_id),
            "city_code": product.city_code,
            "state": product.state,
            "tariff_no": product.tariff_no,
            "lineage": [
                {
                    "claimant_id": str(entry.claimant_id),
                    "kind": entry.kind,
                    "weight_ppm": entry.weight_ppm,
                }
                for entry in queries.lineage_of(connection, product.product_id)
            ],
        }
        for product in sorted(rows, key=lambda product: product.product_id)
    ]


def _uses(
    connection: Connection,
    invoices: list[queries.InvoiceRow],
    splits: list[queries.SplitDetail],
) -> list[Figures]:
    by_licence: defaultdict[int, list[queries.InvoiceRow]] = defaultdict(list)
    for invoice in invoices:
        by_licence[invoice.licence_no].append(invoice)
    by_invoice = _by_invoice(splits)
    licences = _all(lambda at: queries.licences_list(connection, limit=_PAGE_SIZE, offset=at))
    return [
        {
            "licence_no": licence.licence_no,
            "buyer_id": str(licence.buyer_id),
            "product_id": str(licence.product_id),
            "purpose": licence.purpose,
            "units": sum(
                item.to_units - item.from_units for item in by_licence[licence.licence_no]
            ),
        }
        | _money_of(by_licence[licence.licence_no], by_invoice)
        for licence in licences
    ]


def _anchors(connection: Connection) -> list[Figures]:
    return [
        {
            "log_no": log.log_no,
            "keeper_id": str(log.keeper_id),
            "anchor_count": len(queries.anchors_of(connection, log.log_no)),
            "receipt_count": log.size,
            "root": digest_text(log.root),
            "time_ms": log.time_ms,
        }
        for log in queries.logs_list(connection)
    ]


def _names(names: Names | None) -> dict[str, dict[str, str]]:
    return {str(key): dict(value) for key, value in sorted((names or {}).items())}
