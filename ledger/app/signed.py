"""Who signed what, kept by transaction; read from the transactions' own bytes, once each."""

from __future__ import annotations

from ledger.app.market import Market
from ledger.chain.signed_calls import signed_calls
from ledger.projection import queries
from ledger.projection.database import write

_BATCH = 500


def read_signers(market: Market) -> None:
    """Read the signers of all transactions that are projected and were not read before."""
    while True:
        with market.read() as connection:
            unread = queries.unread_transactions(connection, _BATCH)
        if not unread:
            return
        found = signed_calls(market.chain, market.contracts, unread)
        rows = [
            queries.SignedCallRow(
                tx_hash, call.log_begin, call.log_end, call.signer, call.contract, call.function
            )
            for tx_hash, calls in found.items()
            for call in calls
        ]
        with write(market.engine) as connection:
            queries.add_signed_calls(connection, rows)
        if len(found) < len(unread):
            return


def has_acted(market: Market, address: str, from_at: int) -> bool:
    """Return whether an account signed anything since an instant."""
    read_signers(market)
    with market.read() as connection:
        return bool(queries.actions_list(connection, addresses=[address], from_at=from_at))
