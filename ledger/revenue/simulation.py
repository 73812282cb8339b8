"""Trying a scheme before it is approved: incomes in order, refunds, and the close, on no ledger.

Rules kept here:
1. The same functions split, reverse and close as in the market; a trial has no rule of its own.
2. The carry-in is poured before the first income and counts in the year's deviation as if it were
   income, as on chain; so a year that sells the rest of what is permitted deviates by nothing.
3. A refund posts the equal and opposite entries (红冲) of the latest income of the same gross
   amount and weights that is not refunded yet; it never shares anew.
4. At the close of a cycle the reserve is poured through the common pool, that is operator, platform
   and whatever was sold or pooled, at the quality it had last; what is left is carried out.

Source: domain report 4.3 steps 2 and 4 to 12.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from ledger.domain.ids import ClaimantId
from ledger.domain.money import NOTHING_MICRO_FEN, Lineage, SchemeTerms, Tier
from ledger.domain.units import (
    Fen,
    MicroFen,
    income_fen,
    require_range,
)
from ledger.revenue.close import Deviation, carry_out_instalments, deviation
from ledger.revenue.errors import RefundUnmatchedError
from ledger.revenue.vat import take_vat
from ledger.revenue.waterfall import (
    SchemeState,
    Split,
    apply,
    pour,
    pour_carry_in,
    reverse,
    split_income,
)

POOL_COUNT_MAX = 600
"""Datasets in the common pool of one income; operator and platform are not counted."""
INCOME_COUNT_MAX = 10_000
_NO_QUALITY: Mapping[ClaimantId, int] = MappingProxyType({})


class CloseKind(StrEnum):
    """What is closed after the last income."""

    YEAR = "year"
    CYCLE = "cycle"


@dataclass(frozen=True, slots=True)
class TrialIncome:
    """One released income, or the refund of an earlier one."""

    gross_fen: Fen
    lineage: Lineage
    pool: frozenset[ClaimantId] = frozenset()
    quality: Mapping[ClaimantId, int] = field(default_factory=lambda: _NO_QUALITY)
    is_refund: bool = False


@dataclass(frozen=True, slots=True)
class TrialSplit:
    """What one income was split into; of a refund, what it took back."""

    net_fen: Fen
    vat_fen: Fen
    split: Split
    is_refund: bool


@dataclass(frozen=True, slots=True)
class TrialClose:
    """The close: deviation of the year; at the end of a cycle also what later ones deduct."""

    deviation: Deviation
    filled_micro_fen: MicroFen
    """What the reserve filled of cost and profit that were still open; 0 at the end of a year."""
    carry_out_micro_fen: tuple[MicroFen, ...]
    """One instalment per later cycle; empty at the end of a year."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """The result of a trial."""

    splits: tuple[TrialSplit, ...]
    state: SchemeState
    """Balances after the last income, before the close."""
    close: TrialClose | None


def simulate(
    terms: SchemeTerms,
    incomes: Sequence[TrialIncome],
    *,
    close: CloseKind | None = None,
    carry_over_cycles: int = 1,
) -> Simulation:
    """Split incomes in their order, then close.

    Args:
        terms: the scheme that is tried.
        incomes: at most 10,000, in release order.
        close: what is closed after the last income, None for nothing.
        carry_over_cycles: over how many later cycles a carry-out is deducted, 1 … 3.

    Raises:
        RefundUnmatchedError: a refund fits no earlier income.
        UnknownClaimantError: an income names a claimant without an approved cost.
        EntitlementExceededError: the reserve would pass what the types admit.
        PermittedIncomeAbsentError: a close is asked and the scheme permits no income.
    """
    require_range("incomes", len(incomes), 0, INCOME_COUNT_MAX)
    state = SchemeState(terms)
    if terms.carry_in_micro_fen:
        state = apply(state, pour_carry_in(state))
    splits: list[TrialSplit] = []
    standing: defaultdict[tuple[Fen, Lineage], list[int]] = defaultdict(list)
    for number, income in enumerate(incomes):
        alike = standing[income.gross_fen, income.lineage]
        if income.is_refund:
            found = splits[_refunded(income, alike, number)]
            state = reverse(state, found.split)
            splits.append(replace(found, is_refund=True))
            continue
        made = _split(state, income, number)
        state = apply(state, made.split)
        splits.append(made)
        alike.append(number)
    closed = None if close is None else _close(state, incomes, close, carry_over_cycles)
    return Simulation(tuple(splits), state, closed)


def _split(state: SchemeState, income: TrialIncome, number: int) -> TrialSplit:
    gross_fen = income_fen(income.gross_fen, f"incomes.{number}.gross_fen")
    net_fen, vat_fen = take_vat(gross_fen, state.terms.vat_ppm)
    pool = income.pool - {state.terms.operator_id, state.terms.platform_id}
    require_range(f"incomes.{number}.pool", len(pool), 0, POOL_COUNT_MAX)
    split = split_income(state, net_fen, income.lineage, pool=pool, quality=income.quality)
    return TrialSplit(net_fen, vat_fen, split, is_refund=False)


def _refunded(income: TrialIncome, alike: list[int], number: int) -> int:
    """Take the latest of the incomes that a refund may take back, and return its number."""
    if not alike:
        raise RefundUnmatchedError(
            f"income {number + 1} refunds an amount and weights that no open income before it has",
            field=f"incomes.{number}.refund",
            got=income.gross_fen,
            expected="gross_fen and weights_ppm of an earlier income",
        )
    return alike.pop()


def _close(
    state: SchemeState, incomes: Sequence[TrialIncome], close: CloseKind, carry_over_cycles: int
) -> TrialClose:
    apart = deviation(state.income_micro_fen, MicroFen(state.terms.permitted_micro_fen))
    if close is CloseKind.YEAR:
        return TrialClose(apart, NOTHING_MICRO_FEN, ())
    pool = {state.terms.operator_id, state.terms.platform_id}
    quality: dict[ClaimantId, int] = {}
    for income in incomes:
        pool |= income.pool | {weight.claimant_id for weight in income.lineage.weights}
        quality |= income.quality
    poured = pour(state, state.reserve_micro_fen, pool, quality=quality)
    left = poured.tier_micro_fen(Tier.RESERVE)
    filled = MicroFen(state.reserve_micro_fen - left)
    return TrialClose(apart, filled, tuple(carry_out_instalments(left, carry_over_cycles)))
