"""Members, their actions, and work that takes two: administrators' and regulators'.

What comes from here is about persons, so nothing of it may be cached.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from api.deps import Limit, MarketDep, Offset, ReadKey, page_of
from ledger.app.access import Administrator, Reader, administrator, reader
from ledger.app.actions import ActionsWanted, actions_found
from ledger.app.fields import Part
from ledger.app.market import Market
from ledger.app.people import (
    NewMember,
    ShortText,
    erase_member,
    members_found,
    record_departure,
    record_member,
    sign_delegated,
)
from ledger.app.signers import works_found

router = APIRouter(prefix="/v1", tags=["members 成员"])


def _reader(market: MarketDep, key: ReadKey) -> Reader:
    return reader(market, key.signer)


def _administrator(market: MarketDep, key: ReadKey) -> Administrator:
    return administrator(market, key.signer)


def _uncached(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


ReaderDep = Annotated[Reader, Depends(_reader)]
AdministratorDep = Annotated[Administrator, Depends(_administrator)]
Instant = Annotated[int | None, Query(ge=0, lt=2**40)]


class Unlocked(Part):
    """A prepared command's typed data, and the password of the member's key that is kept here."""

    typed_data: dict[str, Any]
    password: ShortText


@router.get("/members", dependencies=[Depends(_uncached)])
def members(
    market: MarketDep, who: ReaderDep, organisation_id: UUID | None = None
) -> list[dict[str, Any]]:
    """Members with account and roles; administrators see their own, regulators all (成员)."""
    return members_found(market, who.require_members_of(organisation_id))


@router.post("/members", status_code=201)
def add_member(body: NewMember, market: MarketDep, admin: AdministratorDep) -> dict[str, str]:
    """Record the person behind an account that signs already; see the command add-signer."""
    return {"member_id": str(record_member(market, admin, body))}


@router.post("/members/{member_id}/departure")
def departure(member_id: UUID, market: MarketDep, admin: AdministratorDep) -> dict[str, str]:
    """Record that a member left; the account must not sign any more, see remove-signer."""
    record_departure(market, admin, member_id)
    return {"member_id": str(member_id)}


@router.delete("/members/{member_id}")
def erase(
    member_id: UUID,
    market: MarketDep,
    admin: AdministratorDep,
    reason: Annotated[str, Query(min_length=1, max_length=64)] = "request",
) -> dict[str, Any]:
    """Destroy what a member is called, or shut it away while the law keeps it (删除个人信息)."""
    return erase_member(market, admin, member_id, reason)


@router.get("/actions", dependencies=[Depends(_uncached)])
def actions(
    request: Request,
    response: Response,
    market: MarketDep,
    who: ReaderDep,
    organisation_id: UUID | None = None,
    member_id: UUID | None = None,
    from_at: Annotated[Instant, Query(alias="from")] = None,
    until_at: Annotated[Instant, Query(alias="until")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> dict[str, Any]:
    """Who did what when; members see their organisation's, regulators everybody's (操作记录)."""
    wanted = ActionsWanted(who.require_actions_of(organisation_id), member_id, from_at, until_at)
    found = actions_found(market, wanted, names=who.may_see_names)
    return page_of(request, response, found, limit, offset)


@router.get("/works", dependencies=[Depends(_uncached)])
def works(market: MarketDep, who: ReaderDep) -> list[dict[str, Any]]:
    """What accounts of the reader's organisation prepared for another (经办)."""
    return works_found(market, who.organisation_id)


@router.post("/delegated-signatures", dependencies=[Depends(_uncached)])
def delegated_signature(body: Unlocked, market: MarketDep, key: ReadKey) -> dict[str, str]:
    """Sign with a member's key that is kept here; the API key must be that member's (代管签名)."""
    return {"signature": _signed(market, key.signer, body)}


def _signed(market: Market, address: str | None, body: Unlocked) -> str:
    return sign_delegated(market, address, body.password, body.typed_data)
