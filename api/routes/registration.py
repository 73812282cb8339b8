"""Registration, graded opening, responsibility lists, working days; public."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.deps import Limit, MarketDep, Number, Offset, page_of
from api.tags import Tagged
from ledger.app.calendars import calendar_found
from ledger.app.duties import duties_found, duty_lists_found
from ledger.app.opening import policies_found, policy_found, proposal, tier_found
from ledger.app.registration import registration_due

router = APIRouter(prefix="/v1", tags=["registration 登记"])
Code = Annotated[str, Query(max_length=40)]
City = Annotated[int | None, Query(ge=0, lt=10**7)]


@router.get("/calendar", dependencies=[Tagged])
def calendar(market: MarketDep) -> dict[str, Any]:
    """Working days by year (工作日), the length of public notice, whether the chain is a trial."""
    return calendar_found(market)


@router.get("/registration/due")
def due(market: MarketDep, city_code: City = None) -> dict[str, Any]:
    """What is to be done about registrations, with due dates (期限清单)."""
    return registration_due(market, city_code)


@router.get("/policies")
def policies(market: MarketDep) -> dict[str, Any]:
    """Tables of graded opening (分级开放表)."""
    return {"items": policies_found(market)}


@router.get("/policies/{policy_no}")
def policy(policy_no: Number, market: MarketDep) -> dict[str, Any]:
    """One table with its rules and their sources."""
    return policy_found(market, policy_no)


@router.post("/policies/proposal")
def propose(body: dict[str, Any], market: MarketDep) -> dict[str, Any]:
    """What a table would change; nothing is stored."""
    return proposal(market, body)


@router.get("/tier")
def tier(
    market: MarketDep,
    city_code: Annotated[int, Query(ge=0, lt=10**7)],
    open_class: Code,
    mode: Code,
    purpose: Code,
    sensitivity: Code = "general",
    contains_pi: bool = False,
) -> dict[str, Any]:
    """The tier of a case, the table that says so, and the rule's source."""
    return tier_found(
        market,
        city_code,
        open_class=open_class,
        sensitivity=sensitivity,
        contains_pi=contains_pi,
        mode=mode,
        purpose=purpose,
    )


@router.get("/duties")
def duties(
    request: Request,
    response: Response,
    market: MarketDep,
    city_code: City = None,
    provider_id: UUID | None = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> dict[str, Any]:
    """Who is to update what until when, the earliest first (开放责任清单)."""
    rows = duties_found(market, city_code=city_code, provider_id=provider_id)
    return page_of(request, response, rows, limit, offset)


@router.get("/duties/lists", dependencies=[Tagged])
def duty_lists(market: MarketDep) -> dict[str, Any]:
    """The lists that were anchored, by city and quarter."""
    return {"items": duty_lists_found(market)}
