"""Reconciliation: the same sums from the tables, from the verifier and from the contract.

The three share no computation: SQL adds entries, the verifier replays events with code of its own,
the contract is asked what it keeps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any
from uuid import UUID

from ledger.app.market import Market
from ledger.app.verifying import recomputed_statement
from ledger.domain.units import MICRO_FEN_PER_FEN
from ledger.projection import queries
from ledger.projection.queries.reconciliation import invoice_ids_of, scheme_sums

FIGURES = (
    "gross_fen",
    "paid_fen",
    "income_micro_fen",
    "tax_micro_fen",
    "entitled_micro_fen",
    "remitted_fen",
    "reserve_micro_fen",
    "carry_out_micro_fen",
)


def reconcile(market: Market) -> dict[str, Any]:
    """Return the sums of every cycle three times, and whether all agree; integers as digits.

    A cycle's years stand together: its close pours the reserve of one year into another.
    """
    replayed = {row["scheme_id"]: row for row in recomputed_statement(market)["schemes"]}
    head = market.chain.head()
    rows: list[dict[str, Any]] = []
    with market.read() as connection:
        schemes = queries.schemes_list(connection)
        for cycle_id in sorted({scheme.cycle_id for scheme in schemes}):
            years = [scheme for scheme in schemes if scheme.cycle_id == cycle_id]
            columns = [
                _sum(asdict(scheme_sums(connection, year.scheme_id)) for year in years),
                _sum(_of_verifier(replayed[str(year.scheme_id)]) for year in years),
                _sum(_of_chain(market, connection, year.scheme_id, head.number) for year in years),
            ]
            carried = market.contracts.revenue.cycle(cycle_id, block=head.number)
            columns[0]["carry_out_micro_fen"] = queries.cycle(
                connection, cycle_id
            ).carry_out_micro_fen
            columns[2]["carry_out_micro_fen"] = carried.carry_out_micro_fen
            columns[2]["income_micro_fen"] += carried.carry_out_micro_fen
            rows.append(
                {
                    "cycle_id": str(cycle_id),
                    "city_code": years[0].city_code,
                    "years": [year.year for year in years],
                    "figures": [
                        _figure(name, *(column[name] for column in columns)) for name in FIGURES
                    ],
                }
            )
    is_same = all(figure["difference"] == "0" for row in rows for figure in row["figures"])
    return {"ok": is_same, "block_number": head.number, "cycles": rows}


def _sum(years: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for year in years:
        total.update(year)
    return dict(total)


def _figure(name: str, sql: int, verifier: int, chain: int) -> dict[str, str]:
    difference = max(sql, verifier, chain) - min(sql, verifier, chain)
    return {
        "name": name,
        "sql": str(sql),
        "verifier": str(verifier),
        "chain": str(chain),
        "difference": str(difference),
    }


def _of_verifier(row: dict[str, Any]) -> dict[str, int]:
    net = row["net_fen"] * MICRO_FEN_PER_FEN
    return {
        "gross_fen": row["gross_fen"],
        "paid_fen": row["paid_fen"],
        "income_micro_fen": net + int(row["carry_in_micro_fen"]),
        "carry_out_micro_fen": int(row["carry_out_micro_fen"]),
        "tax_micro_fen": int(row["tax_taken_micro_fen"]),
        "entitled_micro_fen": int(row["entitled_micro_fen"]),
        "remitted_fen": row["remitted_fen"],
        "reserve_micro_fen": int(row["reserve_micro_fen"]),
    }


def _of_chain(
    market: Market, connection: Any, scheme_id: UUID, block_number: int
) -> dict[str, int]:
    """Ask the contract; the tables only say which invoices and claimants there are."""
    revenue = market.contracts.revenue
    scheme = revenue.scheme(scheme_id, block=block_number)
    claimants = [row.claimant_id for row in queries.accounts_of(connection, scheme_id)]
    accounts = revenue.accounts(scheme_id, claimants, block=block_number)
    invoices = revenue.invoices(invoice_ids_of(connection, scheme_id), block=block_number)
    kept = scheme.tax_taken_micro_fen + scheme.recovered_micro_fen + scheme.reserve_micro_fen
    shared = scheme.benefit_micro_fen - scheme.forgone_micro_fen
    return {
        "gross_fen": sum(invoice.gross_fen for invoice in invoices),
        "paid_fen": sum(invoice.paid_fen for invoice in invoices),
        "income_micro_fen": kept + shared,
        "tax_micro_fen": scheme.tax_taken_micro_fen,
        "entitled_micro_fen": sum(account.entitled_micro_fen for account in accounts),
        "remitted_fen": sum(account.remitted_micro_fen for account in accounts)
        // MICRO_FEN_PER_FEN,
        "reserve_micro_fen": scheme.reserve_micro_fen,
    }
