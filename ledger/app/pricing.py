"""What a use would cost under the tariff in force: a preview for everybody, without signing in.

A preview promises nothing; a quote fixes the tariff for its time, and an agreement for a licence's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ledger.app.agreements import QuoteRequest
from ledger.app.errors import TariffMissingError
from ledger.app.market import Market
from ledger.app.products import tariff_of_row
from ledger.app.simulations import PricedUse
from ledger.domain.calendar import year_of
from ledger.projection import queries
from ledger.revenue.tariff import charge_fen, charge_parts


@dataclass(frozen=True, slots=True)
class PricePreview:
    """A use priced by the tariff in force, band by band."""

    request: QuoteRequest
    tariff_no: int
    year: int
    """Calendar year in Asia/Shanghai in which the free quota and the bands are counted."""
    priced: PricedUse

    @property
    def free_units(self) -> int:
        """Units of this use that the free quota of the year still covers."""
        left = self.priced.tariff.free_quota_units - self.request.already_used_units
        return min(self.request.units, max(0, left))

    def as_dict(self) -> dict[str, Any]:
        """Return the preview as plain data; large numbers as digits."""
        tariff = self.priced.tariff
        return {
            "product_id": str(self.request.product_id),
            "tariff_no": self.tariff_no,
            "year": self.year,
            "purpose": self.priced.purpose.name.lower(),
            "basis": tariff.basis.name.lower(),
            "units": str(self.request.units),
            "already_used_units": str(self.request.already_used_units),
            "free_quota_units": str(tariff.free_quota_units),
            "free_units": str(self.free_units),
            "discount_ppm": tariff.discount_ppm,
            "charge_fen": self.priced.charge_fen,
            "bands": [
                {
                    "from_units": str(part.below_units + 1),
                    "up_to_units": part.band.up_to_units and str(part.band.up_to_units),
                    "price_micro_yuan": str(part.band.price_micro_yuan),
                    "units": str(part.units),
                    "list_micro_yuan": str(part.list_micro_yuan),
                }
                for part in self.priced.parts
            ],
        }


def price_preview(market: Market, request: QuoteRequest) -> PricePreview:
    """Return what a use would cost now; public-interest purposes and competitions cost nothing.

    Raises:
        NotFoundError: the product is unknown.
        TariffMissingError: no tariff of it is in force.
    """
    with market.read() as connection:
        detail = queries.product(connection, request.product_id)
    if detail.tariff is None:
        raise TariffMissingError(
            f"product {request.product_id} has no tariff in force",
            field="product_id",
            got=str(request.product_id),
        )
    tariff = tariff_of_row(detail.tariff)
    use = (request.already_used_units, request.units)
    charge = charge_fen(tariff, *use, purpose=request.purpose)
    priced = PricedUse(tariff, request.purpose, charge, tuple(charge_parts(tariff, *use)))
    year = year_of(market.now_seconds())
    return PricePreview(request, detail.tariff.tariff_no, year, priced)
