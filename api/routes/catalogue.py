"""The catalogue: organisations, datasets, products; public."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.deps import Limit, MarketDep, Offset, page_of
from api.errors import NoSuchPathError
from api.tags import Tagged
from ledger.app.lookup import (
    dataset_found,
    datasets_found,
    organisations_found,
    product_found,
    products_found,
)

router = APIRouter(prefix="/v1", tags=["catalogue 目录"], dependencies=[Tagged])
Text = Annotated[str, Query(max_length=200)]


@router.get("/organisations")
def organisations(
    request: Request, response: Response, market: MarketDep, limit: Limit = 50, offset: Offset = 0
) -> dict[str, Any]:
    """List the organisations with their roles."""
    return page_of(request, response, organisations_found(market), limit, offset)


@router.get("/organisations/{organisation_id}")
def organisation(organisation_id: UUID, market: MarketDep) -> dict[str, Any]:
    """One organisation with its names, roles and signing accounts."""
    found = [
        row for row in organisations_found(market) if row["organisation_id"] == str(organisation_id)
    ]
    if not found:
        raise NoSuchPathError("no such organisation", field="organisation_id", got=organisation_id)
    return found[0]


@router.get("/datasets")
def datasets(
    request: Request,
    response: Response,
    market: MarketDep,
    text: Text = "",
    city_code: Annotated[int | None, Query(ge=0, lt=10**7)] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> dict[str, Any]:
    """Search the datasets by text and city."""
    wanted = text.casefold()
    rows = [
        row
        for row in datasets_found(market)
        if wanted in f"{row['title_zh']} {row['title_en']} {row['provider_zh']}".casefold()
        and city_code in (None, row["city_code"])
    ]
    return page_of(request, response, rows, limit, offset)


@router.get("/datasets/{dataset_id}")
def dataset(dataset_id: UUID, market: MarketDep) -> dict[str, Any]:
    """One dataset: record, versions, lineage both ways, registration steps."""
    return dataset_found(market, dataset_id)


@router.get("/products")
def products(
    request: Request, response: Response, market: MarketDep, limit: Limit = 50, offset: Offset = 0
) -> dict[str, Any]:
    """List the products."""
    return page_of(request, response, products_found(market), limit, offset)


@router.get("/products/{product_id}")
def product(product_id: UUID, market: MarketDep) -> dict[str, Any]:
    """One product: lineage, caps, tariff in force."""
    return product_found(market, product_id)
