"""The statement as tables that people read."""

from __future__ import annotations

from typing import Any

from ledger.cli.shell import cell, out, pairs, table
from ledger.domain.units import MICRO_FEN_PER_FEN, yuan_text

TIERS = {
    "tax": "tax 税费",
    "lineage_cost": "lineage cost 成本补偿",
    "common_cost": "common cost 公共成本",
    "benefit": "benefit 收益分享",
    "reserve": "reserve 超收待扣减",
    "outcome": "outcome share 成果收益分享",
}


def label(names: dict[str, dict[str, str]], key: str | None) -> str:
    """Return what people call an id: Chinese, then English."""
    if key is None:
        return "—"
    found = names.get(key)
    return f"{found['zh']} {found['en']}" if found else key


def print_detail(title: str, found: dict[str, Any]) -> None:
    """Print one record: its own members as pairs, its lists as tables, its parts as pairs."""
    own = {key: value for key, value in found.items() if not isinstance(value, dict | list)}
    out.print(pairs(title, own))
    for key, value in found.items():
        heading = key.replace("_", " ")
        if isinstance(value, dict):
            out.print(pairs(heading, value))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            rows = [tuple(cell(name, item) for name, item in row.items()) for row in value]
            out.print(table(heading, tuple(value[0]), rows))
        elif isinstance(value, list) and value:
            out.print(pairs(heading, {str(no): item for no, item in enumerate(value, start=1)}))


def print_statement(found: dict[str, Any]) -> None:
    """Print who used, who supplied, who gets how many fen and why."""
    names = found["names"]
    uses = [
        (
            label(names, use["buyer_id"]),
            label(names, use["product_id"]),
            use["licence_no"],
            f"{use['units']:,}",
            yuan_text(use["gross_fen"]),
            yuan_text(use["paid_fen"]),
        )
        for use in found["uses"]
    ]
    columns = (
        "buyer 使用方",
        "product 数据产品",
        "licence no",
        "units",
        "billed yuan",
        "paid yuan",
    )
    out.print(table("Who used 谁使用", columns, uses))
    rows = [
        (
            f"{label(names, claimant['claimant_id'])}\n→ {label(names, claimant['payee_id'])}\n"
            f"{_reasons(claimant)}",
            f"{yuan_text(int(claimant['entitled_micro_fen']) // MICRO_FEN_PER_FEN)}\n"
            f"{claimant['entitled_micro_fen']} µfen",
            yuan_text(claimant["remitted_fen"]),
        )
        for claimant in found["claimants"]
    ]
    heads = (
        "claimant 数据资源/机构, paid to 收款方, why 事由 (incomes 笔数)",
        "entitled yuan",
        "remitted yuan",
    )
    out.print(table("Who gets how much and why 谁应得多少、为什么", heads, rows))
    payees = [
        (
            label(names, payee["payee_id"]),
            yuan_text(payee["payable_fen"]),
            yuan_text(payee["remitted_fen"]),
        )
        for payee in found["payees"]
    ]
    out.print(table("Payees 划拨", ("payee", "still payable yuan", "remitted yuan"), payees))


def _reasons(claimant: dict[str, Any]) -> str:
    """Return what each tier gave, from how many incomes, and the cost that was approved."""
    amounts: dict[str, list[int]] = {}
    for reason in claimant["reasons"]:
        amounts.setdefault(reason["tier"], []).append(int(reason["amount_micro_fen"]))
    parts = [
        f"{TIERS[tier]} {yuan_text(sum(own) // MICRO_FEN_PER_FEN)} ({len(own)})"
        for tier, own in amounts.items()
    ]
    cost = f"approved cost 核定成本 {yuan_text(claimant['cost_fen'])}"
    return ", ".join([*parts, cost])
