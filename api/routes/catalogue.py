"""The catalogue: organisations, datasets, products; public."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.deps import Limit, MarketDep, Offset, page_of
from api.errors import NoSuchPathError
from api.tags import Tagged
from ledger.app.agreements import QuoteRequest
from ledger.app.lookup import (
    dataset_found,
    datasets_found,
    organisations_found,
    product_found,
    products_found,
)
from ledger.app.pricing import price_preview
from ledger.app.requests import parse_part
from ledger.domain.units import UINT64_MAX

router = APIRouter(prefix="/v1", tags=["catalogue 目录"], dependencies=[Tagged])
Text = Annotated[str, Query(max_length=200)]
Units = Annotated[int, Query(ge=0, le=UINT64_MAX)]


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


@router.get("/products/{product_id}/price")
def price(
    product_id: UUID,
    market: MarketDep,
    units: Units,
    purpose: Text = "industry",
    already_used_units: Units = 0,
) -> dict[str, Any]:
    """What a use would cost under the tariff in force, band by band; no key needed."""
    body = {
        "product_id": product_id,
        "purpose": purpose,
        "units": units,
        "already_used_units": already_used_units,
    }
    return price_preview(market, parse_part(QuoteRequest, body)).as_dict()
