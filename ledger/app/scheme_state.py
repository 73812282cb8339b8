"""A scheme as the money layer takes it, and what the money layer says as the contract takes it.

Rules kept here:
1. A claimant of a lineage without an approved cost has room 0, as in the contract.
2. The common pool is who the chain has pooled, and the lineage that is being sold.
3. A tier that gets nothing has no lines on chain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from ledger.domain.codes import QualityGrade
from ledger.domain.ids import ClaimantId
from ledger.domain.money import (
    ALL_TIERS,
    TRIAL_TIERS,
    ClaimantCost,
    ProfitVector,
    SchemeTerms,
    Tier,
)
from ledger.domain.units import MICRO_FEN_PER_FEN, Fen, MicroFen, Ppm
from ledger.projection import queries
from ledger.projection.queries.schemes import AccountRow, SchemeRow
from ledger.revenue.waterfall import QUALITY_WHOLE, SchemeState, Split

Connection = Any
"""A read connection as `Market.read` gives it."""
_COEFFICIENTS = {
    QualityGrade.A: 100,
    QualityGrade.B: 90,
    QualityGrade.C: 80,
    QualityGrade.D: 50,
    QualityGrade.E: 0,
}
_NO_PROFIT = ProfitVector(Ppm(1_000_000), Ppm(0), Ppm(0), Ppm(0))


def quality_of(connection: Connection) -> dict[ClaimantId, int]:
    """Return the coefficient of each inspected dataset; who is not there counts in full."""
    return {
        ClaimantId(key): _COEFFICIENTS[QualityGrade(grade)]
        for key, grade in queries.grades_of(connection).items()
        if grade
    }


def coefficient_of(grade: int) -> int:
    """Return the coefficient of a grade; 0, never inspected, counts in full."""
    return _COEFFICIENTS[QualityGrade(grade)] if grade else QUALITY_WHOLE


def state_of(scheme: SchemeRow, accounts: Sequence[AccountRow]) -> SchemeState:
    """Return the balances of a scheme."""
    costs = {row.claimant_id: row.cost_micro_fen // MICRO_FEN_PER_FEN for row in accounts}
    return SchemeState(
        SchemeTerms(
            costs=tuple(ClaimantCost(ClaimantId(key), Fen(costs[key])) for key in sorted(costs)),
            operator_id=ClaimantId(scheme.operator_id),
            platform_id=ClaimantId(scheme.platform_id),
            bond_ppm=Ppm(scheme.bond_ppm),
            spread_ppm=Ppm(scheme.spread_ppm),
            tax_fen=Fen(scheme.tax_micro_fen // MICRO_FEN_PER_FEN),
            surcharge_ppm=Ppm(scheme.surcharge_ppm),
            vat_ppm=Ppm(scheme.vat_ppm),
            profit=_NO_PROFIT if scheme.is_trial else _vector(scheme),
            governance_id=ClaimantId(scheme.governance_id) if scheme.governance_id else None,
            tiers=TRIAL_TIERS if scheme.is_trial else ALL_TIERS,
        ),
        {ClaimantId(row.claimant_id): MicroFen(row.recovered_micro_fen) for row in accounts},
        tax_micro_fen=MicroFen(scheme.tax_taken_micro_fen),
        benefit_micro_fen=MicroFen(scheme.benefit_micro_fen),
        reserve_micro_fen=MicroFen(scheme.reserve_micro_fen),
    )


def with_claimants(state: SchemeState, listed: Iterable[UUID]) -> SchemeState:
    """Return the balances with further claimants of a lineage, who have no approved cost."""
    known = state.terms.cost_micro_fen_by_claimant
    more = [ClaimantId(key) for key in sorted(set(listed)) if key not in known]
    if not more:
        return state
    costs = sorted(
        (*state.terms.costs, *(ClaimantCost(key, Fen(0)) for key in more)),
        key=lambda cost: cost.claimant_id,
    )
    return replace(state, terms=replace(state.terms, costs=tuple(costs)))


def pool_of(accounts: Iterable[AccountRow], listed: Iterable[UUID] = ()) -> list[ClaimantId]:
    """Return the common pool in claimant order, `listed` joining it when they have a cost."""
    joining = set(listed)
    return sorted(
        ClaimantId(row.claimant_id)
        for row in accounts
        if row.is_pooled or (row.claimant_id in joining and row.cost_micro_fen)
    )


def on_chain(split: Split, state: SchemeState, listed: Sequence[UUID]) -> dict[str, Any]:
    """Return a split as the contract takes it.

    Args:
        split: what the money layer shares.
        state: the balances before it.
        listed: claimants of the lineage, or of a fill, in their order.
    """
    cost = split.tier(Tier.LINEAGE_COST)
    paid = {line.claimant_id: line.amount_micro_fen for line in cost}
    common = split.tier(Tier.COMMON_COST)
    has_common = any(line.amount_micro_fen for line in common)
    return {
        "tax_micro_fen": split.tier_micro_fen(Tier.TAX),
        "lineage_cost_micro_fen": [line.amount_micro_fen for line in cost],
        "common_cost": [
            {"claimant_id": line.claimant_id, "amount_micro_fen": line.amount_micro_fen}
            for line in common
            if has_common
            and line.claimant_id is not None
            and state.cost_room_micro_fen(line.claimant_id) > paid.get(line.claimant_id, 0)
        ],
        "benefit_micro_fen": _benefit(split, state, listed),
        "forgone_micro_fen": split.benefit_forgone_micro_fen,
        "reserve_micro_fen": split.tier_micro_fen(Tier.RESERVE),
    }


def recorded_on_chain(detail: queries.SplitDetail) -> dict[str, Any]:
    """Return a recorded split as the contract took it."""
    tiers: dict[Tier, list[queries.SplitLineRow]] = {tier: [] for tier in Tier}
    for line in detail.lines:
        tiers[Tier(line.tier)].append(line)
    return {
        "tax_micro_fen": tiers[Tier.TAX][0].amount_micro_fen,
        "lineage_cost_micro_fen": [row.amount_micro_fen for row in tiers[Tier.LINEAGE_COST]],
        "common_cost": [
            {"claimant_id": row.claimant_id, "amount_micro_fen": row.amount_micro_fen}
            for row in tiers[Tier.COMMON_COST]
        ],
        "benefit_micro_fen": [row.amount_micro_fen for row in tiers[Tier.BENEFIT]],
        "forgone_micro_fen": detail.split.forgone_micro_fen,
        "reserve_micro_fen": tiers[Tier.RESERVE][0].amount_micro_fen,
    }


def _benefit(split: Split, state: SchemeState, listed: Sequence[UUID]) -> list[int]:
    """Return governance, operator, platform, then one line per listed claimant."""
    lines = list(split.tier(Tier.BENEFIT))
    if not split.benefit_forgone_micro_fen and not any(line.amount_micro_fen for line in lines):
        return []
    has_governance = state.terms.governance_id is not None
    first = [0] if not has_governance else [lines.pop(0).amount_micro_fen]
    first += [lines.pop(0).amount_micro_fen, lines.pop(0).amount_micro_fen]
    earned: Mapping[UUID | None, int] = {line.claimant_id: line.amount_micro_fen for line in lines}
    return [*first, *(earned.get(key, 0) for key in listed)]


def _vector(scheme: SchemeRow) -> ProfitVector:
    return ProfitVector(
        Ppm(scheme.providers_ppm),
        Ppm(scheme.operator_ppm),
        Ppm(scheme.platform_ppm),
        Ppm(scheme.governance_ppm),
    )
