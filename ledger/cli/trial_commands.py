"""Commands that price a use, or try a scheme or a tariff before it is approved."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from ledger.app.agreements import QuoteRequest
from ledger.app.pricing import price_preview
from ledger.app.requests import parse_part
from ledger.app.simulations import PricedUse, TriedScheme, price_use, read_trial, try_scheme
from ledger.cli.charts import Bar, stacked
from ledger.cli.market_commands import product_app
from ledger.cli.money_commands import scheme_app
from ledger.cli.shell import (
    HomeOption,
    JsonOption,
    guarded,
    open_market,
    out,
    show,
    table,
)
from ledger.cli.tables import TIERS
from ledger.domain.errors import MalformedValueError
from ledger.domain.money import Tier
from ledger.domain.units import (
    MICRO_FEN_PER_FEN,
    PPM_WHOLE,
    yuan_text,
    yuan_text_unit,
)

tariff_app = typer.Typer(help="Tariffs 收费标准: what a use would cost.")

TrialFile = Annotated[Path, typer.Argument(help="Body as JSON; - for standard input.")]
BARS_MAX = 12
_PARTS = {Tier[name.upper()]: label for name, label in TIERS.items()}
_OUTCOMES = {
    "adjust_price": "adjust specific prices 指导调整具体收费标准",
    "adjust_cap": "adjust caps 调整上限收费标准",
}


@scheme_app.command("simulate")
@guarded
def scheme_simulate(file: TrialFile, as_json: JsonOption = False) -> None:
    """Try a scheme on incomes (试算定价方案); needs no market, chain or database."""
    tried = try_scheme(_read(file))
    show(tried.as_dict(), as_json, lambda: _print_scheme(tried))


@tariff_app.command("price")
@guarded
def tariff_price(file: TrialFile, as_json: JsonOption = False) -> None:
    """Price a use by a tariff (试算收费); needs no market, chain or database."""
    priced = price_use(_read(file))
    show(priced.as_dict(), as_json, lambda: _print_price(priced))


@product_app.command("price")
@guarded
def product_price(
    product_id: Annotated[str, typer.Argument(help="Id of the product.")],
    units: Annotated[int, typer.Argument(help="Units in the tariff's basis.")],
    purpose: Annotated[str, typer.Option(help="Purpose 用途 of the use.")] = "industry",
    already_used_units: Annotated[
        int, typer.Option(help="Units used before in this year; they fill the bands first.")
    ] = 0,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a use would cost under the tariff in force, band by band (价格试算)."""
    body = {
        "product_id": product_id,
        "purpose": purpose,
        "units": units,
        "already_used_units": already_used_units,
    }
    with open_market(home) as market:
        found = price_preview(market, parse_part(QuoteRequest, body))

    def render() -> None:
        out.print(
            f"tariff 收费标准 no {found.tariff_no}, year 年度 {found.year}, "
            f"free quota 免费额度 {found.priced.tariff.free_quota_units:,} units "
            f"({found.free_units:,} of this use 本次)",
            highlight=False,
        )
        _print_price(found.priced)

    show(found.as_dict(), as_json, render)


def _read(file: Path) -> Any:
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise MalformedValueError(
            f"{file} cannot be read: {error.strerror}", field="file", got=str(file), expected="JSON"
        ) from error
    return read_trial(content)


