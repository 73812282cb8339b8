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
from ledger.report.sums import require_sums

FORMAT = 1
_PAGE_SIZE = 500
Names = Mapping[UUID, Mapping[str, str]]
Figures = dict[str, Any]
Connection = Any
"""A read connection as `ledger.projection.database.read` gives it."""
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
    claimants = _claimants(connection, splits, invoices)
    found: Figures = {
        "format": FORMAT,
        "block_number": totals.block_number,
        "names": _names(names),
        "totals": _totals(totals, invoices, splits, claimants),
        "schemes": _schemes(connection, invoices, splits, claimants),
        "products": _products(connection),
        "uses": _uses(connection, invoices, splits),
        "claimants": claimants,
        "payees": _payees(connection, claimants),
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


def _money_of(
    invoices: Iterable[queries.InvoiceRow], splits: Iterable[queries.SplitDetail]
) -> Figures:
    found = list(invoices)
    wanted = {invoice.invoice_id for invoice in found}
    own = [detail.split for detail in splits if detail.split.invoice_id in wanted]
    return {
        "invoice_count": len(found),
        "gross_fen": sum(invoice.gross_fen for invoice in found),
        "paid_fen": sum(invoice.paid_fen for invoice in found),
        "net_fen": sum(split.net_fen for split in own),
        "vat_fen": sum(split.vat_fen for split in own),
    }


def _totals(
    totals: queries.MarketTotals,
    invoices: list[queries.InvoiceRow],
    splits: list[queries.SplitDetail],
    claimants: list[Figures],
) -> Figures:
    counts = ("event", "organisation", "dataset", "version", "product", "licence", "log")
    names = [f"{name}_count" for name in (*counts, "anchor", "receipt")]
    return (
        _money_of(invoices, splits)
        | {name: getattr(totals, name) for name in names}
        | {
            "tax_micro_fen": str(totals.tax_micro_fen),
            "reserve_micro_fen": str(totals.reserve_micro_fen),
            "entitled_micro_fen": str(totals.entitled_micro_fen),
            "payable_fen": sum(row["payable_fen"] for row in claimants),
            "remitted_fen": totals.remitted_fen,
        }
    )


def _schemes(
    connection: Connection,
    invoices: list[queries.InvoiceRow],
    splits: list[queries.SplitDetail],
    claimants: list[Figures],
) -> list[Figures]:
    rows = []
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
            | _money_of(billed, splits)
        )
    return rows


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
        | _money_of(by_licence[licence.licence_no], splits)
        for licence in licences
    ]


def _claimants(
    connection: Connection,
    splits: list[queries.SplitDetail],
    invoices: list[queries.InvoiceRow],
) -> list[Figures]:
    products = {invoice.invoice_id: invoice.product_id for invoice in invoices}
    reasons: defaultdict[tuple[UUID, UUID], list[Figures]] = defaultdict(list)
    for detail in splits:
        for line in detail.lines:
            if line.claimant_id is not None and line.amount_micro_fen:
                reason = _reason(line, products[line.invoice_id])
                reasons[detail.split.scheme_id, line.claimant_id].append(reason)
    return [
        _claimant(connection, account, reasons[scheme.scheme_id, account.claimant_id])
        for scheme in _ordered_schemes(connection)
        for account in queries.accounts_of(connection, scheme.scheme_id)
    ]


def _reason(line: queries.SplitLineRow, product_id: UUID) -> Figures:
    return {
        "invoice_id": str(line.invoice_id),
        "product_id": str(product_id),
        "tier": Tier(line.tier).name.lower(),
        "amount_micro_fen": str(line.amount_micro_fen),
    }


def _claimant(
    connection: Connection, account: queries.AccountRow, reasons: list[Figures]
) -> Figures:
    return {
        "scheme_id": str(account.scheme_id),
        "claimant_id": str(account.claimant_id),
        "earner_id": str(queries.earner_of(connection, account.claimant_id)),
        "payee_id": _payee(connection, account.claimant_id),
        "cost_fen": account.cost_micro_fen // MICRO_FEN_PER_FEN,
        "entitled_micro_fen": str(account.entitled_micro_fen),
        "payable_fen": account.payable_fen,
        "carried_micro_fen": str(account.entitled_micro_fen % MICRO_FEN_PER_FEN),
        "remitted_fen": account.remitted_micro_fen // MICRO_FEN_PER_FEN,
        "reasons": reasons,
    }


def _payee(connection: Connection, claimant_id: UUID) -> str | None:
    """Return who is paid for a claimant, None while its city has no treasury."""
    try:
        return str(queries.payee_of_claimant(connection, claimant_id))
    except queries.PayeeUnknownError:
        return None


def _payees(connection: Connection, claimants: list[Figures]) -> list[Figures]:
    payable: defaultdict[str, int] = defaultdict(int)
    remitted: defaultdict[str, int] = defaultdict(int)
    for row in claimants:
        if row["payee_id"] is not None:
            payable[row["payee_id"]] += row["payable_fen"]
    for batch in queries.remittances_list(connection):
        remitted[str(batch.payee_id)] += batch.amount_fen
    return [
        {"payee_id": key, "payable_fen": payable[key], "remitted_fen": remitted[key]}
        for key in sorted(payable.keys() | remitted.keys())
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
