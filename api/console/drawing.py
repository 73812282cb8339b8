"""The picture of the market's flow as plain geometry; the template only prints it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ledger.domain.units import PPM_WHOLE, yuan_text, yuan_text_exact

WIDTH = 1_180
TOP = 56
BOX_WIDTH = 200
BOX_HEIGHT = 50
GAP = 16
COLUMNS = (0, 245, 490, 735, 980)
STROKE_MIN = 2
STROKE_MAX = 16
ROWS_MAX = 12
TAX, RESERVE, POT = "tax", "reserve", "pot"
_LABEL_WIDTH_MAX = 24

Flows = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with a label and a figure; `key` names the label where `label` is empty."""

    key: str
    kind: str
    x: int
    y: int
    label: str
    figure: str


@dataclass(frozen=True, slots=True)
class Line:
    """A curve between two boxes; `width` in pixels says how much flows."""

    path: str
    width: int
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Boxes and lines on a canvas of `width` by `height`."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    is_cut: bool
    """Whether a column has more than is drawn; the largest are."""


def draw(
    supply: Flows,
    sale: Flows,
    earned: Mapping[str, int],
    totals: Mapping[str, int | str],
    name: Callable[[str], str],
) -> Drawing:
    """Return the drawing.

    Args:
        supply: (provider, product) to weight in ppm.
        sale: (product, buyer) to net fen.
        earned: payee to µfen; tax and reserve come from the totals.
        totals: the statement's.
        name: what a reader calls an id.
    """
    due = {TAX: int(totals["tax_micro_fen"])} | dict(earned)
    due |= {RESERVE: int(totals["reserve_micro_fen"])}
    due = {key: amount for key, amount in due.items() if amount}
    net_fen = int(totals["net_fen"])
    bought = _sums(sale, 1)
    buyers = _largest(_seconds(sale), bought)
    sold = _sums({pair: amount for pair, amount in sale.items() if pair[1] in buyers}, 0)
    products = _largest(_union(_seconds(supply), _firsts(sale)), sold)
    drawn = {pair: weight for pair, weight in supply.items() if pair[1] in products}
    providers = _largest(_firsts(drawn), _sums(drawn, 0))
    payees = _largest(list(due), due)
    columns = [
        _column(0, "provider", providers, lambda key: "", name),
        _column(1, "product", products, lambda key: "", name),
        _column(2, "buyer", buyers, lambda key: yuan_text(bought[key]), name),
        _column(3, POT, [POT], lambda key: yuan_text(net_fen), lambda key: ""),
        _column(4, "payee", payees, lambda key: yuan_text_exact(due[key]), name),
    ]
    height = TOP + max(len(column) for column in columns) * (BOX_HEIGHT + GAP)
    placed = [_centred(column, height) for column in columns]
    boxes = {(number, box.key): box for number, column in enumerate(placed) for box in column}
    paid = {(buyer, POT): amount for buyer, amount in bought.items()}
    shares = {(POT, key): amount for key, amount in due.items()}
    lines = [
        *_lines(boxes, 0, supply, "data", percent),
        *_lines(boxes, 1, sale, "data", yuan_text),
        *_lines(boxes, 2, paid, "money", yuan_text),
        *_lines(boxes, 3, shares, "money", yuan_text_exact),
    ]
    drawn_count = len(providers) + len(products) + len(buyers) + len(payees)
    known = (_firsts(supply), _union(_seconds(supply), _firsts(sale)), _seconds(sale), list(due))
    is_cut = drawn_count < sum(map(len, known))
    return Drawing(WIDTH, height, tuple(boxes.values()), tuple(lines), is_cut)


def _column(
    number: int,
    kind: str,
    keys: list[str],
    figure: Callable[[str], str],
    name: Callable[[str], str],
) -> list[Box]:
    return [
        Box(
            key,
            kind,
            COLUMNS[number],
            0,
            "" if key in (TAX, RESERVE) else fitted(name(key)),
            figure(key),
        )
        for key in keys
    ]


def _centred(column: list[Box], height: int) -> list[Box]:
    step = BOX_HEIGHT + GAP
    start = TOP + (height - TOP - len(column) * step + GAP) // 2
    return [
        Box(box.key, box.kind, box.x, start + place * step, box.label, box.figure)
        for place, box in enumerate(column)
    ]


def _lines(
    boxes: Mapping[tuple[int, str], Box],
    number: int,
    flows: Flows,
    kind: str,
    text: Callable[[int], str],
) -> list[Line]:
    largest = max(flows.values(), default=0) or 1
    found = []
    for (source, target), amount in flows.items():
        start, end = boxes.get((number, source)), boxes.get((number + 1, target))
        if start is None or end is None:
            continue
        width = STROKE_MIN + (STROKE_MAX - STROKE_MIN) * amount // largest
        found.append(Line(_curve(start, end), width, kind if amount else "free", text(amount)))
    return found


def _curve(start: Box, end: Box) -> str:
    x1, y1 = start.x + BOX_WIDTH, start.y + BOX_HEIGHT // 2
    x2, y2 = end.x, end.y + BOX_HEIGHT // 2
    middle = (x1 + x2) // 2
    return f"M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}"


def fitted(text: str) -> str:
    """Return a label cut to the width of a box; Chinese characters count twice."""
    used, kept = 0, ""
    for character in text:
        used += 1 if ord(character) < 0x2E80 else 2
        if used > _LABEL_WIDTH_MAX:
            return kept + "…"
        kept += character
    return kept


def percent(share_ppm: int) -> str:
    """Return parts per million as per cent: 333400 is 33.34 %."""
    whole, rest = divmod(share_ppm * 100, PPM_WHOLE)
    digits = f"{rest:06d}".rstrip("0")
    return f"{whole}.{digits} %" if digits else f"{whole} %"


def _firsts(flows: Flows) -> list[str]:
    return list(dict.fromkeys(first for first, _ in flows))


def _seconds(flows: Flows) -> list[str]:
    return list(dict.fromkeys(second for _, second in flows))


def _union(*parts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(key for part in parts for key in part))


def _sums(flows: Flows, side: int) -> dict[str, int]:
    """Return what flows from each source (side 0) or to each target (side 1)."""
    sums: dict[str, int] = {}
    for pair, amount in flows.items():
        sums[pair[side]] = sums.get(pair[side], 0) + amount
    return sums


def _largest(keys: list[str], sizes: Mapping[str, int]) -> list[str]:
    """Return the largest as far as a column has room, in the order that they had."""
    kept = set(sorted(keys, key=lambda key: -sizes.get(key, 0))[:ROWS_MAX])
    return [key for key in keys if key in kept]
