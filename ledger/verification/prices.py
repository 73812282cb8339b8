"""The form of bands, and the rule that no price exceeds its cap."""

from __future__ import annotations

from ledger.domain.units import UINT64_MAX
from ledger.verification.findings import Findings
from ledger.verification.sales import Bands


def check_bands(findings: Findings, bands: Bands, where: str) -> None:
    """Check that bands ascend and end open."""
    ends = [band["up_to_units"] for band in bands]
    is_formed = ends == sorted(set(ends)) and ends[-1:] == [UINT64_MAX] and ends[0] > 0
    findings.require(is_formed, "bands_malformed", where, ends, "ascending, open end")


def check_caps(findings: Findings, bands: Bands, caps: Bands, where: str) -> None:
    """Check that no band costs more than a cap band that it overlaps."""
    above = 0
    for number, band in enumerate(bands):
        below_cap = 0
        for cap in caps:
            overlaps = above < cap["up_to_units"] and below_cap < band["up_to_units"]
            findings.require(
                not overlaps or band["price_micro_yuan"] <= cap["price_micro_yuan"],
                "price_above_cap",
                f"{where}, band {number + 1}",
                band["price_micro_yuan"],
                cap["price_micro_yuan"],
            )
            below_cap = cap["up_to_units"]
        above = band["up_to_units"]
