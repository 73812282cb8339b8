"""The extent of the market as sentences, for the first page and the shell."""

from __future__ import annotations

from typing import Any


def extent_sentences(extent: dict[str, Any], side: str) -> list[str]:
    """Return the extent in one language; that of the levels says what their sum leaves open."""
    if side == "zh":
        return [_levels_zh(extent), _holdings_zh(extent)]
    return [_levels_en(extent), _holdings_en(extent)]


def _levels_zh(extent: dict[str, Any]) -> str:
    total, missing = extent["provider_count"], extent["level_not_stated_count"]
    if missing == total:
        return f"数源单位共 {total} 家。"
    parts = [f"{row['label_zh']} {row['provider_count']} 家" for row in extent["levels"]]
    end = f";另有 {missing} 家未注明层级" if missing else ""
    stated = extent["level_stated_count"]
    return f"数源单位共 {total} 家:{'、'.join(parts)},各层级之和为 {stated} 家{end}。"


def _levels_en(extent: dict[str, Any]) -> str:
    total, missing = extent["provider_count"], extent["level_not_stated_count"]
    if missing == total:
        return f"{total} providers."
    parts = [f"{row['label_en'].lower()} {row['provider_count']}" for row in extent["levels"]]
    end = f"; {missing} more with no level stated" if missing else ""
    stated = extent["level_stated_count"]
    return f"{total} providers: {', '.join(parts)}; the levels sum to {stated}{end}."


def _holdings_zh(extent: dict[str, Any]) -> str:
    return (
        f"{extent['dataset_count']:,} 项数据资源,{extent['theme_count']} 个领域,"
        f"{extent['city_count']} 个地区({extent['province_count']} 个省),"
        f"共 {extent['row_count']:,} 行;{extent['product_count']:,} 项数据产品,"
        f"{extent['licence_count']:,} 份使用许可,已开账单的用量 {extent['billed_unit_count']:,}。"
    )


def _holdings_en(extent: dict[str, Any]) -> str:
    return (
        f"Datasets {extent['dataset_count']:,}, themes {extent['theme_count']}, "
        f"jurisdictions {extent['city_count']}, provinces {extent['province_count']}, "
        f"rows {extent['row_count']:,}; products {extent['product_count']:,}, "
        f"licences {extent['licence_count']:,}, units billed {extent['billed_unit_count']:,}."
    )
