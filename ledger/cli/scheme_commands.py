"""Commands on what becomes of a scheme and its splits: changes, corrections, closes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.app.books import cycle_found, deviations_found
from ledger.cli.money_commands import invoice_app, scheme_app, split_app
from ledger.cli.shell import (
    AsOption,
    HomeOption,
    JsonOption,
    carry_out,
    guarded,
    open_market,
    out,
    pairs,
    read_json,
    show,
)
from ledger.cli.tables import print_detail
from ledger.domain.ids import parse_id

ReasonOption = Annotated[str, typer.Option("--reason", help="Text of the decision's document.")]
ReceiptOption = Annotated[
    str | None, typer.Option("--receipt", help="Text of the bank's line of the refund.")
]


@scheme_app.command("change")
@guarded
def scheme_change(
    file: Path, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Announce another version of a scheme from a JSON file (公告方案调整)."""
    carry_out(home, key_name, "announce-change", read_json(file), as_json)


@scheme_app.command("enact")
@guarded
def scheme_enact(
    scheme_id: str, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Bring the announced change of a scheme into force (方案调整生效)."""
    carry_out(home, key_name, "enact-change", {"scheme_id": scheme_id}, as_json)


@scheme_app.command("close-year")
@guarded
def scheme_close_year(
    scheme_id: str,
    accounts: Annotated[str, typer.Argument(help="Text of the annual accounts.")],
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close an accounting year after its end (年度结账)."""
    body = {"scheme_id": scheme_id, "accounts": accounts}
    carry_out(home, key_name, "close-year", body, as_json)


@scheme_app.command("deviations")
@guarded
def scheme_deviations(city_code: int, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the closed years of a city that wait for a response to their deviation."""
    with open_market(home) as market:
        found = deviations_found(market, city_code)

    def render() -> None:
        for row in found:
            out.print(pairs("Year 年度", row))

    show(found, as_json, render)


@scheme_app.command("answer")
@guarded
def scheme_answer(
    scheme_id: str,
    response: Annotated[str, typer.Argument(help="Text of the response.")],
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a year's deviation (回应年度偏离); the price authority's step."""
    body = {"scheme_id": scheme_id, "response": response}
    carry_out(home, key_name, "answer-deviation", body, as_json)


@scheme_app.command("close-cycle")
@guarded
def scheme_close_cycle(
    cycle_id: str,
    instalments: Annotated[int, typer.Argument(help="Later cycles that deduct the excess, 1-3.")],
    key_name: AsOption,
    reason: ReasonOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close a review cycle and spread what was recovered too much (监管周期结账)."""
    body = {"cycle_id": cycle_id, "instalments": instalments, "reason": reason}
    carry_out(home, key_name, "close-cycle", body, as_json)


@scheme_app.command("cycle")
@guarded
def scheme_cycle(cycle_id: str, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show one cycle 监管周期: its years and what it carries out."""
    with open_market(home) as market:
        found = cycle_found(market, parse_id(cycle_id, "cycle_id"))
    show(found, as_json, lambda: print_detail("Cycle 监管周期", found))


@scheme_app.command("pour")
@guarded
def scheme_pour(
    scheme_id: str, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Deduct the excess of earlier cycles in the first year of a cycle (上期超收扣减)."""
    carry_out(home, key_name, "pour-carry-in", {"scheme_id": scheme_id}, as_json)


@invoice_app.command("reduce")
@guarded
def invoice_reduce(
    invoice_id: str,
    reduction_fen: int,
    key_name: AsOption,
    reason: ReasonOption,
    receipt: ReceiptOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reduce a bill that is not split (减额): a credit note, or a refund with its receipt."""
    body = _reduction(invoice_id, reduction_fen, reason, receipt)
    carry_out(home, key_name, "reduce-invoice", body, as_json)


@split_app.command("correct")
@guarded
def split_correct(
    invoice_id: str,
    key_name: AsOption,
    reason: ReasonOption,
    reduction_fen: Annotated[int, typer.Option("--refund-fen", help="What was refunded.")] = 0,
    receipt: ReceiptOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a split back by equal and opposite entries (红冲)."""
    body = _reduction(invoice_id, reduction_fen, reason, receipt)
    carry_out(home, key_name, "correct-split", body, as_json)


def _reduction(
    invoice_id: str, reduction_fen: int, reason: str, receipt: str | None
) -> dict[str, Any]:
    return {
        "invoice_id": invoice_id,
        "reduction_fen": reduction_fen,
        "reason": reason,
        "receipt": receipt,
    }


__all__ = ["invoice_app", "scheme_app", "split_app"]
