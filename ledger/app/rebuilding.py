"""Projections are disposable: drop them, replay, and get the same bytes."""

from __future__ import annotations

from typing import Any

from ledger.app.catalogue import bring_up_to_date
from ledger.app.market import Market
from ledger.projection.catalogue_store import empty
from ledger.projection.database import write
from ledger.projection.projector import projection_digest
from ledger.projection.projector import rebuild as replay


def rebuild_projections(market: Market) -> dict[str, Any]:
    """Drop and replay the projections and the catalogue; return the digests before and after."""
    with market.read() as connection:
        before = projection_digest(connection)
    events = replay(market.engine)
    with write(market.engine) as connection:
        empty(connection)
    bring_up_to_date(market)
    with market.read() as connection:
        after = projection_digest(connection)
    return {"events": events, "digest_before": before, "digest_after": after}
