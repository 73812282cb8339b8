"""The capped fill against exact fractions, and against the check that the chain makes of it."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ledger.revenue.apportion import apportion, fill
from tests.property.revenue_reference import (
    exact_fill,
    level_findings,
    round_lines,
    two_pass_findings,
)

pytestmark = pytest.mark.property

REALISTIC_MICRO_FEN_MAX = 2 * 10**15
rooms = st.one_of(st.integers(0, 12), st.integers(0, REALISTIC_MICRO_FEN_MAX))
weights = st.one_of(st.integers(0, 8), st.integers(0, 1_000_000))


class Tier(NamedTuple):
    """One capped tier: the amount, and weights and rooms in claimant order."""

    amount: int
    weights: list[int]
    rooms: list[int]


@st.composite
def tiers(draw: st.DrawFn) -> Tier:
    count = draw(st.integers(1, 8))
    room_list = draw(st.lists(rooms, min_size=count, max_size=count))
    by_open_cost = draw(st.booleans())
    weight_list = (
        room_list if by_open_cost else draw(st.lists(weights, min_size=count, max_size=count))
    )
    whole = sum(room_list)
    near_full = st.integers(max(0, whole - 9), whole + 3)
    return Tier(draw(st.one_of(near_full, st.integers(0, whole + 3))), weight_list, room_list)


@settings(max_examples=2000, deadline=None)
@given(tiers())
def test_fill__any_tier__equals_exact_fractions_rounded_once(tier: Tier) -> None:
    assert fill(*tier) == round_lines(exact_fill(*tier))


@settings(max_examples=1000, deadline=None)
@given(tiers())
def test_fill__any_tier__is_accepted_by_the_chains_check(tier: Tier) -> None:
    assert level_findings(*tier, fill(*tier)) == []


@settings(max_examples=1000, deadline=None)
@given(tiers(), st.data())
def test_fill__two_micro_fen_moved__is_refused_by_the_chains_check(
    tier: Tier, data: st.DataObject
) -> None:
    lines = fill(*tier)
    givers = [index for index, line in enumerate(lines) if line >= 2]
    assume(givers and len(lines) > 1)
    giver = data.draw(st.sampled_from(givers))
    taker = data.draw(st.sampled_from([i for i in range(len(lines)) if i != giver]))
    lines[giver] -= 2
    lines[taker] += 2
    assert level_findings(*tier, lines)


@settings(max_examples=300, deadline=None)
@given(tiers(), st.data())
def test_fill__two_micro_fen_taken_to_another_tier__is_refused_by_the_chains_check(
    tier: Tier, data: st.DataObject
) -> None:
    lines = fill(*tier)
    givers = [index for index, line in enumerate(lines) if line >= 2]
    assume(givers)
    lines[data.draw(st.sampled_from(givers))] -= 2
    assert level_findings(*tier, lines)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**64), st.lists(weights, min_size=1, max_size=8).filter(any))
def test_apportion__any_weights__sums_exactly_and_errs_below_one(
    amount: int, weight_list: list[int]
) -> None:
    shares = apportion(amount, weight_list)
    whole = sum(weight_list)
    assert sum(shares) == amount
    assert all(
        abs(share * whole - amount * weight) < whole
        for share, weight in zip(shares, weight_list, strict=True)
    )


@settings(max_examples=300, deadline=None)
@given(tiers(), st.integers(2, 8))
def test_fill__amount_in_equal_parts__differs_by_at_most_one_micro_fen_a_part(
    tier: Tier, count: int
) -> None:
    part = tier.amount // count
    whole = fill(part * count, tier.weights, tier.rooms)
    taken = [0] * len(whole)
    for _ in range(count):
        left = [room - line for room, line in zip(tier.rooms, taken, strict=True)]
        lines = fill(part, tier.weights, left)
        taken = [before + line for before, line in zip(taken, lines, strict=True)]
    assert all(abs(a - b) <= count for a, b in zip(whole, taken, strict=True))


def test_two_pass_check__line_rounded_up_to_its_room__refuses_an_honest_split() -> None:
    tier = Tier(2, [1, 5], [4, 2])
    lines = fill(*tier)
    assert lines == [0, 2]
    assert two_pass_findings(*tier, lines)
    assert level_findings(*tier, lines) == []
