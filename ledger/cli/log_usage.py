"""`mdl log usage`: use summed over the logs, as a table, as JSON or as CSV."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from ledger.app.usage import FIGURES, UsageWanted, usage_found
from ledger.cli.shell import HomeOption, JsonOption, guarded, open_market, out, show
from ledger.cli.tables import label
from ledger.domain.calendar import instant_text
from ledger.domain.ids import parse_id
from ledger.report.tables import to_csv

BAR_CELLS = 8
NAME_CELLS = 12
HEADINGS = {
    "licence_no": "licence\n使用许可",
    "product_id": "product\n数据产品",
    "dataset_id": "dataset\n数据资源",
    "buyer_id": "buyer\n使用方",
    "city_code": "city\n城市",
    "period_id": "month\n月份",
    "purpose": "purpose\n用途",
    "mode": "mode\n提供方式",
    "receipts": "receipts\n计量凭证",
    "refusals": "refused\n拒绝",
    "units": "units\n计量",
    "records": "records\n记录",
}
NAMED = ("product_id", "dataset_id", "buyer_id", "city_code")

ByOption = Annotated[
    str,
    typer.Option(
        "--by",
        help="Comma separated: licence, product, dataset, buyer, city, month, purpose, mode. "
        "By dataset, a product's use counts for each dataset of its lineage.",
    ),
]
FromOption = Annotated[str | None, typer.Option("--from", help="First month, e.g. 2026-01.")]
ToOption = Annotated[str | None, typer.Option("--to", help="Last month, e.g. 2026-12.")]
LicenceOption = Annotated[int | None, typer.Option("--licence-no", min=1, help="One licence.")]
ProductOption = Annotated[str | None, typer.Option("--product-id", help="One product's licences.")]
BuyerOption = Annotated[str | None, typer.Option("--buyer-id", help="One buyer's licences.")]
LogOption = Annotated[int | None, typer.Option("--log-no", min=1, help="One log; all by default.")]


@guarded
def usage(
    by: ByOption = "product,month",
    month_from: FromOption = None,
    month_to: ToOption = None,
    licence_no: LicenceOption = None,
    product_id: ProductOption = None,
    buyer_id: BuyerOption = None,
    log_no: LogOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print one CSV table.")] = False,
) -> None:
    """Sum what was used 使用统计: receipts 计量凭证, refusals, units, records."""
    wanted = UsageWanted(
        by=tuple(part for part in by.split(",") if part.strip()),
        month_from=month_from,
        month_to=month_to,
        licence_no=licence_no,
        product_id=parse_id(product_id, "product_id") if product_id else None,
        buyer_id=parse_id(buyer_id, "buyer_id") if buyer_id else None,
        log_no=log_no,
    )
    with open_market(home) as market:
        found = usage_found(market, wanted)
    if as_csv:
        sys.stdout.write(to_csv(found["rows"] or [found["totals"]]))
    else:
        show(found, as_json, lambda: _print(found))


def _print(found: dict[str, Any]) -> None:
    by, rows, totals = found["by"], found["rows"], found["totals"]
    made = Table(title=_title(totals), title_justify="left", header_style="bold")
    for part in by:
        is_named = part in NAMED
        width = NAME_CELLS if is_named else None
        made.add_column(HEADINGS[part], overflow="fold", no_wrap=not is_named, min_width=width)
    for name in FIGURES:
        made.add_column(HEADINGS[name], justify="right", overflow="fold")
    made.add_column("", no_wrap=True)
    most = max((int(row["units"]) for row in rows), default=0)
    for row in rows:
        keys = (escape(_key(found["names"], part, row[part])) for part in by)
        made.add_row(*keys, *_figures(row), _bar(int(row["units"]), most))
    made.add_section()
    heads = ["total 合计", *[""] * (len(by) - 1)] if by else []
    made.add_row(*heads, *_figures(totals), style="bold")
    out.print(made)
    if "dataset_id" in by:
        out.print(
            "A product's use counts for each of its datasets; in the total it counts once. "
            "产品的使用计入其每一个数据资源,合计只计一次。",
            style="dim",
        )


def _title(totals: dict[str, Any]) -> str:
    """Return the title with the days of the first and the last use."""
    moments = (totals["first_used_at_ms"], totals["last_used_at_ms"])
    days = [instant_text(int(at) // 1_000)[:10] for at in moments if at is not None]
    return f"Use 使用统计  {' … '.join(days) or '—'}"


def _key(names: dict[str, dict[str, str]], part: str, value: Any) -> str:
    if part in NAMED:
        return label(names, None if value is None else str(value))
    return str(value)


def _figures(row: dict[str, Any]) -> list[str]:
    return [f"{int(row[name]):,}" for name in FIGURES]


def _bar(value: int, most: int) -> str:
    """Return a bar as long as its share of the largest, with at least a trace of what is there."""
    if value == 0 or most == 0:
        return ""
    return "█" * (value * BAR_CELLS // most) or "▏"
