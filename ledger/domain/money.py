"""Value types of a pricing scheme: tariffs, approved costs, lineage weights, split lines.

Rules kept here:
1. Every amount names its unit: whole fen for what is charged and approved, µfen for entitlements.
2. Claimants are always in ascending order of their ids (16 bytes, big-endian), never twice.
3. Lineage weights and the profit vector sum to 1,000,000 ppm exactly.
4. A permitted maximum fits the chain's uint64 of µfen, so no lawful split can overflow.

What is done with these values - charging, splitting, closing - is the layer `ledger.revenue`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from itertools import pairwise

from ledger.domain.codes import ChargeBasis
from ledger.domain.errors import DomainError
from ledger.domain.ids import ClaimantId
from ledger.domain.units import (
    INCOME_FEN_MAX,
    MICRO_FEN_PER_FEN,
    PPM_WHOLE,
    SPREAD_PPM_MAX,
    UINT64_MAX,
    Fen,
    MicroFen,
    MicroYuan,
    Ppm,
    micro_fen,
    micro_yuan,
    ppm,
    require_range,
)

BAND_COUNT_MAX = 16
LINEAGE_COUNT_MAX = 64
CLAIMANT_COUNT_MAX = 1024
CYCLE_COUNT_MAX = 3
"""Over how many later cycles a carry-out may be spread (发改价格〔2025〕65号, 平滑处理)."""

NOTHING_MICRO_FEN = MicroFen(0)
NO_DISCOUNT_PPM = Ppm(0)


class BandsError(DomainError):
    """Bands of a tariff or of its caps are absent, too many, unordered or not open at the end."""

    code = "domain.bands"


class WeightsSumError(DomainError):
    """Shares that must sum to 1,000,000 ppm do not."""

    code = "domain.weights_sum"


class ClaimantOrderError(DomainError):
    """Claimants are not in strictly ascending order of their ids, so one may be there twice."""

    code = "domain.claimant_order"


def _require_ascending(name: str, ids: Sequence[ClaimantId]) -> None:
    for lower, higher in pairwise(ids):
        if not lower < higher:
            raise ClaimantOrderError(
                f"{name}: claimants must be in strictly ascending order, "
                f"got {higher} after {lower}",
                field=name,
                got=higher,
                expected=f"an id above {lower}",
            )


def _require_whole(name: str, shares_ppm: Iterable[int]) -> None:
    total = sum(shares_ppm)
    if total != PPM_WHOLE:
        raise WeightsSumError(
            f"{name} must sum to {PPM_WHOLE} ppm, got {total}",
            field=name,
            got=total,
            expected=PPM_WHOLE,
        )


class Tier(IntEnum):
    """The tiers of a split in the order in which they are filled; the number on chain."""

    TAX = 1
    LINEAGE_COST = 2
    COMMON_COST = 3
    BENEFIT = 4
    RESERVE = 5
    OUTCOME = 6
    """A share of what a derived product earned; it lies outside all others."""


ALL_TIERS = frozenset(Tier) - {Tier.OUTCOME}
REGULAR_TIERS = frozenset({Tier.TAX, Tier.LINEAGE_COST, Tier.RESERVE})
TRIAL_TIERS = ALL_TIERS - {Tier.BENEFIT}
"""A trial price (试行收费标准) has no permitted income, so nothing above cost may be shared."""


@dataclass(frozen=True, slots=True)
class Band:
    """One band of a tariff: the price of each unit up to and including `up_to_units`."""

    up_to_units: int | None
    """Upper end of the band in units of the year, inclusive; None for the last band."""
    price_micro_yuan: MicroYuan

    def __post_init__(self) -> None:
        micro_yuan(self.price_micro_yuan)
        if self.up_to_units is not None:
            require_range("up_to_units", self.up_to_units, 1, UINT64_MAX - 1)


def require_bands(bands: Sequence[Band], name: str) -> None:
    """Check that bands cover every quantity exactly once.

    Raises:
        BandsError: when there are none or more than 16, when an upper end does not exceed the
            one before it, or when any band but the last, or not the last, is open.
    """
    if not 1 <= len(bands) <= BAND_COUNT_MAX:
        raise BandsError(
            f"{name} must have 1 to {BAND_COUNT_MAX} bands, got {len(bands)}",
            field=name,
            got=len(bands),
            expected=f"1 … {BAND_COUNT_MAX}",
        )
    below = 0
    for number, band in enumerate(bands, start=1):
        is_last = number == len(bands)
        above = band.up_to_units
        if (above is None) != is_last or (above is not None and above <= below):
            wanted = "open (null)" if is_last else f"above {below}"
            raise BandsError(
                f"{name}: the upper end of band {number} must be {wanted}, got {above}",
                field=f"{name}[{number - 1}].up_to_units",
                got=above,
                expected=wanted,
            )
        below = above or below


@dataclass(frozen=True, slots=True)
class Tariff:
    """收费标准: bands over a year's use, after a free quota and before a discount."""

    bands: tuple[Band, ...]
    free_quota_units: int = 0
    """Units free of charge per buyer, product and calendar year (Asia/Shanghai)."""
    discount_ppm: Ppm = NO_DISCOUNT_PPM
    basis: ChargeBasis = ChargeBasis.SERVICE_CALLS

    def __post_init__(self) -> None:
        require_bands(self.bands, "bands")
        require_range("free_quota_units", self.free_quota_units, 0, UINT64_MAX)
        ppm(self.discount_ppm, "discount_ppm")


