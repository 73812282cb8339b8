"""Steps 4 to 8: how one released income is shared, in the order of the law.

    4  A0 tax           a surcharge on the net income, until the approved tax is set aside
    5  A1 lineage cost  the cost of the claimants of the product that was sold, by its weights
    6  A2 common cost   the cost still open of everyone whose data was used this year
    7  B  benefit       permitted profit, by agreement, after all cost
    8  R  reserve       the rest: recovered above what is permitted, paid to nobody in this cycle

Rules kept here:
1. A tier takes what it may and hands on the rest; a later tier gets nothing before the earlier
   one is full. A tier that the scheme closed is passed over.
2. Entitlements are whole µfen. Redistribution, quality and the profit vector can leave less than
   one µfen a line: floor, then largest remainder, ties to the lower id (step 9).
3. The lines sum to the income exactly. Nothing here changes a balance: see `ledger.revenue.state`.

Steps 1 and 2 are in `tariff` and `vat`, 10 in `remittance`, 11 in `close`; step 3, the hold, is
the contract's and the application's.

Source: domain report 4.3; 发改价格〔2025〕65号.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ledger.domain.ids import ClaimantId
from ledger.domain.money import Lineage, SchemeTerms, SplitLine, Tier
from ledger.domain.units import (
    Fen,
    MicroFen,
    fen_to_micro,
    micro_fen,
    require_range,
)
from ledger.revenue.apportion import apportion, fill
from ledger.revenue.state import SchemeState, Split, apply, reverse

__all__ = [
    "QUALITY_WHOLE",
    "SchemeState",
    "Split",
    "apply",
    "fill",
    "pour",
    "pour_carry_in",
    "reverse",
    "split_income",
]

QUALITY_WHOLE = 100
"""Quality coefficient of grade A: A 100, B 90, C 80, D 50, E 0."""

Weights = Sequence[tuple[ClaimantId, int]]


def split_income(
    state: SchemeState,
    net_fen: Fen,
    lineage: Lineage,
    *,
    pool: Collection[ClaimantId] = (),
    quality: Mapping[ClaimantId, int] | None = None,
) -> Split:
    """Share one released income between tax, cost, benefit and reserve.

    Args:
        state: balances of the scheme before this income; incomes come in release order.
        net_fen: the income in whole fen without VAT.
        lineage: the product's claimants and weights.
        pool: datasets with an accepted use this year; operator and platform always belong to it.
        quality: coefficient 0 … 100 per dataset of the lineage; absent means 100.

    Returns:
        The split; its lines sum to net_fen · 10⁶ µfen.

    Raises:
        UnknownClaimantError: when lineage or pool names a claimant without an approved cost.
        ValueOutOfRangeError: when the income or a coefficient is outside its limits.
    """
    weights = [(weight.claimant_id, int(weight.weight_ppm)) for weight in lineage.weights]
    tax_micro_fen = _tax(state, net_fen)
    return _pour(state, fen_to_micro(net_fen), tax_micro_fen, weights, pool, quality or {})


def pour_carry_in(state: SchemeState, *, quality: Mapping[ClaimantId, int] | None = None) -> Split:
    """Share the carry-in of an earlier cycle at the opening of the year (step 11).

    It runs through the tiers as if it were net income, without VAT and without surcharge, and
    with the approved costs as weights; so the room for new sales falls by exactly the deduction.
    """
    claimants = state.terms.cost_micro_fen_by_claimant
    return pour(state, state.terms.carry_in_micro_fen, claimants, quality=quality)


def pour(
    state: SchemeState,
    amount_micro_fen: MicroFen,
    claimants: Collection[ClaimantId],
    *,
    quality: Mapping[ClaimantId, int] | None = None,
) -> Split:
    """Share an amount that no product earned, weighted by approved cost, without a surcharge.

    Args:
        state: balances of the scheme before.
        amount_micro_fen: what there is to share.
        claimants: everyone of the scheme for a carry-in, the common pool for a reserve.
        quality: coefficient 0 … 100 per dataset; absent means 100.
    """
    costs = state.terms.cost_micro_fen_by_claimant
    weights = [(claimant_id, int(costs[claimant_id])) for claimant_id in sorted(claimants)]
    return _pour(state, amount_micro_fen, 0, weights, claimants, quality or {})


@dataclass(slots=True)
class _Income:
    """What is left of an income on its way down the tiers, and the lines it left behind."""

    left_micro_fen: int
    lines: list[SplitLine]
    benefit_forgone_micro_fen: int = 0

    def pay(self, tier: Tier, claimant_id: ClaimantId | None, amount_micro_fen: int) -> None:
        self.lines.append(SplitLine(tier, claimant_id, MicroFen(amount_micro_fen)))
        self.left_micro_fen -= amount_micro_fen


def _pour(
    state: SchemeState,
    income_micro_fen: MicroFen,
    tax_micro_fen: int,
    weights: Weights,
    pool: Collection[ClaimantId],
    quality: Mapping[ClaimantId, int],
) -> Split:
    income = _Income(micro_fen(income_micro_fen, "income_micro_fen"), [])
    income.pay(Tier.TAX, None, tax_micro_fen)
    _pay_lineage_cost(state, income, weights)
    if Tier.COMMON_COST in state.terms.tiers and income.left_micro_fen:
        _pay_common_cost(state, income, pool)
    if Tier.BENEFIT in state.terms.tiers and income.left_micro_fen:
        _pay_benefit(state, income, weights, quality)
    income.pay(Tier.RESERVE, None, income.left_micro_fen)
    return Split(income_micro_fen, tuple(income.lines), MicroFen(income.benefit_forgone_micro_fen))


def _tax(state: SchemeState, net_fen: Fen) -> int:
    """Step 4, A0: min(net · surcharge, tax not yet set aside, net), in µfen, exact."""
    surcharge_micro_fen = net_fen * state.terms.surcharge_ppm
    return min(surcharge_micro_fen, state.tax_room_micro_fen, fen_to_micro(net_fen))


def _pay_lineage_cost(state: SchemeState, income: _Income, weights: Weights) -> None:
    """Step 5, A1: capped proportional fill by lineage weight, each up to its open cost."""
    rooms = [state.cost_room_micro_fen(claimant_id) for claimant_id, _ in weights]
    lines = fill(income.left_micro_fen, [weight for _, weight in weights], rooms)
    for (claimant_id, _), line in zip(weights, lines, strict=True):
        income.pay(Tier.LINEAGE_COST, claimant_id, line)


def _pay_common_cost(state: SchemeState, income: _Income, pool: Collection[ClaimantId]) -> None:
    """Step 6, A2: the same fill over the pool, weighted by the cost that is still open.

    Data that nobody used this year is not in the pool, so it draws no compensation.
    """
    members = sorted(_organisations(state.terms).union(pool))
    paid = {line.claimant_id: line.amount_micro_fen for line in income.lines}
    rooms = [state.cost_room_micro_fen(member) - paid.get(member, 0) for member in members]
    lines = fill(income.left_micro_fen, rooms, rooms)
    for claimant_id, line in zip(members, lines, strict=True):
        income.pay(Tier.COMMON_COST, claimant_id, line)


def _pay_benefit(
    state: SchemeState, income: _Income, weights: Weights, quality: Mapping[ClaimantId, int]
) -> None:
    """Step 7, B: permitted profit by the profit vector, the providers' part by weight · quality.

    A tie within the vector goes to governance, operator, platform, providers, in this order. Where
    no dataset of the product has any quality, the providers' part is forgone: it goes on to the
    reserve, not to the others, and stays used up; else selling on would hand it to them after all.
    """
    terms, profit = state.terms, state.terms.profit
    governance, operator, platform, providers = apportion(
        min(income.left_micro_fen, state.benefit_room_micro_fen),
        [profit.governance_ppm, profit.operator_ppm, profit.platform_ppm, profit.providers_ppm],
    )
    if terms.governance_id is not None:
        income.pay(Tier.BENEFIT, terms.governance_id, governance)
    income.pay(Tier.BENEFIT, terms.operator_id, operator)
    income.pay(Tier.BENEFIT, terms.platform_id, platform)
    merits = _merits(terms, weights, quality)
    if any(merits.values()):
        for claimant_id, line in zip(
            merits, apportion(providers, list(merits.values())), strict=True
        ):
            income.pay(Tier.BENEFIT, claimant_id, line)
    else:
        income.benefit_forgone_micro_fen = providers


def _merits(
    terms: SchemeTerms, weights: Weights, quality: Mapping[ClaimantId, int]
) -> dict[ClaimantId, int]:
    """Return weight · quality of each dataset of the product, in claimant order."""
    return {
        claimant_id: weight * _coefficient(quality, claimant_id)
        for claimant_id, weight in weights
        if claimant_id not in (terms.operator_id, terms.platform_id)
    }


def _coefficient(quality: Mapping[ClaimantId, int], claimant_id: ClaimantId) -> int:
    return require_range("quality", quality.get(claimant_id, QUALITY_WHOLE), 0, QUALITY_WHOLE)


def _organisations(terms: SchemeTerms) -> set[ClaimantId]:
    """Return operator and platform, as far as the scheme approved a cost for them."""
    return {terms.operator_id, terms.platform_id} & terms.cost_micro_fen_by_claimant.keys()
