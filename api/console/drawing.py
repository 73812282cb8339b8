"""The flow of an income as a drawing: from buyers through products to those who are paid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ledger.domain.units import MICRO_FEN_PER_FEN, yuan_text

WIDTH = 960
_ROW = 46
_BOX = 250
_TOP = 34
_COLUMNS = (10, 355, 700)
_STROKE_MAX = 22


def flow_of(
    statement: dict[str, Any], name: Callable[[str | None], str], words: dict[str, str]
) -> dict[str, Any]:
    """Return boxes and curves of the drawing; empty lists when nothing was paid yet."""
    uses = [use for use in statement["uses"] if use["paid_fen"]]
    claimants = [row for row in statement["claimants"] if int(row["entitled_micro_fen"])]
    buyers = list(dict.fromkeys(use["buyer_id"] for use in uses))
    products = list(dict.fromkeys(use["product_id"] for use in uses))
    total = sum(use["paid_fen"] for use in uses) or 1
    paid = {key: _sum(uses, "buyer_id", key) for key in buyers}
    sold = {key: _sum(uses, "product_id", key) for key in products}
    boxes = [_box(0, row, name(key), paid[key]) for row, key in enumerate(buyers)]
    boxes += [_box(1, row, name(key), sold[key]) for row, key in enumerate(products)]
    curves = [
        _curve(
            (0, buyers.index(use["buyer_id"])),
            (1, products.index(use["product_id"])),
            use["paid_fen"],
            total,
        )
        for use in uses
    ]
    for row, claimant in enumerate(claimants):
        amount_fen = int(claimant["entitled_micro_fen"]) // MICRO_FEN_PER_FEN
        boxes.append(_box(2, row, name(claimant["claimant_id"]), amount_fen))
        sources = dict.fromkeys(reason["product_id"] for reason in claimant["reasons"])
        curves += [
            _curve((1, products.index(source)), (2, row), amount_fen // len(sources), total)
            for source in sources
            if source in products
        ]
    rows = max(len(buyers), len(products), len(claimants), 1)
    return {
        "width": WIDTH,
        "height": _TOP + rows * _ROW + 8,
        "heads": [
            {"x": x, "text": words[key]}
            for x, key in zip(_COLUMNS, ("buyer", "product", "claimant"), strict=True)
        ],
        "boxes": boxes,
        "curves": curves,
    }


def _sum(uses: list[dict[str, Any]], key: str, value: str) -> int:
    return sum(use["paid_fen"] for use in uses if use[key] == value)


def _box(column: int, row: int, text: str, amount_fen: int) -> dict[str, Any]:
    return {
        "x": _COLUMNS[column],
        "y": _TOP + row * _ROW,
        "width": _BOX,
        "height": _ROW - 8,
        "text": text if len(text) <= 34 else text[:33] + "…",
        "amount": yuan_text(amount_fen),
    }


def _curve(
    start: tuple[int, int], end: tuple[int, int], amount_fen: int, total_fen: int
) -> dict[str, Any]:
    x1, y1 = _COLUMNS[start[0]] + _BOX, _TOP + start[1] * _ROW + (_ROW - 8) // 2
    x2, y2 = _COLUMNS[end[0]], _TOP + end[1] * _ROW + (_ROW - 8) // 2
    middle = (x1 + x2) // 2
    return {
        "path": f"M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}",
        "stroke": max(1, _STROKE_MAX * amount_fen // total_fen),
    }
