"""The two state machines before a licence: a negotiation between two sides, and an application.

Rules kept here:
1. Offers go in turn: who made the last one waits. The operator's offer is accepted by the buyer; on
   the buyer's own offer the operator may put the agreement forward at once.
2. A final or ended negotiation has no further step; an application is decided or withdrawn once.
3. The contracts keep the same tables; here they refuse before anything is sent.

Source: Dataspace Protocol 2025-1, contract negotiation; `domain.md` sections 5 and 8.
"""

from __future__ import annotations

from enum import StrEnum

from ledger.domain.codes import ApplicationState, NegotiationState
from ledger.domain.errors import DomainError


class Side(StrEnum):
    """Who acts."""

    BUYER = "buyer"
    OPERATOR = "operator"
    PROVIDER = "provider"
    APPLICANT = "applicant"


class Move(StrEnum):
    """What is done."""

    OFFER = "offer"
    ACCEPT = "accept"
    AGREE = "agree"
    FINALIZE = "finalize"
    TERMINATE = "terminate"
    SUBMIT = "submit"
    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


class OutOfTurnError(DomainError):
    """A step does not follow from the state, or it is the other side's turn."""

    code = "dealing.out_of_turn"


_REQUESTED, _OFFERED = NegotiationState.REQUESTED, NegotiationState.OFFERED
_ACCEPTED, _AGREED = NegotiationState.ACCEPTED, NegotiationState.AGREED
_OPEN = (_REQUESTED, _OFFERED, _ACCEPTED, _AGREED)
_BOTH = (Side.BUYER, Side.OPERATOR)

NEGOTIATION: dict[tuple[NegotiationState | None, Side, Move], NegotiationState] = {
    (None, Side.BUYER, Move.OFFER): _REQUESTED,
    (None, Side.OPERATOR, Move.OFFER): _OFFERED,
    (_OFFERED, Side.BUYER, Move.OFFER): _REQUESTED,
    (_REQUESTED, Side.OPERATOR, Move.OFFER): _OFFERED,
    (_OFFERED, Side.BUYER, Move.ACCEPT): _ACCEPTED,
    (_ACCEPTED, Side.OPERATOR, Move.AGREE): _AGREED,
    (_REQUESTED, Side.OPERATOR, Move.AGREE): _AGREED,
    **{(_AGREED, side, Move.FINALIZE): NegotiationState.FINALIZED for side in _BOTH},
    **{
        (state, side, Move.TERMINATE): NegotiationState.TERMINATED
        for state in _OPEN
        for side in _BOTH
    },
}
"""State after a move; None before the first. What is not here is refused."""

APPLICATION: dict[tuple[ApplicationState | None, Side, Move], ApplicationState] = {
    (None, Side.APPLICANT, Move.SUBMIT): ApplicationState.SUBMITTED,
    (ApplicationState.SUBMITTED, Side.PROVIDER, Move.APPROVE): ApplicationState.APPROVED,
    (ApplicationState.SUBMITTED, Side.PROVIDER, Move.REFUSE): ApplicationState.REFUSED,
    (ApplicationState.SUBMITTED, Side.APPLICANT, Move.WITHDRAW): ApplicationState.WITHDRAWN,
}
"""As `NEGOTIATION`."""


def next_negotiation(state: NegotiationState | None, side: Side, move: Move) -> NegotiationState:
    """Return the state after a move.

    Raises:
        OutOfTurnError: the move is not this side's now.
    """
    found = NEGOTIATION.get((state, side, move))
    if found is None:
        raise _refusal(state, side, move, [_text(*key) for key in NEGOTIATION if key[0] == state])
    return found


def next_application(state: ApplicationState | None, side: Side, move: Move) -> ApplicationState:
    """Return the state after a move.

    Raises:
        OutOfTurnError: the move is not this side's now.
    """
    found = APPLICATION.get((state, side, move))
    if found is None:
        raise _refusal(state, side, move, [_text(*key) for key in APPLICATION if key[0] == state])
    return found


def _refusal(
    state: NegotiationState | ApplicationState | None, side: Side, move: Move, open_moves: list[str]
) -> OutOfTurnError:
    return OutOfTurnError(
        "the step does not follow, or it is the other side's turn "
        "(F04, F27; Dataspace Protocol 2025-1)",
        field="step",
        got=_text(state, side, move),
        expected=open_moves or "no further step",
    )


def _text(state: NegotiationState | ApplicationState | None, side: Side, move: Move) -> str:
    return f"{side} {move} when {'new' if state is None else state.name.lower()}"
