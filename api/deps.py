"""What routes ask for: the market, paging, the holder of an API key."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Path, Query, Request, Response

from api.errors import IdempotencyKeyError, KeyRequiredError, NotAPartyError
from ledger.app.keys import SCOPE_READ, ApiKey, find_key
from ledger.app.lookup import is_regulator
from ledger.app.market import Market

PAGE_MAX = 200
_IDEMPOTENCY_KEY_MAX = 255


def market_of(request: Request) -> Market:
    """Return the market that the application serves."""
    market: Market = request.app.state.market
    return market


MarketDep = Annotated[Market, Depends(market_of)]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX)]
Offset = Annotated[int, Query(ge=0, lt=2**31)]
LogNo = Annotated[int, Path(ge=1, lt=2**31)]
Number = Annotated[int, Path(ge=0, lt=2**53)]


def read_key_of(market: MarketDep, x_api_key: Annotated[str, Header()] = "") -> ApiKey:
    """Return the holder of a key to read.

    Raises:
        KeyRequiredError: there is none.
        ApiKeyUnknownError: it is not known.
        NotAPartyError: it is a key for use.
    """
    if not x_api_key:
        raise KeyRequiredError("this needs an API key", field="X-Api-Key")
    key = find_key(market, x_api_key)
    if key.scope != SCOPE_READ:
        raise NotAPartyError("this API key is for use, not for reading", field="X-Api-Key")
    return key


ReadKey = Annotated[ApiKey, Depends(read_key_of)]


def reader_of(key: ReadKey) -> UUID:
    """Return the organisation of the API key."""
    return key.organisation_id


Reader = Annotated[UUID, Depends(reader_of)]


def require_party(market: Market, reader: UUID, parties: set[UUID]) -> None:
    """Check that a reader is a party to what it reads, or a regulator.

    Raises:
        NotAPartyError: it is neither.
    """
    if reader not in parties and not is_regulator(market, reader):
        raise NotAPartyError("only the parties and regulators may read this", got=str(reader))


def idempotency_key_of(idempotency_key: Annotated[str, Header()] = "") -> str:
    """Return the Idempotency-Key header.

    Raises:
        IdempotencyKeyError: it is missing or too long.
    """
    if not 1 <= len(idempotency_key) <= _IDEMPOTENCY_KEY_MAX:
        raise IdempotencyKeyError(
            "a command needs a key of its own",
            field="Idempotency-Key",
            got=idempotency_key[:80],
            expected=f"1 to {_IDEMPOTENCY_KEY_MAX} characters",
        )
    return idempotency_key


IdempotencyKey = Annotated[str, Depends(idempotency_key_of)]


def page_of(
    request: Request, response: Response, rows: list[dict[str, Any]], limit: int, offset: int
) -> dict[str, Any]:
    """Return one page of rows, with RFC 8288 links to its neighbours."""
    links = []
    if offset + limit < len(rows):
        links.append(_link(request, "next", limit, offset + limit))
    if offset > 0:
        links.append(_link(request, "prev", limit, max(0, offset - limit)))
    if links:
        response.headers["Link"] = ", ".join(links)
    return {"total": len(rows), "offset": offset, "items": rows[offset : offset + limit]}


def _link(request: Request, relation: str, limit: int, offset: int) -> str:
    url = request.url.include_query_params(limit=limit, offset=offset)
    return f'<{url.path}?{url.query}>; rel="{relation}"'
