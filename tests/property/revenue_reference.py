"""A second opinion on money: exact fractions for the shares, and the check that the chain makes.

`exact_fill` finds the shares by walking the levels at which claimants become full, instead of by
rounds; `round_lines` then rounds once. `level_findings` is the contract's check of a capped
proportional tier. It asks whether the tier's level t (income per weight) explains all lines:

    every line      t ≥ (line - 1) / weight          it did not get a whole µfen too much
    lines below     t ≤ (line + 1) / weight          it did not get a whole µfen too little,
    their room                                       unless its room ends there

One pass finds the largest lower and the smallest upper bound, a second pours at both, to see that
the level lies between them; no set of capped claimants, no redistribution. Every computed split
passes: a line differs from min(room, t · weight) by less than one µfen. No split with two µfen
moved passes: the giver then needs a level below the true one, the taker a level above it.

The variant that first takes out the claimants whose line equals their room and recomputes the
level of the others (`two_pass_findings`) is kept to show why it is not used: it refuses honest
splits in which rounding, not the cap, brought a line to its room.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import NamedTuple

from ledger.domain.ids import ClaimantId
from ledger.domain.money import Lineage, SchemeTerms, Tier
from ledger.domain.units import Fen
from ledger.revenue.state import SchemeState, Split

MILLION = 1_000_000


class IncomeFacts(NamedTuple):
    """One income and what it is split by."""

    net_fen: Fen
    lineage: Lineage
    pool: list[ClaimantId]
    quality: dict[ClaimantId, int]


def exact_fill(amount: int, weights: Sequence[int], rooms: Sequence[int]) -> list[Fraction]:
    """Return min(room, t · weight) for the level t at which the amount is used up."""
    heavy = [index for index, weight in enumerate(weights) if weight > 0]
    level, left, active = (
        Fraction(0),
        Fraction(amount),
        sorted(heavy, key=lambda index: Fraction(rooms[index], weights[index])),
    )
    while active:
        whole = sum(weights[index] for index in active)
        full_at = Fraction(rooms[active[0]], weights[active[0]])
        step = min(full_at - level, left / whole)
        level, left = level + step, left - step * whole
        if left == 0:
            break
        active = active[1:]
    return [min(Fraction(r), level * w) for w, r in zip(weights, rooms, strict=True)]


def round_lines(exact: Sequence[Fraction]) -> list[int]:
    """Floor each share and give the missing units by largest fraction, ties to the earlier."""
    lines = [floor(share) for share in exact]
    missing = round(sum(exact)) - sum(lines)
    order = sorted(range(len(exact)), key=lambda i: (lines[i] - exact[i], i))
    for index in order[:missing]:
        lines[index] += 1
    return lines


def level_findings(
    amount: int, weights: Sequence[int], rooms: Sequence[int], lines: Sequence[int]
) -> list[str]:
    """Return what is wrong with the lines of a capped proportional tier; nothing when lawful."""
    findings = []
    room = sum(r for w, r in zip(weights, rooms, strict=True) if w)
    if len(lines) != len(weights):
        return ["there is not one line for each claimant"]
    if sum(lines) != min(amount, room):
        findings.append("the tier takes too much or too little")
    least, most = Fraction(0), None
    for weight, limit, line in zip(weights, rooms, lines, strict=True):
        if line < 0 or line > (limit if weight else 0):
            findings.append("a line is outside its room")
        elif weight:
            least = max(least, Fraction(line - 1, weight))
            if line < limit:
                bound = Fraction(line + 1, weight)
                most = bound if most is None else min(most, bound)
    if most is not None and not (
        _poured(least, weights, rooms) <= amount <= _poured(most, weights, rooms)
    ):
        findings.append("the tier's level does not explain the lines")
    return findings


def _poured(level: Fraction, weights: Sequence[int], rooms: Sequence[int]) -> Fraction:
    claims = zip(weights, rooms, strict=True)
    return sum((min(Fraction(room), level * weight) for weight, room in claims), Fraction(0))


def two_pass_findings(
    amount: int, weights: Sequence[int], rooms: Sequence[int], lines: Sequence[int]
) -> list[str]:
    """Return the findings of the check by claimants at their room, then all others."""
    at_room = [line == room for line, room in zip(lines, rooms, strict=True)]
    left = amount - sum(r for r, full in zip(rooms, at_room, strict=True) if full)
    whole = sum(w for w, full in zip(weights, at_room, strict=True) if not full)
    findings = []
    for weight, room, line, full in zip(weights, rooms, lines, at_room, strict=True):
        if full and (room - 1) * whole > left * weight:
            findings.append("a claimant at its room is not due it")
        if not full and abs(line * whole - left * weight) > whole:
            findings.append("a line is out of proportion")
    return findings


def split_findings(state: SchemeState, facts: IncomeFacts, split: Split) -> list[str]:
    """Return what is wrong with a whole split, as the chain sees it; nothing when lawful."""
    terms, left = state.terms, facts.net_fen * MILLION
    amounts = {tier: [line.amount_micro_fen for line in split.tier(tier)] for tier in Tier}
    tax = min(facts.net_fen * terms.surcharge_ppm, state.tax_room_micro_fen, left)
    findings = [] if amounts[Tier.TAX] == [tax] else ["tax is not the rule's"]
    left -= tax
    weights = {weight.claimant_id: weight.weight_ppm for weight in facts.lineage.weights}
    room = {cost.claimant_id: state.cost_room_micro_fen(cost.claimant_id) for cost in terms.costs}
    lines = amounts[Tier.LINEAGE_COST]
    rooms = [room[key] for key in weights]
    findings += level_findings(left, list(weights.values()), rooms, lines)
    for key, line in zip(weights, lines, strict=True):
        room[key] -= line
    left -= sum(lines)
    if Tier.COMMON_COST in terms.tiers and left:
        open_cost = [
            room[key] for key in sorted({*facts.pool, terms.operator_id, terms.platform_id})
        ]
        findings += level_findings(left, open_cost, open_cost, amounts[Tier.COMMON_COST])
        left -= sum(amounts[Tier.COMMON_COST])
    if Tier.BENEFIT in terms.tiers and left > 0:
        findings += _benefit_findings(state, facts, min(left, state.benefit_room_micro_fen), split)
        left -= sum(amounts[Tier.BENEFIT])
    return findings + ([] if amounts[Tier.RESERVE] == [left] else ["reserve is not the rest"])


def _benefit_findings(
    state: SchemeState, facts: IncomeFacts, amount: int, split: Split
) -> list[str]:
    """Check each part of the profit vector, then each provider's line, to within one µfen."""
    profit = state.terms.profit
    organisations, providers = split.tier(Tier.BENEFIT)[:3], split.tier(Tier.BENEFIT)[3:]
    parts = [line.amount_micro_fen for line in organisations]
    lines = [line.amount_micro_fen for line in providers]
    shares = [profit.governance_ppm, profit.operator_ppm, profit.platform_ppm]
    if len(parts) != len(shares):
        return ["there is not one line for each organisation"]
    total = sum(lines) if providers else split.benefit_forgone_micro_fen
    is_whole = sum(parts) + total == amount
    findings = [] if is_whole else ["benefit takes too much or too little"]
    for part, share in zip([*parts, total], [*shares, profit.providers_ppm], strict=True):
        if abs(part * MILLION - amount * share) > MILLION:
            findings.append("a part of the benefit is out of proportion")
    weights = {weight.claimant_id: weight.weight_ppm for weight in facts.lineage.weights}
    merits = {
        line.claimant_id: weights[line.claimant_id] * facts.quality[line.claimant_id]
        for line in providers
        if line.claimant_id is not None
    }
    whole = sum(merits.values())
    for line, merit in zip(lines, merits.values(), strict=True):
        if abs(line * whole - total * merit) > whole:
            findings.append("a provider's benefit is out of proportion")
    return findings


