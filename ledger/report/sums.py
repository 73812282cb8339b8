"""The sums that a market statement must satisfy, whoever made it.

Rules kept here:
1. Σ net = Σ tax + Σ entitled + Σ reserve, exactly, in every scheme and in all.
2. Each claimant's credit is the sum of its reasons; entitled = remitted + payable + carried.
3. Totals are the sums of the parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ledger.domain.units import MICRO_FEN_PER_FEN
from ledger.report.errors import StatementSumError

Figures = Mapping[str, Any]
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
    for name in ("payable_fen", "remitted_fen"):
        rows = paid if name == "payable_fen" else statement["claimants"]
        _same(f"payees.{name}", _sum(statement["payees"], name), _sum(rows, name))


def _require_parts(totals: Figures, statement: Figures) -> None:
    for rows in ("schemes", "uses"):
        for name in _MONEY:
            _same(f"{rows}.{name}", _sum(statement[rows], name), totals[name])
    for name in ("payable_fen", "remitted_fen"):
        _same(f"claimants.{name}", _sum(statement["claimants"], name), totals[name])
        _same(f"schemes.{name}", _sum(statement["schemes"], name), totals[name])
    for name in ("entitled_micro_fen", "reserve_micro_fen"):
        _same(f"schemes.{name}", _sum(statement["schemes"], name), int(totals[name]))


def _require_waterfall(path: str, row: Figures, tax_micro_fen: str) -> None:
    shared = int(tax_micro_fen) + int(row["entitled_micro_fen"]) + int(row["reserve_micro_fen"])
    _same(f"{path}.net_fen", row["net_fen"] * MICRO_FEN_PER_FEN, shared)


def _require_claimant(row: Figures) -> None:
    path, entitled = f"claimants[{row['claimant_id']}]", int(row["entitled_micro_fen"])
    _same(f"{path}.reasons", _sum(row["reasons"], "amount_micro_fen"), entitled)
    whole = (row["payable_fen"] + row["remitted_fen"]) * MICRO_FEN_PER_FEN
    _same(f"{path}.payable_fen", whole + int(row["carried_micro_fen"]), entitled)


def _sum(rows: Sequence[Figures] | Iterable[Figures], name: str) -> int:
    return sum(int(row[name]) for row in rows)


def _same(path: str, got: int, expected: int) -> None:
    if got != expected:
        raise StatementSumError(
            f"{path}: {got} does not equal {expected}", field=path, got=got, expected=expected
        )
