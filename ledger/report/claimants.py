"""Who is credited what and why, and who is paid for whom.

Rules kept here:
1. Each µfen of a credit has its reason: the income, the tier, and whether it was taken back.
2. A public institution may be paid beside its city's treasury: `own_payable_fen` is its own part.
3. A payee may owe back what it was paid before a correction; its next batches set that off.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from ledger.domain.money import Tier
from ledger.domain.units import MICRO_FEN_PER_FEN
from ledger.projection import queries

Figures = dict[str, Any]
Connection = Any
Reasons = defaultdict[tuple[UUID, UUID], list[tuple[int, Figures]]]


def claimant_rows(
    connection: Connection,
    splits: list[queries.SplitDetail],
    invoices: list[queries.InvoiceRow],
) -> list[Figures]:
    """Return every account of every scheme with the reasons of its credit, in their order."""
    products = {invoice.invoice_id: invoice.product_id for invoice in invoices}
    reasons: Reasons = defaultdict(list)
    for detail in splits:
        _note_split(reasons, detail, products[detail.split.invoice_id])
    schemes = sorted(queries.schemes_list(connection), key=lambda scheme: scheme.scheme_id)
    for scheme in schemes:
        for fill in queries.fills_of(connection, scheme.scheme_id):
            _note_fill(reasons, fill)
    return [
        _claimant(connection, account, reasons[scheme.scheme_id, account.claimant_id])
        for scheme in schemes
        for account in queries.accounts_of(connection, scheme.scheme_id)
    ]


def payee_rows(connection: Connection, claimants: list[Figures]) -> list[Figures]:
    """Return what each payee is owed, was paid and owes back."""
    payable: defaultdict[str, int] = defaultdict(int)
    remitted: defaultdict[str, int] = defaultdict(int)
    for row in claimants:
        if row["payee_id"] is not None:
            payable[row["payee_id"]] += row["payable_fen"] - row["own_payable_fen"]
            payable[row["earner_id"]] += row["own_payable_fen"]
    for batch in queries.remittances_list(connection):
        remitted[str(batch.payee_id)] += batch.amount_fen
    owed = {str(key): amount for key, amount in queries.debtors(connection).items()}
    return [
        {
            "payee_id": key,
            "payable_fen": payable[key],
            "remitted_fen": remitted[key],
            "receivable_fen": owed.get(key, 0),
        }
        for key in sorted(payable.keys() | remitted.keys() | owed.keys())
    ]


def _note_split(reasons: Reasons, detail: queries.SplitDetail, product_id: UUID) -> None:
    split = detail.split
    for line in detail.lines:
        if line.claimant_id is not None and line.amount_micro_fen:
            reason = {
                "kind": "correction" if split.is_correction else "split",
                "invoice_id": str(split.invoice_id),
                "product_id": str(product_id),
                "tier": Tier(line.tier).name.lower(),
                "amount_micro_fen": str(split.sign * line.amount_micro_fen),
            }
            reasons[split.scheme_id, line.claimant_id].append((split.event_no, reason))


def _note_fill(reasons: Reasons, detail: queries.FillDetail) -> None:
    fill = detail.fill
    for line in detail.lines:
        if line.claimant_id is not None and line.amount_micro_fen:
            reason = {
                "kind": "carry_in" if fill.is_carry_in else "cycle_close",
                "invoice_id": None,
                "product_id": None,
                "tier": Tier(line.tier).name.lower(),
                "amount_micro_fen": str(line.amount_micro_fen),
            }
            reasons[fill.scheme_id, line.claimant_id].append((fill.event_no, reason))


def _claimant(
    connection: Connection, account: queries.AccountRow, reasons: list[tuple[int, Figures]]
) -> Figures:
    ordered = sorted(reasons, key=lambda item: item[0])
    payees = _payees(connection, account.claimant_id)
    owed = dict(queries.payable_of(connection, account, payees)) if payees else {}
    return {
        "scheme_id": str(account.scheme_id),
        "claimant_id": str(account.claimant_id),
        "earner_id": str(queries.earner_of(connection, account.claimant_id)),
        "payee_id": str(payees.payee_id) if payees else None,
        "cost_fen": account.cost_micro_fen // MICRO_FEN_PER_FEN,
        "recovered_micro_fen": str(account.recovered_micro_fen),
        "entitled_micro_fen": str(account.entitled_micro_fen),
        "payable_fen": account.payable_fen,
        "own_payable_fen": owed.get(payees.earner_id, 0) if payees else 0,
        "carried_micro_fen": str(account.entitled_micro_fen % MICRO_FEN_PER_FEN),
        "remitted_fen": account.remitted_micro_fen // MICRO_FEN_PER_FEN,
        "reasons": [reason for _, reason in ordered],
    }


def _payees(connection: Connection, claimant_id: UUID) -> queries.Payees | None:
    """Return who is paid for a claimant, None while its city has no treasury."""
    try:
        return queries.payees_of(connection, claimant_id)
    except queries.PayeeUnknownError:
        return None
