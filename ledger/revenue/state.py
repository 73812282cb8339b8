"""A split, and the balances of a scheme that splits are computed from and posted to.

Rules kept here:
1. The lines of a split sum to its income exactly, or there is no split.
2. Balances are replaced, never edited; a correction posts the same lines the other way (红冲).
3. recovered ≤ approved cost, tax ≤ approved tax, benefit ≤ permitted profit, none below zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ledger.domain.ids import ClaimantId
from ledger.domain.money import NOTHING_MICRO_FEN, SchemeTerms, SplitLine, Tier
from ledger.domain.units import UINT64_MAX, MicroFen
from ledger.revenue.errors import EntitlementExceededError, SplitSumError, UnknownClaimantError


@dataclass(frozen=True, slots=True)
class Split:
    """分账: one income and its lines, grouped by tier in the order of the law.

    The tax line and the reserve line are always there; lineage cost has one line for each
    claimant of the lineage and common cost one for each of the pool, zeros included, because the
    checker needs them; a tier that the income did not reach has no lines.
    """

    income_micro_fen: MicroFen
    lines: tuple[SplitLine, ...]
    benefit_forgone_micro_fen: MicroFen = NOTHING_MICRO_FEN
    """Permitted profit that no provider earned, for want of quality: it lies in the reserve line
    and still uses up the year's permitted profit, so it cannot be shared out again."""

    def __post_init__(self) -> None:
        total = sum(line.amount_micro_fen for line in self.lines)
        if total != self.income_micro_fen:
            raise SplitSumError(
                f"lines sum to {total} µfen, the income is {self.income_micro_fen}",
                field="lines",
                got=total,
                expected=self.income_micro_fen,
            )

    def tier(self, tier: Tier) -> tuple[SplitLine, ...]:
        """Return the lines of one tier, in their order."""
        return tuple(line for line in self.lines if line.tier is tier)

    def tier_micro_fen(self, tier: Tier) -> MicroFen:
        """Return what one tier takes of the income, in µfen."""
        return MicroFen(sum(line.amount_micro_fen for line in self.tier(tier)))

    def entitled_micro_fen(self) -> dict[ClaimantId, MicroFen]:
        """Return what the split credits to each claimant over all tiers, in µfen."""
        totals: dict[ClaimantId, MicroFen] = {}
        for line in self.lines:
            if line.claimant_id is not None:
                before = totals.get(line.claimant_id, 0)
                totals[line.claimant_id] = MicroFen(before + line.amount_micro_fen)
        return totals


@dataclass(frozen=True, slots=True)
class SchemeState:
    """Balances of one scheme in one accounting year, all in µfen."""

    terms: SchemeTerms
    recovered_micro_fen: Mapping[ClaimantId, MicroFen] = field(default_factory=dict)
    """Cost recovered so far per claimant, over both cost tiers; absent means zero."""
    tax_micro_fen: MicroFen = NOTHING_MICRO_FEN
    benefit_micro_fen: MicroFen = NOTHING_MICRO_FEN
    """Permitted profit used up: shared, or forgone for want of quality."""
    reserve_micro_fen: MicroFen = NOTHING_MICRO_FEN
    """超收待扣减: what was recovered above everything permitted."""
    income_micro_fen: MicroFen = NOTHING_MICRO_FEN
    """Net income split so far; what the year's deviation is measured on."""

    def cost_room_micro_fen(self, claimant_id: ClaimantId) -> int:
        """Return the approved cost that a claimant has not recovered yet; 0 when that is more.

        Raises:
            UnknownClaimantError: when the scheme approved no cost for the claimant.
        """
        costs = self.terms.cost_micro_fen_by_claimant
        if claimant_id not in costs:
            raise UnknownClaimantError(
                f"the scheme has no approved cost for claimant {claimant_id}",
                field="claimant_id",
                got=claimant_id,
                expected="a claimant of the scheme",
            )
        recovered = self.recovered_micro_fen.get(claimant_id, NOTHING_MICRO_FEN)
        return max(0, costs[claimant_id] - recovered)

    @property
    def tax_room_micro_fen(self) -> int:
        """Approved tax that is still to be set aside this year."""
        return max(0, self.terms.tax_micro_fen - self.tax_micro_fen)

    @property
    def benefit_room_micro_fen(self) -> int:
        """Permitted profit that is still to be shared this year."""
        return max(0, self.terms.profit_micro_fen - self.benefit_micro_fen)


def apply(state: SchemeState, split: Split) -> SchemeState:
    """Return the balances after posting a split.

    Raises:
        EntitlementExceededError: when a balance would pass what the scheme approved.
    """
    return _posted(state, split, 1)


def reverse(state: SchemeState, split: Split) -> SchemeState:
    """Return the balances after posting a split's equal and opposite lines (step 12, 红冲).

    Raises:
        EntitlementExceededError: when the split was not posted here, so a balance would be < 0.
    """
    return _posted(state, split, -1)


def _posted(state: SchemeState, split: Split, sign: int) -> SchemeState:
    terms = state.terms
    tiers = {tier: sign * split.tier_micro_fen(tier) for tier in Tier}
    benefit = tiers[Tier.BENEFIT] + sign * split.benefit_forgone_micro_fen
    return replace(
        state,
        recovered_micro_fen=_recovered(state, split, sign),
        tax_micro_fen=_balance("tax", state.tax_micro_fen + tiers[Tier.TAX], terms.tax_micro_fen),
        benefit_micro_fen=_balance(
            "benefit", state.benefit_micro_fen + benefit, terms.profit_micro_fen
        ),
        reserve_micro_fen=_balance(
            "reserve", state.reserve_micro_fen + tiers[Tier.RESERVE], UINT64_MAX
        ),
        income_micro_fen=_balance(
            "income", state.income_micro_fen + sign * split.income_micro_fen, UINT64_MAX
        ),
    )


def _recovered(state: SchemeState, split: Split, sign: int) -> dict[ClaimantId, MicroFen]:
    recovered = dict(state.recovered_micro_fen)
    for line in split.tier(Tier.LINEAGE_COST) + split.tier(Tier.COMMON_COST):
        claimant_id = line.claimant_id
        if claimant_id is None:
            raise UnknownClaimantError("a cost line must name its claimant", field="claimant_id")
        before = recovered.get(claimant_id, NOTHING_MICRO_FEN)
        limit = before + state.cost_room_micro_fen(claimant_id)
        after = before + sign * line.amount_micro_fen
        if line.amount_micro_fen:
            recovered[claimant_id] = _balance(f"recovered of {claimant_id}", after, limit)
    return recovered


def _balance(name: str, value: int, limit: int) -> MicroFen:
    if not 0 <= value <= limit:
        raise EntitlementExceededError(
            f"{name} would become {value} µfen, outside 0 … {limit}",
            field=name,
            got=value,
            expected=f"0 … {limit}",
        )
    return MicroFen(value)
