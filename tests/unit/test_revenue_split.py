"""One income through the tiers: what each tier takes first, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from ledger.domain.errors import ValueOutOfRangeError
from ledger.domain.ids import ClaimantId
from ledger.domain.money import (
    REGULAR_TIERS,
    TRIAL_TIERS,
    ClaimantCost,
    Lineage,
    SchemeTerms,
    SplitLine,
    Tier,
)
from ledger.domain.units import INCOME_FEN_MAX, Fen, MicroFen, Ppm
from ledger.revenue.apportion import apportion, fill
from ledger.revenue.errors import EntitlementExceededError, SplitSumError, UnknownClaimantError
from ledger.revenue.waterfall import (
    SchemeState,
    Split,
    apply,
    pour_carry_in,
    reverse,
    split_income,
)

pytestmark = pytest.mark.unit

MILLION = 1_000_000
A, B, OPERATOR, PLATFORM, GOVERNANCE, STRANGER = (
    ClaimantId(UUID(int=n)) for n in (1, 2, 50, 60, 70, 99)
)
TERMS = SchemeTerms(
    costs=(
        ClaimantCost(A, Fen(100)),
        ClaimantCost(B, Fen(200)),
        ClaimantCost(OPERATOR, Fen(300)),
        ClaimantCost(PLATFORM, Fen(400)),
    ),
    operator_id=OPERATOR,
    platform_id=PLATFORM,
    governance_id=GOVERNANCE,
    bond_ppm=Ppm(40_000),
    spread_ppm=Ppm(60_000),
    tax_fen=Fen(5),
    surcharge_ppm=Ppm(10_000),
    vat_ppm=Ppm(60_000),
)
STATE = SchemeState(TERMS)
LINEAGE = Lineage.of({A: 250_000, OPERATOR: 750_000})


def in_fen(split: Split, tier: Tier) -> dict[ClaimantId | None, float]:
    return {line.claimant_id: line.amount_micro_fen / MILLION for line in split.tier(tier)}


def test_fill__claimant_at_its_room__hands_the_rest_to_the_others() -> None:
    assert fill(100, [50, 30, 20], [10, 100, 100]) == [10, 54, 36]


def test_fill__more_than_all_rooms__leaves_the_rest() -> None:
    assert fill(100, [1, 1], [3, 4]) == [3, 4]


def test_fill__weight_zero__takes_nothing() -> None:
    assert fill(10, [0, 1], [50, 6]) == [0, 6]


def test_apportion__equal_remainders__go_to_the_lower_id() -> None:
    assert apportion(5, [1, 1, 1]) == [2, 2, 1]


def test_apportion__larger_remainder__goes_before_the_lower_id() -> None:
    assert apportion(10, [1, 2]) == [3, 7]


def test_split__first_income__pays_tax_then_lineage_only() -> None:
    split = split_income(STATE, Fen(100), LINEAGE)
    assert in_fen(split, Tier.TAX) == {None: 1}
    assert in_fen(split, Tier.LINEAGE_COST) == {A: 24.75, OPERATOR: 74.25}
    assert split.tier(Tier.COMMON_COST) == split.tier(Tier.BENEFIT) == ()
    assert in_fen(split, Tier.RESERVE) == {None: 0}


def test_split__tax_reached__takes_no_more_surcharge() -> None:
    state = replace(STATE, tax_micro_fen=MicroFen(4_500_000))
    assert split_income(state, Fen(100), LINEAGE).tier_micro_fen(Tier.TAX) == 500_000


def test_split__lineage_full__goes_to_the_pool_by_open_cost() -> None:
    split = split_income(STATE, Fen(705), LINEAGE, pool=[B])
    assert in_fen(split, Tier.LINEAGE_COST) == {A: 100, OPERATOR: 300}
    assert in_fen(split, Tier.COMMON_COST) == {B: 100, OPERATOR: 0, PLATFORM: 200}


def test_split__dataset_without_use__draws_no_common_cost() -> None:
    split = split_income(STATE, Fen(705), LINEAGE)
    assert in_fen(split, Tier.COMMON_COST) == {OPERATOR: 0, PLATFORM: 300}


def test_split__all_cost_recovered__shares_profit_then_reserves() -> None:
    split = split_income(STATE, Fen(1205), LINEAGE, pool=[B])
    benefit = {GOVERNANCE: 10, OPERATOR: 40, PLATFORM: 10, A: 40}
    assert in_fen(split, Tier.BENEFIT) == benefit
    assert in_fen(split, Tier.RESERVE) == {None: 100}


def test_split__quality_of_all_datasets_zero__forgoes_the_providers_part() -> None:
    split = split_income(STATE, Fen(1205), LINEAGE, pool=[B], quality={A: 0})
    assert in_fen(split, Tier.BENEFIT) == {GOVERNANCE: 10, OPERATOR: 40, PLATFORM: 10}
    assert in_fen(split, Tier.RESERVE) == {None: 140}
    assert apply(STATE, split).benefit_room_micro_fen == 0


def test_split__trial_price__reserves_everything_above_cost() -> None:
    state = SchemeState(replace(TERMS, tiers=TRIAL_TIERS))
    split = split_income(state, Fen(1205), LINEAGE, pool=[B])
    assert split.tier(Tier.BENEFIT) == ()
    assert in_fen(split, Tier.RESERVE) == {None: 200}


def test_split__regular_tiers_only__reserves_everything_above_lineage_cost() -> None:
    state = SchemeState(replace(TERMS, tiers=REGULAR_TIERS))
    split = split_income(state, Fen(705), LINEAGE, pool=[B])
    assert split.tier(Tier.COMMON_COST) == ()
    assert in_fen(split, Tier.RESERVE) == {None: 300}


def test_split__no_income__has_lines_of_zero() -> None:
    split = split_income(STATE, Fen(0), LINEAGE)
    assert [line.amount_micro_fen for line in split.lines] == [0, 0, 0, 0]


@pytest.mark.parametrize("net", [1, INCOME_FEN_MAX])
def test_split__smallest_and_largest_income__sums_exactly(net: int) -> None:
    split = split_income(STATE, Fen(net), LINEAGE, pool=[B])
    assert sum(line.amount_micro_fen for line in split.lines) == net * MILLION
    assert apply(STATE, split).income_micro_fen == net * MILLION


@pytest.mark.parametrize("net", [-1, INCOME_FEN_MAX + 1])
def test_split__income_outside_the_type__is_refused(net: int) -> None:
    with pytest.raises(ValueOutOfRangeError) as caught:
        split_income(STATE, Fen(net), LINEAGE)
    assert caught.value.field == "income_fen"


def test_split__claimant_without_cost__is_refused() -> None:
    with pytest.raises(UnknownClaimantError) as caught:
        split_income(STATE, Fen(100), Lineage.of({STRANGER: MILLION}))
    assert caught.value.got == STRANGER


def test_split__pool_with_a_stranger__is_refused() -> None:
    with pytest.raises(UnknownClaimantError):
        split_income(STATE, Fen(900), LINEAGE, pool=[STRANGER])


def test_split__quality_above_a_hundred__is_refused() -> None:
    with pytest.raises(ValueOutOfRangeError):
        split_income(STATE, Fen(1205), LINEAGE, pool=[B], quality={A: 101})


def test_split__lines_that_do_not_sum__are_refused() -> None:
    with pytest.raises(SplitSumError) as caught:
        Split(MicroFen(2), (SplitLine(Tier.RESERVE, None, MicroFen(1)),))
    assert (caught.value.got, caught.value.expected) == (1, 2)


def test_apply__more_than_approved_cost__is_refused() -> None:
    line = SplitLine(Tier.LINEAGE_COST, A, MicroFen(101 * MILLION))
    with pytest.raises(EntitlementExceededError) as caught:
        apply(STATE, Split(line.amount_micro_fen, (line,)))
    assert caught.value.got == 101 * MILLION


def test_reverse__split_that_was_never_posted__is_refused() -> None:
    with pytest.raises(EntitlementExceededError):
        reverse(STATE, split_income(STATE, Fen(100), LINEAGE))


def test_split__totals_over_tiers__are_credited_once_per_claimant() -> None:
    split = split_income(STATE, Fen(1205), LINEAGE, pool=[B])
    assert split.entitled_micro_fen() == {
        A: 140 * MILLION,
        B: 200 * MILLION,
        OPERATOR: 340 * MILLION,
        PLATFORM: 410 * MILLION,
        GOVERNANCE: 10 * MILLION,
    }


def test_carry_in__opening_of_the_year__takes_room_by_approved_cost_without_surcharge() -> None:
    state = SchemeState(replace(TERMS, carry_in_micro_fen=MicroFen(10 * MILLION)))
    split = pour_carry_in(state)
    assert in_fen(split, Tier.TAX) == {None: 0}
    assert in_fen(split, Tier.LINEAGE_COST) == {A: 1, B: 2, OPERATOR: 3, PLATFORM: 4}
    assert apply(state, split).cost_room_micro_fen(B) == 198 * MILLION
