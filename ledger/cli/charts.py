"""Stacked bars in a terminal: one row of cells per whole, one style and one glyph per part.

Rules kept here:
1. Parts are told apart by their glyph, not by colour alone.
2. Cells are shared by largest remainder, so a bar is as long as its whole and no longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.text import Text

BAR_CELLS = 60
_GLYPHS = ("█", "▓", "▒", "░", "·", "#", "=", "+", "o", "-")
_STYLES = ("blue", "green", "cyan", "yellow", "red", "magenta", "white")


class Bar(NamedTuple):
    """One bar: its label and the parts of it, in the order of the legend."""

    label: str
    parts: Sequence[int]


def stacked(parts: Sequence[str], bars: Sequence[Bar]) -> Text:
    """Return bars of equal length under their labels, and the legend of their parts."""
    text = Text()
    for bar in bars:
        text.append(bar.label + "\n")
        text.append_text(_row(bar.parts)).append("\n")
    for number, part in enumerate(parts):
        text.append(_glyph(number), _style(number)).append(f" {part}\n")
    text.right_crop()
    return text


def _row(parts: Sequence[int]) -> Text:
    whole, row = sum(parts), Text()
    if whole == 0:
        return Text("—")
    cells = [part * BAR_CELLS // whole for part in parts]
    order = sorted(range(len(parts)), key=lambda number: -(parts[number] * BAR_CELLS % whole))
    for number in order[: BAR_CELLS - sum(cells)]:
        cells[number] += 1
    for number, count in enumerate(cells):
        row.append(_glyph(number) * count, _style(number))
    return row


def _glyph(number: int) -> str:
    return _GLYPHS[number % len(_GLYPHS)]


def _style(number: int) -> str:
    return _STYLES[number % len(_STYLES)]
