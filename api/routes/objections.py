"""Objections: cases, work, statistics are public without texts; papers are the parties'."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from api.deps import Limit, MarketDep, Offset, Reader, page_of, require_party
from ledger.app.objection_cases import (
    objection_found,
    objection_papers,
    objection_statistics,
    parties_of_objection,
    work_list,
)


def _never_stored(response: Response) -> None:
    # A clock runs out without a block, so the tag of a block would keep an old answer.
    response.headers["Cache-Control"] = "no-store"


router = APIRouter(prefix="/v1", tags=["objections 异议"], dependencies=[Depends(_never_stored)])
City = Annotated[int | None, Query(ge=0, lt=10**7)]
Instant = Annotated[int, Query(ge=0, le=2**40)]


@router.get("/objections")
def objections(
    request: Request,
    response: Response,
    market: MarketDep,
    city_code: City = None,
    party_id: UUID | None = None,
    ended: bool = False,
    overdue: bool = False,
    limit: Limit = 50,
    offset: Offset = 0,
) -> dict[str, Any]:
    """The work with due dates, the most urgent first; `ended` for cases at their end (待办)."""
    rows = work_list(
        market, city_code=city_code, party_id=party_id, is_live=not ended, is_overdue=overdue
    )
    return page_of(request, response, rows, limit, offset)


@router.get("/objections/statistics")
def statistics(
    market: MarketDep, city_code: City = None, first: Instant = 0, last: Instant = 2**40
) -> dict[str, Any]:
    """Cases by ground, outcome, state, month and city; `first`, `last` in Unix seconds (统计)."""
    return objection_statistics(market, city_code=city_code, first=first, last=last)


@router.get("/objections/{objection_id}")
def objection(objection_id: UUID, market: MarketDep) -> dict[str, Any]:
    """One case: parties, clocks, timeline, shares of liability, relief."""
    return objection_found(market, objection_id)


@router.get("/objections/{objection_id}/papers")
def papers(objection_id: UUID, market: MarketDep, reader: Reader) -> dict[str, Any]:
    """The texts of a case: statement, fact, evidence, decision; its parties, regulators (案卷)."""
    require_party(market, reader, parties_of_objection(market, objection_id))
    return {"items": objection_papers(market, objection_id)}
