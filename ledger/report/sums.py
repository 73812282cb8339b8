"""The sums that a market statement must satisfy, whoever made it.

Rules kept here:
1. Σ net + carry-in - carry-out = Σ tax + Σ entitled + Σ reserve, exactly, in each scheme and all.
2. Each claimant's credit is the sum of its reasons; entitled = remitted + payable + carried.
3. What an earner is paid itself is a part of what is payable for it.
4. Totals are the sums of the parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ledger.domain.units import MICRO_FEN_PER_FEN
from ledger.report.errors import StatementSumError

Figures = Mapping[str, Any]
_ENTITLEMENTS = tuple(
    f"{name}_micro_fen" for name in ("entitled", "reserve", "carry_in", "carry_out")
)
_MONEY = ("invoice_count", "gross_fen", "paid_fen", "net_fen", "vat_fen")


def require_sums(statement: Figures) -> None:
    """Check the sums of a market statement.

    Raises:
        StatementSumError: for the first sum that is wrong; `field` is its path.
    """
    totals = statement["totals"]
    _require_parts(totals, statement)
    _require_waterfall("totals", totals, totals["tax_micro_fen"])
    for scheme in statement["schemes"]:
        name = f"schemes[{scheme['scheme_id']}]"
        _require_waterfall(name, scheme, scheme["tax_taken_micro_fen"])
    for claimant in statement["claimants"]:
        _require_claimant(claimant)
    paid = [row for row in statement["claimants"] if row["payee_id"] is not None]
    payees = statement["payees"]
    _same("payees.payable_fen", _sum(payees, "payable_fen"), _sum(paid, "payable_fen"))
    _same("payees.remitted_fen", _sum(payees, "remitted_fen"), totals["remitted_fen"])
    _same("payees.receivable_fen", _sum(payees, "receivable_fen"), totals["receivable_fen"])


def _require_parts(totals: Figures, statement: Figures) -> None:
    for rows in ("schemes", "uses"):
        for name in _MONEY:
            _same(f"{rows}.{name}", _sum(statement[rows], name), totals[name])
    # What a payee owes back was paid to it and is counted for no claimant any more.
    counted = totals["remitted_fen"] - totals["receivable_fen"]
    for name, whole in (("payable_fen", totals["payable_fen"]), ("remitted_fen", counted)):
        _same(f"claimants.{name}", _sum(statement["claimants"], name), whole)
        _same(f"schemes.{name}", _sum(statement["schemes"], name), whole)
    for name in _ENTITLEMENTS:
        _same(f"schemes.{name}", _sum(statement["schemes"], name), int(totals[name]))


def _require_waterfall(path: str, row: Figures, tax_micro_fen: str) -> None:
    shared = int(tax_micro_fen) + int(row["entitled_micro_fen"]) + int(row["reserve_micro_fen"])
    carried = int(row["carry_in_micro_fen"]) - int(row["carry_out_micro_fen"])
    _same(f"{path}.net_fen", row["net_fen"] * MICRO_FEN_PER_FEN + carried, shared)


def _require_claimant(row: Figures) -> None:
    path, entitled = f"claimants[{row['claimant_id']}]", int(row["entitled_micro_fen"])
    _same(f"{path}.reasons", _sum(row["reasons"], "amount_micro_fen"), entitled)
    own = row["own_payable_fen"]
    _same(f"{path}.own_payable_fen", own, max(0, min(own, row["payable_fen"])))
    whole = (row["payable_fen"] + row["remitted_fen"]) * MICRO_FEN_PER_FEN
    _same(f"{path}.payable_fen", whole + int(row["carried_micro_fen"]), entitled)


def _sum(rows: Sequence[Figures] | Iterable[Figures], name: str) -> int:
    return sum(int(row[name]) for row in rows)


def _same(path: str, got: int, expected: int) -> None:
    if got != expected:
        raise StatementSumError(
            f"{path}: {got} does not equal {expected}", field=path, got=got, expected=expected
        )
