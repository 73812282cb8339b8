"""`mdl log usage`: use summed over the logs, as a table, as JSON or as CSV."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from ledger.app.usage import FIGURES, UsageWanted, usage_found
from ledger.cli.shell import HomeOption, JsonOption, guarded, open_market, out, show, table
from ledger.cli.tables import label
from ledger.domain.calendar import instant_text
from ledger.domain.ids import parse_id
from ledger.report.tables import to_csv

BAR_CELLS = 16
HEADINGS = {
    "licence_no": "licence no 使用许可",
    "product_id": "product 数据产品",
    "dataset_id": "dataset 数据资源",
    "buyer_id": "buyer 使用方",
    "city_code": "city 城市",
    "period_id": "month 月份",
    "purpose": "purpose 用途",
    "mode": "mode 提供方式",
}

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
    by, names, totals = found["by"], found["names"], found["totals"]
    most = max((int(row["units"]) for row in found["rows"]), default=0)
    rows = [
        (
            *(_key(names, part, row[part]) for part in by),
            *(f"{int(row[name]):,}" for name in FIGURES),
            *_period(row),
            _bar(int(row["units"]), most),
        )
        for row in found["rows"]
    ]
    columns = (
        *(HEADINGS[part] for part in by),
        "receipts no 凭证",
        "refusals no 拒绝",
        "units 计量",
        "records rows 记录",
        "first use",
        "last use",
        "",
    )
    made = table("Use 使用统计", columns, rows)
    made.add_section()
    made.add_row(
        *["total 合计" if place == 0 else "" for place in range(len(by))],
        *(f"{int(totals[name]):,}" for name in FIGURES),
        *_period(totals),
        "",
        style="bold",
    )
    out.print(made)
    if "dataset_id" in by:
        out.print(
            "A product's use counts for each of its datasets; in the total it counts once. "
            "产品的使用计入其每一个数据资源,合计只计一次。",
            style="dim",
        )


def _key(names: dict[str, dict[str, str]], part: str, value: Any) -> str:
    named = part in ("product_id", "dataset_id", "buyer_id", "city_code")
    return label(names, str(value) if value is not None else None) if named else str(value)


def _period(row: dict[str, Any]) -> list[str]:
    """Return the days of the first and the last use."""
    moments = (row["first_used_at_ms"], row["last_used_at_ms"])
    return ["—" if at is None else instant_text(int(at) // 1_000)[:10] for at in moments]


def _bar(value: int, most: int) -> str:
    """Return a bar as long as its share of the largest, with at least a trace of what is there."""
    if value == 0 or most == 0:
        return ""
    return "█" * (value * BAR_CELLS // most) or "▏"
