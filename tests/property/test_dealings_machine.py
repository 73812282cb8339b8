"""The states before a licence, in any order of moves: none outside the tables, all reachable."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ledger.domain.codes import ApplicationState, NegotiationState
from ledger.domain.dealings import (
    APPLICATION,
    NEGOTIATION,
    Move,
    OutOfTurnError,
    Side,
    next_application,
    next_negotiation,
)

pytestmark = pytest.mark.property

ENDS = (NegotiationState.FINALIZED, NegotiationState.TERMINATED)


class NegotiationMachine(RuleBasedStateMachine):
    """Two sides make any moves; what holds of the Dataspace Protocol holds after each."""

    def __init__(self) -> None:
        super().__init__()
        self.state: NegotiationState | None = None
        self.offered_by: Side | None = None
        self.history: list[NegotiationState] = []

    @rule(side=st.sampled_from(Side), move=st.sampled_from(Move))
    def move(self, side: Side, move: Move) -> None:
        before = self.state
        try:
            after = next_negotiation(before, side, move)
        except OutOfTurnError:
            return
        assert before not in ENDS
        if move is Move.OFFER:
            assert self.offered_by is not side
            self.offered_by = side
        if move is Move.ACCEPT:
            assert self.offered_by is Side.OPERATOR
        if after is NegotiationState.FINALIZED:
            assert before is NegotiationState.AGREED
        self.state = after
        self.history.append(after)

    @invariant()
    def ends_are_final(self) -> None:
        assert not any(state in ENDS for state in self.history[:-1])

    @invariant()
    def only_parties_moved(self) -> None:
        assert self.offered_by in (None, Side.BUYER, Side.OPERATOR)


NegotiationMachine.TestCase.settings = settings(
    max_examples=200, stateful_step_count=30, deadline=None
)
TestNegotiation = NegotiationMachine.TestCase


def _reached(table: dict) -> set[object]:  # type: ignore[type-arg]
    reached: set[object] = {None}
    while more := {after for (state, _, _), after in table.items() if state in reached} - reached:
        reached |= more
    return reached - {None}


def test_tables__every_state__is_reachable() -> None:
    assert _reached(NEGOTIATION) == set(NegotiationState)
    assert _reached(APPLICATION) == set(ApplicationState)


@given(
    moves=st.lists(st.tuples(st.sampled_from(Side), st.sampled_from(Move)), max_size=12),
)
def test_application__any_moves__is_decided_once(moves: list[tuple[Side, Move]]) -> None:
    state: ApplicationState | None = None
    changes = 0
    for side, move in moves:
        try:
            state = next_application(state, side, move)
        except OutOfTurnError:
            continue
        changes += 1
    assert changes <= 2
    assert (changes == 2) == (state not in (None, ApplicationState.SUBMITTED))
