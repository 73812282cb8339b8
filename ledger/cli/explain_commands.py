"""`mdl explain` and `mdl account`: where each fen comes from, and what a party has received."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from ledger.app.explaining import explain
from ledger.app.names import display_names
from ledger.cli.shell import HomeOption, JsonOption, guarded, open_market, out, pairs, show, table
from ledger.cli.tables import TIERS, label
from ledger.domain.calendar import end_of_day
from ledger.domain.ids import parse_id
from ledger.domain.units import MICRO_FEN_PER_FEN, yuan_text, yuan_text_exact
from ledger.report.accounts import account_statement


@guarded
def explain_command(
    line: Annotated[
        str,
        typer.Argument(help="A line of a statement, an invoice, a batch or one of its lines."),
    ],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain an amount (逐步溯源): receipts, tariff, rule of law and arithmetic, step by step."""
    with open_market(home) as market:
        found, _ = explain(market, line)
    show(found, as_json, lambda: _print_explanation(found))


@guarded
def account_command(
    organisation_id: Annotated[str, typer.Argument(help="Id of the organisation.")],
    until: Annotated[str, typer.Option(help="Last day, 2026-11-30; today when absent.")] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a party's account (往来账): credited, remitted, payable, each line by its name."""
    last = end_of_day(until) if until else None
    key = parse_id(organisation_id, "organisation_id")
    with open_market(home) as market:
        names = display_names(market)
        with market.read() as connection:
            found = account_statement(connection, key, until=last, names=names)
    show(found, as_json, lambda: _print_account(found))


def _print_explanation(found: dict[str, Any]) -> None:
    exact = found.get("amount_micro_fen")
    amount = yuan_text_exact(int(exact)) if exact else yuan_text(found["amount_fen"])
    out.print(f"[bold]{found['kind']}[/] {escape(found['name'])}", highlight=False)
    claimant = found.get("claimant")
    if claimant:
        out.print(f"{escape(claimant['zh'])} {escape(claimant['en'])}", highlight=False)
    out.print(f"{amount} yuan", highlight=False)
    for number, step in enumerate(found["steps"], start=1):
        out.print(f"\n[bold]{number}  {escape(step['title'])}[/]", highlight=False)
        _indented(f"[dim]{escape(step['rule'])}[/]")
        for text in step["arithmetic"]:
            _indented(escape(text))
    if found.get("lines"):
        out.print("\n[bold]分账行 Lines[/]", highlight=False)
    for line in found.get("lines") or ():
        _indented(f"{line['name']}  {line['amount_micro_fen']} µfen")


def _indented(text: str) -> None:
    out.print(Padding(Text.from_markup(text), (0, 0, 0, 3)))


def _print_account(found: dict[str, Any]) -> None:
    names = found["names"]
    summary = {
        "party 机构": label(names, found["organisation_id"]),
        "credited 应得 yuan": yuan_text_exact(int(found["credited_micro_fen"])),
        "remitted 已划拨 yuan": yuan_text(found["remitted_fen"]),
        "payable 待划拨 yuan": yuan_text(found["payable_fen"]),
        "carried 结转 µfen": found["carried_micro_fen"],
        "receivable 应收回 µfen": found["receivable_micro_fen"],
    }
    out.print(pairs("Account 往来账", summary))
    for scheme in found["schemes"]:
        out.print(pairs("Scheme 定价方案", scheme))
    rows = [
        (
            entry["at"][:10],
            entry["line"],
            _why(entry, names),
            _signed_yuan(entry),
        )
        for entry in found["entries"]
    ]
    columns = ("date", "line 明细 (mdl explain)", "why 事由", "yuan")
    out.print(table("Lines 明细", columns, rows))


def _why(entry: dict[str, Any], names: dict[str, dict[str, str]]) -> str:
    what = TIERS[entry["tier"]] if entry["tier"] else "remitted 划拨"
    if entry["kind"] == "corrected":
        what = f"correction 红冲, {what}"
    return f"{what}: {label(names, entry['claimant_id'])}"


def _signed_yuan(entry: dict[str, Any]) -> str:
    amount = yuan_text(int(entry["amount_micro_fen"]) // MICRO_FEN_PER_FEN)
    return amount if entry["kind"] == "credited" else f"−{amount}"
