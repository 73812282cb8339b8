"""Money by exact fractions: charges, and sharing an amount by weights up to each one's room.

Source: domain report 4.3 steps 1, 2, 5 and 9; 发改价格〔2025〕65号.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Any

from ledger.domain.units import MICRO_YUAN_PER_FEN, PPM_WHOLE


def charge_fen(tariff: Mapping[str, Any], already_units: int, units: int) -> int:
    """Return the charge in whole fen, VAT included, of units that follow `already_units`.

    Both are running totals of a buyer, product and calendar year.
    """
    free = tariff["free_quota_units"]
    end = max(0, already_units + units - free)
    start = max(0, already_units - free)
    list_micro_yuan = _price(tariff["bands"], end) - _price(tariff["bands"], start)
    factor = Fraction(PPM_WHOLE - tariff["discount_ppm"], PPM_WHOLE)
    return floor(list_micro_yuan * factor / MICRO_YUAN_PER_FEN)


def _price(bands: Sequence[Mapping[str, int]], units: int) -> Fraction:
    """Return the list price in micro-yuan of the first `units` chargeable units of a year."""
    total, below = Fraction(0), 0
    for band in bands:
        in_band = max(0, min(units, band["up_to_units"]) - below)
        total += in_band * band["price_micro_yuan"]
        below = band["up_to_units"]
    return total


def net_fen(gross_fen: int, vat_ppm: int) -> int:
    """Return the income without VAT; floor, the rest of the division is tax."""
    return floor(Fraction(gross_fen) / (1 + Fraction(vat_ppm, PPM_WHOLE)))


def exact_shares(amount: int, weights: Sequence[int], rooms: Sequence[int]) -> list[Fraction]:
    """Return min(room, level · weight) for the one level at which the shares sum to the amount.

    Where the rooms hold less than the amount, everyone gets its room.
    """
    level, left = Fraction(0), Fraction(amount)
    order = sorted(
        (index for index, weight in enumerate(weights) if weight),
        key=lambda index: Fraction(rooms[index], weights[index]),
    )
    flowing = sum(weights[index] for index in order)
    for index in order:
        top = Fraction(rooms[index], weights[index])
        needed = (top - level) * flowing
        if needed > left:
            level += left / flowing
            break
        left -= needed
        level = top
        flowing -= weights[index]
    return [
        min(Fraction(room), level * weight) for weight, room in zip(weights, rooms, strict=True)
    ]


def rounded(shares: Sequence[Fraction]) -> list[int]:
    """Return whole parts with the same sum: one more by largest fraction, ties to the earlier."""
    whole = [floor(share) for share in shares]
    missing = floor(sum(shares)) - sum(whole)
    by_fraction = sorted(
        range(len(shares)), key=lambda index: (whole[index] - shares[index], index)
    )
    for index in by_fraction[:missing]:
        whole[index] += 1
    return whole
