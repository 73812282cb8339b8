"""Negotiations as plain data, for their parties."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ledger.app.errors import NotNegotiatingError
from ledger.app.lookup import plain
from ledger.app.market import Market
from ledger.domain.codes import NegotiationState
from ledger.projection import queries

_TURNS = {
    NegotiationState.REQUESTED: "operator",
    NegotiationState.OFFERED: "buyer",
    NegotiationState.ACCEPTED: "operator",
    NegotiationState.AGREED: "both",
}


def negotiations_found(market: Market, party_id: UUID | None = None) -> list[dict[str, Any]]:
    """Return negotiations, a party's or all, as plain data."""
    with market.read() as connection:
        rows = queries.threads_list(connection, party_id)
    return [_as_dict(market, row) for row in rows]


def negotiation_found(
    market: Market, thread_id: UUID, party_id: UUID | None = None
) -> dict[str, Any]:
    """Return a negotiation with its offers in order, and the draft that waits for signatures.

    Raises:
        NotFoundError: it is unknown.
        NotNegotiatingError: the reader is no party to it.
    """
    with market.read() as connection:
        row = queries.thread(connection, thread_id)
        offers = queries.offers_of(connection, thread_id)
    if party_id not in (None, row.operator_id, row.buyer_id):
        raise NotNegotiatingError("only the parties may read this", got=str(party_id))
    found = _as_dict(market, row)
    found["offers"] = []
    for offer in offers:
        document = market.documents.find(offer.offer_digest)
        found["offers"].append(
            plain(offer)
            | {"state": NegotiationState(offer.state).name.lower()}
            | {"document": dict(document.record) if document else None}
        )
    is_agreed = row.state in (NegotiationState.AGREED, NegotiationState.FINALIZED)
    found["draft"] = market.drafts.require(row.last_digest) if is_agreed else None
    return found


def _as_dict(market: Market, row: queries.ThreadRow) -> dict[str, Any]:
    state = NegotiationState(row.state)
    is_open = state in _TURNS
    return plain(row) | {
        "state": state.name.lower(),
        "turn": _TURNS.get(state),
        "is_expired": is_open and row.deadline < market.now_seconds(),
    }
