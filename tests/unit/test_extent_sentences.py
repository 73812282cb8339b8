"""The market's extent in words: levels, their sum, and what the sum leaves open."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.report.extent import extent_sentences

pytestmark = pytest.mark.unit


def extent(national: int, total: int) -> dict[str, Any]:
    level = {"level": "national", "label_zh": "国家级", "label_en": "National"}
    return {
        "provider_count": total,
        "levels": [level | {"provider_count": national}] if national else [],
        "level_stated_count": national,
        "level_not_stated_count": total - national,
        "dataset_count": 573,
        "theme_count": 23,
        "city_count": 10,
        "province_count": 2,
        "row_count": 26_800_000_000,
        "product_count": 293,
        "licence_count": 403,
        "billed_unit_count": 210_000_000,
    }


def test_levels__that_do_not_sum_to_the_total__both_are_said() -> None:
    zh, _ = extent_sentences(extent(59, 60), "zh")
    en, _ = extent_sentences(extent(59, 60), "en")
    assert zh == "数源单位共 60 家:国家级 59 家,各层级之和为 59 家;另有 1 家未注明层级。"
    assert en == "60 providers: national 59; the levels sum to 59; 1 more with no level stated."


def test_levels__that_sum__nothing_is_left_open() -> None:
    assert "未注明" not in extent_sentences(extent(60, 60), "zh")[0]
    assert extent_sentences(extent(60, 60), "en")[0].endswith("the levels sum to 60.")


def test_levels__that_nobody_states__are_not_summed() -> None:
    assert extent_sentences(extent(0, 60), "zh")[0] == "数源单位共 60 家。"
    assert extent_sentences(extent(0, 60), "en")[0] == "60 providers."


def test_holdings__large__grouped_and_whole() -> None:
    for side in ("zh", "en"):
        assert "26,800,000,000" in extent_sentences(extent(59, 60), side)[1]
