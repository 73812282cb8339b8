"""The access gateway: rows for a licence's key; every call is a receipt, refusals too."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response

from api.deps import MarketDep
from ledger.app.gateway import receipt_headers, use

router = APIRouter(prefix="/v1", tags=["gateway 访问网关"])
Name = Annotated[str, Query(max_length=40)]


@router.get("/use/{product_id}/{dataset_id}", response_model=None)
def use_data(
    request: Request,
    product_id: UUID,
    dataset_id: UUID,
    market: MarketDep,
    x_api_key: Annotated[str, Header(max_length=200)] = "",
    mode: Name = "interface",
    purpose: Name | None = None,
    cursor: Annotated[int, Query(lt=2**53)] = 0,
    limit: Annotated[int, Query(lt=2**31)] = 100,
) -> Response:
    """Rows of one of a product's datasets, page by page (使用)."""
    page = use(
        market,
        api_key=x_api_key,
        product_id=product_id,
        dataset_id=dataset_id,
        mode=mode,
        purpose=purpose,
        cursor=cursor,
        limit=limit,
    )
    headers = receipt_headers(page.receipt, page.index)
    if page.next_cursor is not None:
        following = request.url.include_query_params(cursor=page.next_cursor)
        headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    return Response(page.body, media_type="application/json", headers=headers)
