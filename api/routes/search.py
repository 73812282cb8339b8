"""The catalogue as it is searched: entries with facets, timelines, lineage; public."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.deps import MarketDep
from api.languages import CHINESE, language_of
from ledger.app.catalogue import (
    LIMIT_MAX,
    entry_found,
    lineage_found,
    search_catalogue,
    timeline_of,
)
from ledger.domain.facets import FACETS
from ledger.domain.search_words import QUERY_LENGTH_MAX

router = APIRouter(prefix="/v1/catalogue", tags=["catalogue 目录"])
Words = Annotated[str, Query(max_length=QUERY_LENGTH_MAX)]
Short = Annotated[str, Query(max_length=600)]
Names = Annotated[list[str], Query(max_length=64)]


@router.get("/entries")
def search(
    request: Request,
    response: Response,
    market: MarketDep,
    text: Words = "",
    kind: Names = [],  # noqa: B006
    city: Names = [],  # noqa: B006
    domain: Names = [],  # noqa: B006
    open_class: Names = [],  # noqa: B006
    frequency: Names = [],  # noqa: B006
    grade: Names = [],  # noqa: B006
    price: Names = [],  # noqa: B006
    mode: Names = [],  # noqa: B006
    provider_kind: Names = [],  # noqa: B006
    state: Names = [],  # noqa: B006
    price_max_micro_yuan: Annotated[int | None, Query(ge=0, lt=2**53)] = None,
    sort: Short = "",
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 20,
    cursor: Short = "",
) -> dict[str, Any]:
    """Search datasets, products and harvested entries by words and facets; no key needed."""
    response.headers["Cache-Control"] = "no-cache"
    given = request.query_params
    found = search_catalogue(
        market,
        text=text,
        filters={key: given.getlist(key) for key in FACETS},
        price_max_micro_yuan=price_max_micro_yuan,
        sort=sort,
        side="zh" if language_of(request) == CHINESE else "en",
        limit=limit,
        cursor=cursor,
    )
    if found["next_cursor"]:
        url = request.url.include_query_params(cursor=found["next_cursor"])
        response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
    return found


@router.get("/entries/{entry_id}")
def entry(entry_id: UUID, market: MarketDep) -> dict[str, Any]:
    """One entry: a dataset with its timeline and products, a product, or a harvested record."""
    return entry_found(market, entry_id)


@router.get("/entries/{entry_id}/timeline")
def timeline(entry_id: UUID, market: MarketDep) -> list[dict[str, Any]]:
    """A dataset's versions with their digests, and the steps of its registration."""
    return timeline_of(market, entry_id)


@router.get("/entries/{entry_id}/lineage")
def lineage(entry_id: UUID, market: MarketDep) -> dict[str, Any]:
    """Lineage both ways as nodes and edges."""
    return lineage_found(market, entry_id)
