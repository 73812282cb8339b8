"""Bodies of trials: what `ledger.app.simulations` takes, with the limits of each field."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from ledger.app.fields import BasisField, IncomeField, Part, PpmField, PurposeField, Uint64Field
from ledger.domain.codes import ChargeBasis, Purpose
from ledger.domain.money import (
    BAND_COUNT_MAX,
    CLAIMANT_COUNT_MAX,
    CYCLE_COUNT_MAX,
    LINEAGE_COUNT_MAX,
)
from ledger.domain.units import SPREAD_PPM_MAX, UINT64_MAX
from ledger.revenue.simulation import INCOME_COUNT_MAX
from ledger.revenue.waterfall import QUALITY_WHOLE

GOVERNANCE = "governance"
ID_LENGTH_MAX = 200


def _claimant_text(text: str) -> str:
    if text == GOVERNANCE or any("\ud800" <= character <= "\udfff" for character in text):
        raise PydanticCustomError(
            "claimant_id", f"an id is Unicode text other than {GOVERNANCE!r}", {}
        )
    return text


ClaimantText = Annotated[str, Field(max_length=ID_LENGTH_MAX), AfterValidator(_claimant_text)]
QualityField = Annotated[int, Field(ge=0, le=QUALITY_WHOLE)]


class ProfitField(Part):
    """How permitted profit is shared; the four sum to 1,000,000 ppm."""

    providers: PpmField
    operator: PpmField
    platform: PpmField
    governance: PpmField


class SchemeField(Part):
    """What would be approved."""

    costs_fen: Annotated[dict[ClaimantText, IncomeField], Field(max_length=CLAIMANT_COUNT_MAX)]
    operator: ClaimantText
    platform: ClaimantText
    bond_ppm: PpmField
    spread_ppm: Annotated[int, Field(ge=0, le=SPREAD_PPM_MAX)]
    tax_fen: IncomeField
    surcharge_ppm: PpmField
    vat_ppm: PpmField
    profit_ppm: ProfitField = ProfitField(
        providers=400_000, operator=400_000, platform=100_000, governance=100_000
    )
    carry_in_fen: IncomeField = 0


class IncomeBody(Part):
    """One released income, VAT included, or the refund of an earlier one."""

    gross_fen: IncomeField
    weights_ppm: Annotated[
        dict[ClaimantText, PpmField], Field(min_length=1, max_length=LINEAGE_COUNT_MAX)
    ]
    quality: dict[ClaimantText, QualityField] = Field(default_factory=dict)
    pool: list[ClaimantText] = Field(default_factory=list)
    refund: bool = False


class SchemeTrial(Part):
    """A scheme, its incomes in the order of release, and what is closed after them."""

    scheme: SchemeField
    incomes: Annotated[list[IncomeBody], Field(max_length=INCOME_COUNT_MAX)]
    close: Literal["year", "cycle"] | None = None
    carry_over_cycles: Annotated[int, Field(ge=1, le=CYCLE_COUNT_MAX)] = 1


class TrialBand(Part):
    """One band: price of each unit up to and including `up_to`, which is null in the last."""

    up_to: Annotated[int, Field(ge=1, lt=UINT64_MAX)] | None
    price_micro_yuan: Uint64Field


class TariffTrial(Part):
    """A tariff and a use of it; `already_used` are the units before it in the same year."""

    bands: Annotated[list[TrialBand], Field(min_length=1, max_length=BAND_COUNT_MAX)]
    units: Uint64Field
    free_quota: Uint64Field = 0
    discount_ppm: PpmField = 0
    already_used: Uint64Field = 0
    basis: BasisField = ChargeBasis.SERVICE_CALLS
    purpose: PurposeField = Purpose.INDUSTRY
