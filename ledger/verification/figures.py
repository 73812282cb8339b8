"""The figures that a market statement must show, computed from the replay alone.

The shape is that of `ledger.report.statements`; only the shape is shared, by agreement.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from ledger.domain.units import MICRO_FEN_PER_FEN
from ledger.verification.books import Invoice, Reason
from ledger.verification.market import MarketReplay

FORMAT = 3
_MONEY = ("gross_fen", "paid_fen", "net_fen", "vat_fen")
Figures = dict[str, Any]


def expected_statement(market: MarketReplay, block_number: int) -> Figures:
    """Return the statement of the whole market, without names."""
    claimants = _claimants(market)
    return {
        "format": FORMAT,
        "block_number": block_number,
        "totals": _totals(market, claimants),
        "schemes": _schemes(market, claimants),
        "products": _products(market),
        "uses": _uses(market),
        "claimants": claimants,
        "payees": _payees(market, claimants),
        "anchors": _anchors(market),
    }


def _money_of(invoices: Iterable[Invoice]) -> Figures:
    found = list(invoices)
    sums = {name: sum(getattr(invoice, name) for invoice in found) for name in _MONEY}
    return {"invoice_count": len(found)} | sums


def _totals(market: MarketReplay, claimants: list[Figures]) -> Figures:
    books = market.money.books
    schemes = books.schemes.values()
    return _money_of(books.invoices.values()) | {
        "event_count": market.event_count,
        "organisation_count": len(market.directory.organisations),
        "dataset_count": len(market.datasets.datasets),
        "version_count": market.seen["VersionAdded"],
        "product_count": len(market.licences.products),
        "licence_count": len(market.licences.licences),
        "log_count": len(market.logs.logs),
        "anchor_count": sum(len(log.anchors) for log in market.logs.logs.values()),
        "receipt_count": sum(log.size for log in market.logs.logs.values()),
        "tax_micro_fen": str(sum(scheme.tax_taken_micro_fen for scheme in schemes)),
        "reserve_micro_fen": str(sum(scheme.reserve_micro_fen for scheme in schemes)),
        "entitled_micro_fen": str(_entitled(claimants)),
        "payable_fen": sum(claimant["payable_fen"] for claimant in claimants),
        "remitted_fen": sum(batch.amount_fen for batch in books.batches.values()),
        "receivable_fen": sum(books.receivable_fen.values()),
        "carry_in_micro_fen": str(sum(scheme.carry_in_micro_fen for scheme in schemes)),
        "carry_out_micro_fen": str(sum(scheme.carry_out_micro_fen for scheme in schemes)),
    }


def _entitled(claimants: list[Figures]) -> int:
    return sum(int(claimant["entitled_micro_fen"]) for claimant in claimants)


def _schemes(market: MarketReplay, claimants: list[Figures]) -> list[Figures]:
    rows = []
    for scheme_id, scheme in sorted(market.money.books.schemes.items()):
        own = [row for row in claimants if row["scheme_id"] == str(scheme_id)]
        invoices = market.money.books.invoices.values()
        rows.append(
            {
                "scheme_id": str(scheme_id),
                "operator_id": str(scheme.terms["operator_id"]),
                "city_code": scheme.terms["city_code"],
                "year": scheme.terms["year"],
                "cost_fen": sum(row["cost_fen"] for row in own),
                "tax_fen": scheme.tax_micro_fen // MICRO_FEN_PER_FEN,
                "tax_taken_micro_fen": str(scheme.tax_taken_micro_fen),
                "reserve_micro_fen": str(scheme.reserve_micro_fen),
                "entitled_micro_fen": str(_entitled(own)),
                "payable_fen": sum(row["payable_fen"] for row in own),
                "remitted_fen": sum(row["remitted_fen"] for row in own),
                "carry_in_micro_fen": str(scheme.carry_in_micro_fen),
                "carry_out_micro_fen": str(scheme.carry_out_micro_fen),
            }
            | _money_of(invoice for invoice in invoices if invoice.scheme_id == scheme_id)
        )
    return rows


def _products(market: MarketReplay) -> list[Figures]:
    return [
        {
            "product_id": str(product_id),
            "operator_id": str(product.operator_id),
            "city_code": product.city_code,
            "state": int(product.state),
            "tariff_no": len(product.tariffs),
            "lineage": [
                entry | {"claimant_id": str(entry["claimant_id"])} for entry in product.lineage
            ],
        }
        for product_id, product in sorted(market.licences.products.items())
    ]


def _uses(market: MarketReplay) -> list[Figures]:
    by_licence: defaultdict[int, list[Invoice]] = defaultdict(list)
    for invoice in market.money.books.invoices.values():
        by_licence[invoice.licence_no].append(invoice)
    return [
        {
            "licence_no": number,
            "buyer_id": str(licence.buyer_id),
            "product_id": str(licence.product_id),
            "purpose": licence.purpose,
            "units": sum(invoice.units for invoice in by_licence[number]),
        }
        | _money_of(by_licence[number])
        for number, licence in sorted(market.licences.licences.items())
    ]


def _claimants(market: MarketReplay) -> list[Figures]:
    return [
        {
            "scheme_id": str(scheme_id),
            "claimant_id": str(claimant_id),
            "earner_id": str(market.money.earner_of(claimant_id)),
            "payee_id": _text(market.money.payee_of(claimant_id)),
            "cost_fen": account.cost_fen,
            "recovered_micro_fen": str(account.recovered_micro_fen),
            "entitled_micro_fen": str(account.entitled_micro_fen),
            "payable_fen": account.payable_fen,
            "own_payable_fen": market.money.own_payable_fen(claimant_id, account),
            "carried_micro_fen": str(account.entitled_micro_fen % MICRO_FEN_PER_FEN),
            "remitted_fen": account.remitted_fen,
            "reasons": [_reason(reason, tier, amount) for reason, tier, amount in account.reasons],
        }
        for scheme_id, scheme in sorted(market.money.books.schemes.items())
        for claimant_id, account in sorted(scheme.accounts.items())
    ]


def _reason(reason: Reason, tier: str, amount_micro_fen: int) -> Figures:
    return {
        "kind": reason.kind,
        "invoice_id": _text(reason.invoice_id),
        "product_id": _text(reason.product_id),
        "tier": tier,
        "amount_micro_fen": str(amount_micro_fen),
    }


def _payees(market: MarketReplay, claimants: list[Figures]) -> list[Figures]:
    payable: defaultdict[str, int] = defaultdict(int)
    remitted: defaultdict[str, int] = defaultdict(int)
    for row in claimants:
        if row["payee_id"] is not None:
            payable[row["payee_id"]] += row["payable_fen"] - row["own_payable_fen"]
            payable[row["earner_id"]] += row["own_payable_fen"]
    for batch in market.money.books.batches.values():
        remitted[str(batch.payee_id)] += batch.amount_fen
    owed = {str(key): amount for key, amount in market.money.books.receivable_fen.items() if amount}
    return [
        {
            "payee_id": key,
            "payable_fen": payable[key],
            "remitted_fen": remitted[key],
            "receivable_fen": owed.get(key, 0),
        }
        for key in sorted(payable.keys() | remitted.keys() | owed.keys())
    ]


def _anchors(market: MarketReplay) -> list[Figures]:
    return [
        {
            "log_no": number,
            "keeper_id": str(log.keeper_id),
            "anchor_count": len(log.anchors),
            "receipt_count": log.size,
            "root": "0x" + (log.anchors[-1].root if log.anchors else bytes(32)).hex(),
            "time_ms": log.time_ms,
        }
        for number, log in sorted(market.logs.logs.items())
    ]


def _text(identity: UUID | None) -> str | None:
    return None if identity is None else str(identity)
