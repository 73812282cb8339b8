"""Splits as they were recorded."""

from __future__ import annotations

from uuid import UUID

from ledger.app.market import Market
from ledger.domain.money import Tier
from ledger.projection import queries

_KEYS = {Tier.TAX: "tax", Tier.RESERVE: "reserve"}


def split_lines(market: Market, invoice_id: UUID) -> dict[str, int]:
    """Return µfen by claimant id over all tiers; tax and reserve under their own names."""
    with market.read() as connection:
        detail = queries.split_of(connection, invoice_id)
    found: dict[str, int] = {}
    for line in detail.lines:
        key = _KEYS.get(Tier(line.tier), str(line.claimant_id))
        found[key] = found.get(key, 0) + line.amount_micro_fen
    return found
