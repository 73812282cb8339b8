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

_LINES_SHOWN = 60
_KINDS = {"remitted": "remitted 划拨", "taken_back": "remitted, taken back 划拨退回"}
_CLAIM_COLUMNS = ("claim 数据资源/机构", "credited yuan", "remitted yuan", "payable yuan")
_MONTH_COLUMNS = ("month 月份", "credited yuan", "remitted yuan")


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
    lines: Annotated[bool, typer.Option("--lines", help="Every line, however many.")] = False,
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
    show(found, as_json, lambda: _print_account(found, every_line=lines))


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


def _print_account(found: dict[str, Any], *, every_line: bool) -> None:
    names, entries = found["names"], found["entries"]
    summary = {
        "party 机构": label(names, found["organisation_id"]),
        "credited 应得 yuan": yuan_text_exact(int(found["credited_micro_fen"])),
        "remitted 已划拨 yuan": yuan_text(found["remitted_fen"]),
        "payable 待划拨 yuan": yuan_text(found["payable_fen"]),
        "carried 结转 yuan": yuan_text_exact(int(found["carried_micro_fen"])),
    }
    if found["received_fen"]:
        summary["received by itself 本机构实收 yuan"] = yuan_text(found["received_fen"])
    if found["set_off_fen"] or found["receivable_fen"]:
        summary["set off 已抵扣 yuan"] = yuan_text(found["set_off_fen"])
        summary["owes back 应退回 yuan"] = yuan_text(found["receivable_fen"])
    out.print(pairs("Account 往来账", summary))
    for scheme in found["schemes"]:
        out.print(pairs("Scheme 定价方案", _scheme_yuan(scheme)))
    out.print(table("By claim 按数据资源/机构", _CLAIM_COLUMNS, _claim_rows(found)))
    out.print(table("By month 按月", _MONTH_COLUMNS, _month_rows(entries)))
    if len(entries) > _LINES_SHOWN and not every_line:
        out.print(
            f"{len(entries):,} lines 明细: --lines shows them, --json has all", highlight=False
        )
        return
    rows = [
        (entry["at"][:10], entry["line"], _why(entry, names), _signed_yuan(entry))
        for entry in entries
    ]
    columns = ("date", "line 明细 (mdl explain)", "why 事由", "yuan")
    out.print(table("Lines 明细", columns, rows))


def _scheme_yuan(scheme: dict[str, Any]) -> dict[str, str]:
    return {
        "scheme id 方案编号": scheme["scheme_id"],
        "net 净收入 yuan": yuan_text(scheme["net_fen"]),
        "VAT 增值税 yuan": yuan_text(scheme["vat_fen"]),
        "tax 税费 yuan": yuan_text_exact(int(scheme["tax_micro_fen"])),
        "reserve 超收待扣减 yuan": yuan_text_exact(int(scheme["reserve_micro_fen"])),
        "shared 已分账 yuan": yuan_text_exact(int(scheme["shared_micro_fen"])),
    }


def _claim_rows(found: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return the sums of each dataset or organisation over its schemes, the largest first."""
    sums: dict[str, list[int]] = {}
    for claim in found["claims"]:
        own = sums.setdefault(claim["claimant_id"], [0, 0, 0])
        own[0] += int(claim["credited_micro_fen"])
        own[1] += claim["remitted_fen"]
        own[2] += claim["payable_fen"]
    return [
        (label(found["names"], key), yuan_text_exact(own[0]), yuan_text(own[1]), yuan_text(own[2]))
        for key, own in sorted(sums.items(), key=lambda item: -item[1][0])
    ]


def _month_rows(entries: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Return what was credited and remitted in each month, less what was taken back."""
    sums: dict[str, list[int]] = {}
    for entry in entries:
        month = sums.setdefault(entry["at"][:7], [0, 0])
        sign = 1 if entry["kind"] in ("credited", "remitted") else -1
        column = 0 if entry["kind"] in ("credited", "corrected") else 1
        month[column] += sign * int(entry["amount_micro_fen"])
    return [
        (month, yuan_text_exact(credited), yuan_text(remitted // MICRO_FEN_PER_FEN))
        for month, (credited, remitted) in sums.items()
    ]


def _why(entry: dict[str, Any], names: dict[str, dict[str, str]]) -> str:
    what = TIERS[entry["tier"]] if entry["tier"] else _KINDS[entry["kind"]]
    if entry["kind"] == "corrected":
        what = f"correction 红冲, {what}"
    return f"{what}: {label(names, entry['claimant_id'])}"


def _signed_yuan(entry: dict[str, Any]) -> str:
    amount = yuan_text(int(entry["amount_micro_fen"]) // MICRO_FEN_PER_FEN)
    return amount if entry["kind"] in ("credited", "taken_back") else f"−{amount}"
