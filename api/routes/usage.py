"""Use summed over the logs: each reader sees what it bought, sold or supplied; regulators all."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.deps import MarketDep, Offset, Reader, page_of
from ledger.app.usage import UsageWanted, usage_found

ROWS_MAX = 10_000
router = APIRouter(prefix="/v1", tags=["log 使用日志"])
LicenceNo = Annotated[int | None, Query(ge=1, lt=2**53)]


@router.get("/usage")
def usage(
    request: Request,
    response: Response,
    market: MarketDep,
    reader: Reader,
    by: Annotated[str, Query(max_length=80)] = "product,month",
    month_from: Annotated[str | None, Query(alias="from", max_length=7)] = None,
    month_to: Annotated[str | None, Query(alias="to", max_length=7)] = None,
    licence_no: LicenceNo = None,
    product_id: UUID | None = None,
    buyer_id: UUID | None = None,
    log_no: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
    limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = 1_000,
    offset: Offset = 0,
) -> dict[str, Any]:
    """Use by licence, product, dataset, buyer, city, month, purpose or mode (使用统计).

    By dataset, a product's use counts for each dataset of its lineage; in the totals, once.
    """
    wanted = UsageWanted(
        by=tuple(part for part in by.split(",") if part.strip()),
        month_from=month_from,
        month_to=month_to,
        licence_no=licence_no,
        product_id=product_id,
        buyer_id=buyer_id,
        log_no=log_no,
    )
    found = usage_found(market, wanted, reader)
    response.headers["Cache-Control"] = "private, no-cache"
    rows = found.pop("rows")
    return found | page_of(request, response, rows, limit, offset)
