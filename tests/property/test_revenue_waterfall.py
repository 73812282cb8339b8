"""A scheme's incomes in order, against exact fractions and against the scheme's own limits."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ledger.domain.ids import ClaimantId
from ledger.domain.money import (
    ALL_TIERS,
    REGULAR_TIERS,
    TRIAL_TIERS,
    Band,
    ClaimantCost,
    Lineage,
    SchemeTerms,
    Tariff,
)
from ledger.domain.units import Fen, MicroFen, MicroYuan, Ppm
from ledger.revenue.close import carry_out_instalments
from ledger.revenue.remittance import account_position
from ledger.revenue.tariff import charge_fen
from ledger.revenue.waterfall import SchemeState, Split, apply, reverse, split_income
from tests.property.revenue_reference import ExactScheme, IncomeFacts, split_findings

pytestmark = pytest.mark.property

OPERATOR, PLATFORM, GOVERNANCE = (ClaimantId(UUID(int=n)) for n in (50, 60, 70))
costs = st.one_of(st.integers(0, 20), st.integers(0, 10**9))


class Market(NamedTuple):
    """A scheme and its incomes in release order."""

    terms: SchemeTerms
    sales: list[IncomeFacts]


@st.composite
def lineages(draw: st.DrawFn, claimants: list[ClaimantId]) -> Lineage:
    chosen = sorted(draw(st.sets(st.sampled_from(claimants), min_size=1)))
    cut = st.integers(0, 1_000_000)
    cuts = draw(st.lists(cut, min_size=len(chosen) - 1, max_size=len(chosen) - 1))
    edges = [0, *sorted(cuts), 1_000_000]
    return Lineage.of({key: b - a for key, (a, b) in zip(chosen, pairwise(edges), strict=True)})


@st.composite
def markets(draw: st.DrawFn, sales_max: int = 4) -> Market:
    datasets = [ClaimantId(UUID(int=n)) for n in range(1, draw(st.integers(1, 5)) + 1)]
    claimants = [*datasets, OPERATOR, PLATFORM]
    cost_list = draw(st.lists(costs, min_size=len(claimants), max_size=len(claimants)))
    terms = SchemeTerms(
        costs=tuple(ClaimantCost(k, Fen(c)) for k, c in zip(claimants, cost_list, strict=True)),
        operator_id=OPERATOR,
        platform_id=PLATFORM,
        governance_id=GOVERNANCE,
        bond_ppm=Ppm(draw(st.integers(0, 50_000))),
        spread_ppm=Ppm(draw(st.integers(0, 60_000))),
        tax_fen=Fen(draw(costs)),
        surcharge_ppm=Ppm(draw(st.integers(0, 100_000))),
        vat_ppm=Ppm(60_000),
        tiers=draw(st.sampled_from([ALL_TIERS, ALL_TIERS, TRIAL_TIERS, REGULAR_TIERS])),
    )
    income = st.integers(0, sum(cost_list) + 100)
    sales = [
        IncomeFacts(
            Fen(draw(income)),
            draw(lineages(claimants)),
            sorted(draw(st.sets(st.sampled_from(datasets)))),
            {key: draw(st.sampled_from([0, 50, 80, 90, 100])) for key in datasets},
        )
        for _ in range(draw(st.integers(1, sales_max)))
    ]
    return Market(terms, sales)


def split_sale(state: SchemeState, sale: IncomeFacts) -> Split:
    return split_income(state, sale.net_fen, sale.lineage, pool=sale.pool, quality=sale.quality)


@settings(max_examples=2000, deadline=None)
@given(markets())
def test_splits__any_incomes_in_order__equal_exact_fractions_rounded_once(market: Market) -> None:
    require_exact(market)


def require_exact(market: Market) -> None:
    """Share a scheme's incomes in order, and compare each split with exact fractions."""
    state, reference = SchemeState(market.terms), ExactScheme(market.terms)
    for sale in market.sales:
        split = split_sale(state, sale)
        lines = {(x.tier, x.claimant_id): x.amount_micro_fen for x in split.lines}
        assert len(lines) == len(split.lines)
        assert {key: amount for key, amount in lines.items() if amount} == reference.split(*sale)
        assert sum(lines.values()) == sale.net_fen * 1_000_000
        state = apply(state, split)


@settings(max_examples=500, deadline=None)
@given(markets())
def test_splits__any_incomes_in_order__keep_the_limits_of_the_scheme(market: Market) -> None:
    terms, state, paid = market.terms, SchemeState(market.terms), 0
    for sale in market.sales:
        split = split_sale(state, sale)
        state, paid = apply(state, split), paid + sum(split.entitled_micro_fen().values())
    for cost in terms.costs:
        assert state.recovered_micro_fen.get(cost.claimant_id, 0) <= cost.cost_micro_fen
    assert state.tax_micro_fen <= terms.tax_micro_fen
    assert state.benefit_micro_fen <= terms.profit_micro_fen
    distributed = sum(state.recovered_micro_fen.values()) + state.benefit_micro_fen
    assert state.tax_micro_fen + distributed <= terms.permitted_micro_fen
    assert state.tax_micro_fen + paid + state.reserve_micro_fen == state.income_micro_fen