@dataclass(frozen=True, slots=True)
class ClaimantCost:
    """The approved cost of one claimant - a dataset, the operator or the platform - for a year."""

    claimant_id: ClaimantId
    cost_fen: Fen

    def __post_init__(self) -> None:
        require_range("cost_fen", self.cost_fen, 0, INCOME_FEN_MAX)

    @property
    def cost_micro_fen(self) -> MicroFen:
        """The approved cost as an entitlement, in µfen; exact."""
        return MicroFen(self.cost_fen * MICRO_FEN_PER_FEN)


@dataclass(frozen=True, slots=True)
class LineageWeight:
    """What one claimant contributed to a product, in ppm of the whole."""

    claimant_id: ClaimantId
    weight_ppm: Ppm

    def __post_init__(self) -> None:
        ppm(self.weight_ppm, "weight_ppm")


@dataclass(frozen=True, slots=True)
class Lineage:
    """溯源 of a product: its datasets, the operator and the platform with their weights."""

    weights: tuple[LineageWeight, ...]

    def __post_init__(self) -> None:
        require_range("lineage", len(self.weights), 1, LINEAGE_COUNT_MAX)
        _require_ascending("lineage", [weight.claimant_id for weight in self.weights])
        _require_whole("lineage", [weight.weight_ppm for weight in self.weights])

    @classmethod
    def of(cls, weights_ppm: Mapping[ClaimantId, int]) -> Lineage:
        """Return the lineage of weights in ppm by claimant, in ascending order of ids."""
        return cls(tuple(LineageWeight(key, Ppm(weights_ppm[key])) for key in sorted(weights_ppm)))


@dataclass(frozen=True, slots=True)
class ProfitVector:
    """How permitted profit is shared, in ppm that sum to the whole; set by agreement."""

    providers_ppm: Ppm
    operator_ppm: Ppm
    platform_ppm: Ppm
    governance_ppm: Ppm
    """数据治理反哺: paid back into the governance of data."""

    def __post_init__(self) -> None:
        shares = (self.providers_ppm, self.operator_ppm, self.platform_ppm, self.governance_ppm)
        for share in shares:
            ppm(share, "profit_ppm")
        _require_whole("profit_ppm", shares)


DEFAULT_PROFIT = ProfitVector(Ppm(400_000), Ppm(400_000), Ppm(100_000), Ppm(100_000))
"""A demonstration value: no national ratio exists, the authoriser approves each scheme's own."""