class ExactScheme:
    """The waterfall in exact fractions, rounded once per tier; balances kept on its own."""

    def __init__(self, terms: SchemeTerms) -> None:
        self.terms = terms
        self.costs = {cost.claimant_id: cost.cost_fen * MILLION for cost in terms.costs}
        self.recovered = dict.fromkeys(self.costs, 0)
        self.tax = self.benefit = 0

    def split(
        self,
        net_fen: int,
        lineage: Lineage,
        pool: Collection[ClaimantId],
        quality: Mapping[ClaimantId, int],
    ) -> dict[tuple[Tier, ClaimantId | None], int]:
        """Return what each tier gives to each claimant, without zeros, and post it."""
        weights = {weight.claimant_id: weight.weight_ppm for weight in lineage.weights}
        left = net_fen * MILLION
        tax = min(net_fen * self.terms.surcharge_ppm, self.terms.tax_fen * MILLION - self.tax, left)
        self.tax += tax
        result: dict[tuple[Tier, ClaimantId | None], int] = {(Tier.TAX, None): tax}
        result |= self._cost(Tier.LINEAGE_COST, left - tax, weights)
        if Tier.COMMON_COST in self.terms.tiers:
            members = sorted({*pool, self.terms.operator_id, self.terms.platform_id})
            open_cost = {member: self._room(member) for member in members}
            result |= self._cost(Tier.COMMON_COST, left - sum(result.values()), open_cost)
        if Tier.BENEFIT in self.terms.tiers:
            result |= self._benefit(left - sum(result.values()), weights, quality)
        result[Tier.RESERVE, None] = left - sum(result.values())
        return {key: amount for key, amount in result.items() if amount}

    def _room(self, claimant_id: ClaimantId) -> int:
        return self.costs[claimant_id] - self.recovered[claimant_id]

    def _cost(
        self, tier: Tier, amount: int, weights: Mapping[ClaimantId, int]
    ) -> dict[tuple[Tier, ClaimantId | None], int]:
        rooms = [self._room(claimant_id) for claimant_id in weights]
        lines = round_lines(exact_fill(amount, list(weights.values()), rooms))
        for claimant_id, line in zip(weights, lines, strict=True):
            self.recovered[claimant_id] += line
        return {(tier, key): line for key, line in zip(weights, lines, strict=True)}

    def _benefit(
        self, left: int, weights: Mapping[ClaimantId, int], quality: Mapping[ClaimantId, int]
    ) -> dict[tuple[Tier, ClaimantId | None], int]:
        terms, profit = self.terms, self.terms.profit
        rate = terms.bond_ppm + terms.spread_ppm
        amount = min(left, sum(cost.cost_fen for cost in terms.costs) * rate - self.benefit)
        self.benefit += amount
        shares = (
            profit.governance_ppm,
            profit.operator_ppm,
            profit.platform_ppm,
            profit.providers_ppm,
        )
        parts = round_lines([Fraction(amount * share, MILLION) for share in shares])
        organisations = (terms.governance_id, terms.operator_id, terms.platform_id)
        result: dict[tuple[Tier, ClaimantId | None], int] = {
            (Tier.BENEFIT, key): part for key, part in zip(organisations, parts[:3], strict=True)
        }
        merits = {key: weight * quality[key] for key, weight in weights.items() if key in quality}
        whole = sum(merits.values())
        if whole:
            exact = [Fraction(parts[3] * merit, whole) for merit in merits.values()]
            lines = zip(merits, round_lines(exact), strict=True)
            result |= {(Tier.BENEFIT, key): line for key, line in lines}
        return result