@settings(max_examples=500, deadline=None)
@given(markets())
def test_splits__any_incomes_in_order__are_accepted_by_the_chains_check(market: Market) -> None:
    state = SchemeState(market.terms)
    for sale in market.sales:
        split = split_sale(state, sale)
        assert split_findings(state, sale, split) == []
        state = apply(state, split)


@settings(max_examples=500, deadline=None)
@given(markets(sales_max=3), st.data())
def test_splits__two_micro_fen_moved_to_any_line__are_refused_by_the_chains_check(
    market: Market, data: st.DataObject
) -> None:
    state = SchemeState(market.terms)
    for sale in market.sales[:-1]:
        state = apply(state, split_sale(state, sale))
    sale = market.sales[-1]
    lines = list(split_sale(state, sale).lines)
    givers = [index for index, line in enumerate(lines) if line.amount_micro_fen >= 2]
    assume(givers)
    giver = data.draw(st.sampled_from(givers))
    taker = data.draw(st.sampled_from([i for i in range(len(lines)) if i != giver]))
    for index, change in ((giver, -2), (taker, 2)):
        amount = MicroFen(lines[index].amount_micro_fen + change)
        lines[index] = replace(lines[index], amount_micro_fen=amount)
    honest = split_sale(state, sale)
    assert split_findings(state, sale, replace(honest, lines=tuple(lines)))


@settings(max_examples=300, deadline=None)
@given(markets(sales_max=1), st.integers(2, 6))
def test_splits__income_in_parts__change_no_entitlement_by_more_than_a_micro_fen_a_part(
    market: Market, count: int
) -> None:
    sale, whole = market.sales[0], SchemeState(market.terms)
    parts = whole
    part_fen = Fen(sale.net_fen // count)
    split = split_sale(whole, sale._replace(net_fen=Fen(part_fen * count)))
    entitled: dict[ClaimantId, int] = {}
    for _ in range(count):
        part = split_sale(parts, sale._replace(net_fen=part_fen))
        parts = apply(parts, part)
        for key, amount in part.entitled_micro_fen().items():
            entitled[key] = entitled.get(key, 0) + amount
    expected = split.entitled_micro_fen()
    for key in expected.keys() | entitled.keys():
        assert abs(expected.get(key, 0) - entitled.get(key, 0)) <= count
    assert abs(apply(whole, split).reserve_micro_fen - parts.reserve_micro_fen) <= count


@settings(max_examples=300, deadline=None)
@given(markets(sales_max=2))
def test_correction__split_posted_and_reversed__leaves_the_balances_as_they_were(
    market: Market,
) -> None:
    state = SchemeState(market.terms)
    for sale in market.sales:
        split = split_sale(state, sale)
        back = reverse(apply(state, split), split)
        nonzero = {key: value for key, value in back.recovered_micro_fen.items() if value}
        assert nonzero == {k: v for k, v in state.recovered_micro_fen.items() if v}
        assert back.income_micro_fen == state.income_micro_fen
        assert back.tax_micro_fen == state.tax_micro_fen
        assert back.benefit_micro_fen == state.benefit_micro_fen
        assert back.reserve_micro_fen == state.reserve_micro_fen
        state = apply(state, split)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.integers(1, 5000), max_size=5, unique=True),
    st.lists(st.integers(0, 10**6), min_size=6, max_size=6),
    st.integers(0, 3000),
    st.integers(0, 1_000_000),
    st.lists(st.integers(0, 4000), min_size=1, max_size=6),
)
def test_charge__year_billed_in_parts__is_the_whole_less_under_a_fen_a_part(
    ends: list[int], prices: list[int], free_units: int, discount_ppm: int, uses: list[int]
) -> None:
    bands = tuple(
        Band(end, MicroYuan(price))
        for end, price in zip([*sorted(ends), None], prices[: len(ends) + 1], strict=True)
    )
    tariff = Tariff(bands, free_units, Ppm(discount_ppm))
    whole_fen, parts_fen, used = charge_fen(tariff, 0, sum(uses)), 0, 0
    for units in uses:
        parts_fen += charge_fen(tariff, used, units)
        used += units
    assert 0 <= whole_fen - parts_fen < len(uses)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**45))
def test_account_position__any_account__balances(entitled: int, remitted_fen: int) -> None:
    position = account_position(MicroFen(entitled), Fen(remitted_fen))
    paid = (remitted_fen + position.payable_fen) * 1_000_000
    assert entitled == paid + position.carried_micro_fen - position.receivable_micro_fen
    assert position.carried_micro_fen < 1_000_000
    assert position.receivable_micro_fen == 0 or position.payable_fen == 0


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(1, 3))
def test_carry_out__any_cycles__sums_exactly_and_the_last_is_largest(
    carry_out: int, cycles: int
) -> None:
    instalments = carry_out_instalments(MicroFen(carry_out), cycles)
    assert sum(instalments) == carry_out
    assert len(instalments) == cycles
    assert 0 <= instalments[-1] - instalments[0] < cycles
