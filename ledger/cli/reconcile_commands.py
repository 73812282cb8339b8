"""`mdl reconcile`: the same sums from the tables, from the verifier and from the contract."""

from __future__ import annotations

from typing import Any

import typer

from ledger.app.reconciling import reconcile
from ledger.cli.shell import HomeOption, JsonOption, guarded, open_market, out, show, table
from ledger.domain.cities import CITIES
from ledger.domain.units import MICRO_FEN_PER_FEN, yuan_text

_COLUMNS = ("sql", "verifier", "chain", "difference")
_HEADS = ("figure 项目", "SQL yuan", "verifier yuan", "chain yuan", "difference fen")
_LABELS = {
    "gross_fen": "billed 账单",
    "paid_fen": "paid 到账",
    "income_micro_fen": "income 净收入",
    "tax_micro_fen": "tax 税费",
    "entitled_micro_fen": "entitled 应得",
    "remitted_fen": "remitted 划拨",
    "reserve_micro_fen": "reserve 超收",
    "carry_out_micro_fen": "carried 结转",
}


@guarded
def reconcile_command(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Compare what tables, verifier and contract say of each cycle (三方对账); 1 if they differ."""
    with open_market(home) as market:
        found = reconcile(market)
    show(found, as_json, lambda: print_reconciliation(found))
    if not found["ok"]:
        raise typer.Exit(1)


def print_reconciliation(found: dict[str, Any]) -> None:
    """Print a table per cycle: each figure three times, and the difference."""
    for row in found["cycles"]:
        city = CITIES[row["city_code"]]
        years = "–".join(str(year) for year in sorted({row["years"][0], row["years"][-1]}))
        rows = [
            (_LABELS[figure["name"]], *(_amount(figure, column) for column in _COLUMNS))
            for figure in row["figures"]
        ]
        out.print(table(f"{city.name_zh} {city.name_en} {years}", _HEADS, rows))


def _amount(figure: dict[str, str], column: str) -> str:
    """Return whole fen as yuan; a difference keeps its millionths."""
    amount = int(figure[column])
    if figure["name"].endswith("_micro_fen"):
        fen, rest = divmod(amount, MICRO_FEN_PER_FEN)
    else:
        fen, rest = amount, 0
    if column == "difference":
        return f"{fen}.{rest:06d}" if rest else str(fen)
    return yuan_text(fen)