@dataclass(frozen=True)
class SchemeTerms:
    """定价方案: what the price authority approved for one operator, agreement and year."""

    costs: tuple[ClaimantCost, ...]
    operator_id: ClaimantId
    platform_id: ClaimantId
    bond_ppm: Ppm
    """Mean yield of ten-year treasury bonds in the year before the survey."""
    spread_ppm: Ppm
    """What the authority adds to it, at most 60,000 ppm (six percentage points)."""
    tax_fen: Fen
    """Approved tax of the year without VAT."""
    surcharge_ppm: Ppm
    """Tax drawn from each net income until `tax_fen` is reached."""
    vat_ppm: Ppm
    profit: ProfitVector = DEFAULT_PROFIT
    governance_id: ClaimantId | None = None
    """Who holds the share for governance; needed when the benefit tier pays one."""
    tiers: frozenset[Tier] = ALL_TIERS
    """Tiers that are open; tax, lineage cost and reserve always are."""
    carry_in_micro_fen: MicroFen = NOTHING_MICRO_FEN
    """This cycle's instalment of what earlier cycles recovered above what was permitted."""

    def __post_init__(self) -> None:
        require_range("costs", len(self.costs), 0, CLAIMANT_COUNT_MAX)
        _require_ascending("costs", [cost.claimant_id for cost in self.costs])
        for name in ("bond_ppm", "surcharge_ppm", "vat_ppm"):
            ppm(getattr(self, name), name)
        require_range("spread_ppm", self.spread_ppm, 0, SPREAD_PPM_MAX)
        require_range("tax_fen", self.tax_fen, 0, INCOME_FEN_MAX)
        micro_fen(self.carry_in_micro_fen, "carry_in_micro_fen")
        micro_fen(self.permitted_micro_fen, "permitted_micro_fen")
        self._require_tiers()

    def _require_tiers(self) -> None:
        if not self.tiers >= REGULAR_TIERS:
            raise DomainError(
                "tax, lineage cost and reserve are open in every scheme",
                field="tiers",
                got=sorted(self.tiers),
                expected=sorted(REGULAR_TIERS),
            )
        pays_governance = Tier.BENEFIT in self.tiers and self.profit.governance_ppm > 0
        if pays_governance and self.governance_id is None:
            raise DomainError(
                "a scheme that shares profit with governance must say who holds that share",
                field="governance_id",
                expected="an organisation id",
            )

    @cached_property
    def cost_micro_fen_by_claimant(self) -> Mapping[ClaimantId, MicroFen]:
        """Approved cost in µfen of each claimant, in ascending order of ids."""
        return {cost.claimant_id: cost.cost_micro_fen for cost in self.costs}

    @cached_property
    def cost_micro_fen(self) -> int:
        """C: the sum of approved costs, in µfen."""
        return sum(cost.cost_micro_fen for cost in self.costs)

    @cached_property
    def profit_micro_fen(self) -> int:
        """P: permitted profit in µfen, exact; zero where the benefit tier is closed.

        Source: 发改价格〔2025〕65号, permitted profit = cost × (bond yield + spread).
        """
        if Tier.BENEFIT not in self.tiers:
            return 0
        return sum(cost.cost_fen for cost in self.costs) * (self.bond_ppm + self.spread_ppm)

    @property
    def tax_micro_fen(self) -> int:
        """T: approved tax of the year, in µfen."""
        return self.tax_fen * MICRO_FEN_PER_FEN

    @property
    def permitted_micro_fen(self) -> int:
        """最高准许收入 (MPR) in µfen: cost + permitted profit + tax.

        Source: 发改价格〔2025〕65号.
        """
        return self.cost_micro_fen + self.profit_micro_fen + self.tax_micro_fen


@dataclass(frozen=True, slots=True)
class SplitLine:
    """One line of a split: what a tier gives to a claimant."""

    tier: Tier
    claimant_id: ClaimantId | None
    """None for tax and reserve, which belong to no claimant."""
    amount_micro_fen: MicroFen

    def __post_init__(self) -> None:
        micro_fen(self.amount_micro_fen)
