"""Step 1, price: what a buyer is charged for use, and whether a tariff keeps under its caps.

Rules kept here:
1. Bands apply to the running total of a buyer's billable units of a product in a calendar year,
   counted after the free quota; so a year billed in parts is charged by the same bands.
2. One floor, to the whole fen, once per invoice, after the discount.
3. Public governance, public welfare and competitions are charged nothing, and still metered.

Source: domain report 4.3 step 1; 发改价格〔2025〕65号.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ledger.domain.codes import Purpose
from ledger.domain.money import Band, Tariff, require_bands
from ledger.domain.units import (
    MICRO_YUAN_PER_FEN,
    PPM_WHOLE,
    UINT64_MAX,
    Fen,
    fen,
    require_range,
)
from ledger.revenue.errors import PriceAboveCapError


class ChargePart(NamedTuple):
    """The units of one charge that fall into one band."""

    below_units: int
    """Units of the year below the band, free quota not counted."""
    band: Band
    units: int

    @property
    def list_micro_yuan(self) -> int:
        """Price of the units in micro-yuan, before discount; exact."""
        return self.units * self.band.price_micro_yuan


def charge_fen(
    tariff: Tariff, already_used_units: int, units: int, *, purpose: Purpose = Purpose.INDUSTRY
) -> Fen:
    """Return the gross charge for `units` that follow `already_used_units` of the same year.

    Args:
        tariff: the version that the quote fixed.
        already_used_units: billable units of this buyer and product earlier this year, 0 … 2^64-1.
        units: billable units of this invoice; both together at most 2^64 - 1.
        purpose: the licence's; a purpose that may not be charged costs nothing.

    Returns:
        Whole fen, VAT included; floor.

    Raises:
        ValueOutOfRangeError: when a quantity or the charge exceeds its limit.
    """
    parts = charge_parts(tariff, already_used_units, units)
    if not purpose.is_chargeable:
        return Fen(0)
    list_micro_yuan = sum(part.list_micro_yuan for part in parts)
    discounted = list_micro_yuan * (PPM_WHOLE - tariff.discount_ppm)
    return fen(discounted // (PPM_WHOLE * MICRO_YUAN_PER_FEN), "charge_fen")


def charge_parts(tariff: Tariff, already_used_units: int, units: int) -> list[ChargePart]:
    """Return what each band of a tariff takes of `units`, before discount; one part per band.

    Args:
        tariff: the tariff.
        already_used_units: billable units of this buyer and product earlier this year, 0 … 2^64-1.
        units: billable units to be charged; both together at most 2^64 - 1.

    Raises:
        ValueOutOfRangeError: when a quantity exceeds its limit.
    """
    require_range("already_used_units", already_used_units, 0, UINT64_MAX)
    require_range("units", units, 0, UINT64_MAX - already_used_units)
    start = max(0, already_used_units - tariff.free_quota_units)
    end = max(0, already_used_units + units - tariff.free_quota_units)
    return [
        ChargePart(below, band, max(0, min(end, above) - max(start, below)))
        for below, above, band in _ranges(tariff.bands)
    ]


def check_caps(tariff: Tariff, caps: Sequence[Band]) -> None:
    """Refuse a tariff one of whose bands costs more than a cap band it overlaps.

    Args:
        tariff: the tariff proposed.
        caps: 上限收费标准 as bands over the same quantities.

    Raises:
        PriceAboveCapError: naming the band and the cap band, both counted from 1.
        BandsError: when the caps are not well formed.
    """
    require_bands(caps, "caps")
    for number, (below, above, band) in enumerate(_ranges(tariff.bands), start=1):
        for cap_number, (cap_below, cap_above, cap) in enumerate(_ranges(caps), start=1):
            is_overlap = below < cap_above and cap_below < above
            if is_overlap and band.price_micro_yuan > cap.price_micro_yuan:
                raise PriceAboveCapError(
                    f"band {number} costs {band.price_micro_yuan} micro-yuan a unit, above "
                    f"the {cap.price_micro_yuan} of cap band {cap_number}",
                    field=f"bands[{number - 1}].price_micro_yuan",
                    got=band.price_micro_yuan,
                    expected=f"at most {cap.price_micro_yuan}",
                )


def _ranges(bands: Sequence[Band]) -> Iterator[tuple[int, int, Band]]:
    """Yield (units below the band, last unit of the band, band); no unit lies above 2^64 - 1."""
    below = 0
    for band in bands:
        above = UINT64_MAX if band.up_to_units is None else band.up_to_units
        yield below, above, band
        below = above
