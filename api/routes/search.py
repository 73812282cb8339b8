"""The catalogue as it is searched: entries with facets, timelines, lineage; public."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.accept import preferred
from api.deps import MarketDep
from api.languages import CHINESE, language_of
from ledger.app.catalogue import (
    LIMIT_MAX,
    entry_found,
    lineage_found,
    search_catalogue,
    timeline_of,
)
from ledger.app.catalogue_facts import (
    catalogue_head,
    dataset_facts,
    lineage_facts,
    product_facts,
)
from ledger.app.extent import market_extent
from ledger.app.licence_documents import named_offer
from ledger.domain.facets import FACETS
from ledger.domain.search_words import QUERY_LENGTH_MAX
from ledger.report.dcat import catalogue_nodes
from ledger.report.linked_data import MEDIA_TYPES, Node, write
from ledger.report.provenance import provenance_nodes

router = APIRouter(prefix="/v1/catalogue", tags=["catalogue 目录"])
Words = Annotated[str, Query(max_length=QUERY_LENGTH_MAX)]
Short = Annotated[str, Query(max_length=600)]
Form = Literal["jsonld", "turtle"] | None
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


@router.get("/extent")
def extent(response: Response, market: MarketDep) -> dict[str, Any]:
    """How much the market holds: providers by level, datasets, themes, rows, products (规模)."""
    response.headers["Cache-Control"] = "no-cache"
    return market_extent(market)


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


@router.get("/entries/{entry_id}/provenance", response_class=StreamingResponse)
def provenance(
    request: Request, entry_id: UUID, market: MarketDep, form: Form = None
) -> StreamingResponse:
    """Lineage as PROV-O, JSON-LD or Turtle."""
    datasets, products = lineage_facts(market, entry_id)
    return _linked(request, provenance_nodes(datasets, products), form)


@router.get("/entries/{entry_id}/offer")
def offer(entry_id: UUID, market: MarketDep) -> dict[str, Any]:
    """A product's ODRL offer, and the digest that names it."""
    return named_offer(market, entry_id)


@router.get("/export", response_class=StreamingResponse)
def export(request: Request, market: MarketDep, form: Form = None) -> StreamingResponse:
    """The whole catalogue as DCAT 3, JSON-LD or Turtle, by `form` or the Accept header."""
    head = catalogue_head(market, str(request.base_url))
    datasets = dataset_facts(market, head["dataset_ids"])
    products = product_facts(market, head["product_ids"])
    return _linked(request, catalogue_nodes(head, datasets, products), form)


def _linked(request: Request, nodes: Iterable[Node], form: str | None) -> StreamingResponse:
    offers = list(MEDIA_TYPES.values())
    accepted = preferred(request.headers.get("accept", ""), offers)
    chosen = form or next(name for name, kind in MEDIA_TYPES.items() if kind == accepted)
    # The first pieces are made here, so that a fault is a problem document and not a broken stream.
    pieces = write(nodes, chosen)
    begun = [piece for _, piece in zip(range(3), pieces, strict=False)]
    return StreamingResponse(
        chain(begun, pieces),
        media_type=MEDIA_TYPES[chosen],
        headers={"Vary": "Accept", "Cache-Control": "no-cache"},
    )