def _print_scheme(tried: TriedScheme) -> None:
    splits, terms = tried.result.splits, tried.state.terms
    permitted = yuan_text(terms.permitted_micro_fen // MICRO_FEN_PER_FEN)
    out.print(f"Permitted income 最高准许收入 {permitted} yuan", highlight=False)
    bars = [
        Bar(
            f"{no}  {'refund 红冲' if split.is_refund else 'net 净收入'} "
            f"{yuan_text(split.net_fen)} yuan",
            [split.split.tier_micro_fen(tier) for tier in _PARTS],
        )
        for no, split in enumerate(splits[:BARS_MAX], start=1)
    ]
    out.print(stacked(list(_PARTS.values()), bars))
    if len(splits) > BARS_MAX:
        out.print(f"… {len(splits) - BARS_MAX} more incomes are in the tables and in --json")
    out.print(table("By tier 按层级", ("tier", "yuan", "share %"), _tier_rows(tried)))
    columns = ("claimant", "approved yuan", "cost yuan", "benefit yuan", "total yuan")
    out.print(table("By claimant 按权益方", columns, _claimant_rows(tried)))
    if tried.result.close is not None:
        _print_close(tried)


def _print_close(tried: TriedScheme) -> None:
    closed = tried.result.close
    assert closed is not None
    rows = [
        ("deviation 偏差", f"{_percent(closed.deviation.deviation_ppm)} %"),
        ("task 待办", _OUTCOMES[closed.deviation.outcome.name.lower()]),
    ]
    if closed.carry_out_micro_fen:
        rows.append(("filled from reserve 超收补足", _yuan(closed.filled_micro_fen)))
    rows += [
        (f"carry-out to cycle {no} 结转", _yuan(part))
        for no, part in enumerate(closed.carry_out_micro_fen, start=1)
    ]
    out.print(table("Close 结账", ("what", "result"), rows))


def _tier_rows(tried: TriedScheme) -> list[tuple[object, ...]]:
    totals = dict.fromkeys(_PARTS, 0)
    for split in tried.result.splits:
        for tier in _PARTS:
            amount = split.split.tier_micro_fen(tier)
            totals[tier] += -amount if split.is_refund else amount
    whole = sum(totals.values())
    return [
        (_PARTS[tier], _yuan(amount), _percent(amount * PPM_WHOLE // whole if whole else 0))
        for tier, amount in totals.items()
    ]


def _claimant_rows(tried: TriedScheme) -> list[tuple[object, ...]]:
    cost: dict[str, int] = {}
    benefit: dict[str, int] = {}
    for split in tried.result.splits:
        sign = -1 if split.is_refund else 1
        for tier, totals in (
            (Tier.LINEAGE_COST, cost),
            (Tier.COMMON_COST, cost),
            (Tier.BENEFIT, benefit),
        ):
            for name, amount in tried.shares(split, tier).items():
                totals[name] = totals.get(name, 0) + sign * amount
    approved = tried.state.terms.cost_micro_fen_by_claimant
    return [
        (
            name,
            _yuan(approved.get(key, 0)),
            _yuan(cost.get(name, 0)),
            _yuan(benefit.get(name, 0)),
            _yuan(cost.get(name, 0) + benefit.get(name, 0)),
        )
        for key, name in tried.names.items()
    ]


def _print_price(priced: PricedUse) -> None:
    parts, tariff = priced.parts, priced.tariff
    labels = [_band_label(part.below_units, part.band.up_to_units) for part in parts]
    bars = [
        Bar("units 用量", [part.units for part in parts]),
        Bar("list price 目录价", [part.list_micro_yuan for part in parts]),
    ]
    out.print(stacked([f"{label} units" for label in labels], bars))
    rows = [
        (
            label,
            yuan_text_unit(part.band.price_micro_yuan),
            f"{part.units:,}",
            yuan_text_unit(part.list_micro_yuan),
        )
        for label, part in zip(labels, parts, strict=True)
    ]
    columns = ("band 档", "unit price yuan", "units", "list yuan")
    out.print(table("Bands 分档累加", columns, rows))
    out.print(
        f"discount 折扣 {_percent(tariff.discount_ppm)} %   "
        f"purpose 用途 {escape(priced.purpose.name.lower())}   "
        f"basis 计费方式 {tariff.basis.name.lower()}\n"
        f"charge 应收 {yuan_text(priced.charge_fen)} yuan",
        highlight=False,
    )


def _band_label(below: int, up_to: int | None) -> str:
    return f"above {below:,}" if up_to is None else f"{below + 1:,}–{up_to:,}"


def _yuan(amount_micro_fen: int) -> str:
    return yuan_text(amount_micro_fen // MICRO_FEN_PER_FEN)


def _percent(share_ppm: int) -> str:
    """Return a share as percent with two decimals; floor."""
    return f"{share_ppm // 10_000}.{share_ppm % 10_000 // 100:02d}"
