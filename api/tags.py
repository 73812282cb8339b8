"""ETags of what is read from the projections: weak, by block, address and language."""

from __future__ import annotations

import hashlib

from fastapi import Depends, Request, Response

from api.deps import MarketDep
from api.languages import language_of
from ledger.app.market import Market


def tag_of(market: Market, request: Request) -> str:
    """Return the ETag of an address as far as the chain is projected now."""
    seen = f"{request.url.path}?{request.url.query}#{language_of(request)}"
    return f'W/"{market.projected_block()}-{hashlib.sha256(seen.encode()).hexdigest()[:16]}"'


def tagged(request: Request, response: Response, market: MarketDep) -> None:
    """Tag an answer; `edge` turns it into 304 when the client has it already."""
    # Taken before the answer is read: an older tag on a newer answer only costs a repeat.
    response.headers["ETag"] = tag_of(market, request)
    is_own = "x-api-key" in request.headers
    response.headers["Cache-Control"] = "private, no-cache" if is_own else "no-cache"


Tagged = Depends(tagged)
