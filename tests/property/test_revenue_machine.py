"""A scheme's life in any order - sales, corrections, pours - and what holds after each step.

The numbers are those of the invariants of the domain report, 4.4.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from ledger.domain.ids import ClaimantId
from ledger.domain.money import Tier
from ledger.domain.units import Fen, MicroFen
from ledger.revenue.state import SchemeState, Split, apply, reverse
from ledger.revenue.waterfall import pour, split_income
from tests.property.revenue_reference import IncomeFacts, split_findings
from tests.property.test_revenue_waterfall import OPERATOR, PLATFORM, lineages, markets

pytestmark = pytest.mark.property

GRADES = (0, 50, 80, 90, 100)


class SchemeMachine(RuleBasedStateMachine):
    """One scheme, and all that was posted to it."""

    splits: Bundle[Split] = Bundle("splits")

    def __init__(self) -> None:
        super().__init__()
        self.posted: list[Split] = []
        self.used: set[ClaimantId] = set()

    @initialize(market=markets(sales_max=1))
    def approve(self, market: Any) -> None:
        self.state = SchemeState(market.terms)
        self.datasets = [
            cost.claimant_id
            for cost in market.terms.costs
            if cost.claimant_id not in (OPERATOR, PLATFORM)
        ]

    @rule(target=splits, data=st.data(), net_fen=st.integers(0, 10**9))
    def sell(self, data: st.DataObject, net_fen: int) -> Split:
        claimants = [cost.claimant_id for cost in self.state.terms.costs]
        lineage = data.draw(lineages(claimants))
        self.used |= {weight.claimant_id for weight in lineage.weights} & set(self.datasets)
        quality = {key: data.draw(st.sampled_from(GRADES)) for key in self.datasets}
        pool = sorted(self.used)
        split = split_income(self.state, Fen(net_fen), lineage, pool=pool, quality=quality)
        facts = IncomeFacts(Fen(net_fen), lineage, pool, quality)
        assert split_findings(self.state, facts, split) == []
        return self._post(split)

    @rule(split=consumes(splits))
    def correct(self, split: Split) -> None:
        self.state = reverse(self.state, split)
        self.posted.remove(split)

    @rule(amount=st.integers(0, 10**15))
    def pour_in(self, amount: int) -> None:
        claimants = [cost.claimant_id for cost in self.state.terms.costs]
        self._post(pour(self.state, MicroFen(amount), claimants))

    def _post(self, split: Split) -> Split:
        self.state = apply(self.state, split)
        self.posted.append(split)
        return split

    @invariant()
    def recovered_within_cost(self) -> None:
        terms = self.state.terms
        for claimant_id, cost in terms.cost_micro_fen_by_claimant.items():
            assert 0 <= self.state.recovered_micro_fen.get(claimant_id, 0) <= cost

    @invariant()
    def tax_and_benefit_within_what_is_permitted(self) -> None:
        assert 0 <= self.state.tax_micro_fen <= self.state.terms.tax_micro_fen
        assert 0 <= self.state.benefit_micro_fen <= self.state.terms.profit_micro_fen
        assert self.state.reserve_micro_fen >= 0

    @invariant()
    def lines_sum_to_income(self) -> None:
        whole = sum(split.income_micro_fen for split in self.posted)
        assert whole == self.state.income_micro_fen
        lines = [line for split in self.posted for line in split.lines]
        assert sum(line.amount_micro_fen for line in lines) == whole

    @invariant()
    def distributed_within_permitted(self) -> None:
        reserve = self.state.reserve_micro_fen
        permitted = self.state.terms.permitted_micro_fen
        assert self.state.income_micro_fen - reserve <= permitted

    @invariant()
    def replay_from_entries_gives_the_balances(self) -> None:
        tiers = dict.fromkeys(Tier, 0)
        for split in self.posted:
            for tier in Tier:
                tiers[tier] += split.tier_micro_fen(tier)
        assert tiers[Tier.TAX] == self.state.tax_micro_fen
        assert tiers[Tier.RESERVE] == self.state.reserve_micro_fen
        recovered = sum(self.state.recovered_micro_fen.values())
        assert tiers[Tier.LINEAGE_COST] + tiers[Tier.COMMON_COST] == recovered


SchemeMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=25, deadline=None)


class TestSchemeMachine(SchemeMachine.TestCase):
    """Runs the machine."""
