"""Licences and what leads to them: terms, supplements, negotiations, applications, certificates."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from api.deps import MarketDep, Number, Reader, require_party
from ledger.app.applying import application_found, applications_found
from ledger.app.books import licence_found
from ledger.app.certificates import (
    certificate_found,
    certificate_status,
    check_certificate_file,
)
from ledger.app.ending import refunds_found
from ledger.app.fields import DigestField
from ledger.app.licence_documents import product_offer, terms_found
from ledger.app.lookup import is_regulator
from ledger.app.market import Market
from ledger.app.negotiation_views import negotiation_found, negotiations_found
from ledger.app.supplements import SupplementDraft, draft_supplement, parties_of_draft
from ledger.domain.standard_terms import standard_terms
from ledger.report.certificate_page import certificate_html
from ledger.report.invoice_papers import PAGE_POLICY

router = APIRouter(prefix="/v1", tags=["licences 使用许可"])


def _require_party(market: Market, reader: UUID, licence_no: int) -> None:
    require_party(market, reader, licence_found(market, licence_no)[1])


def _own(market: Market, reader: UUID) -> UUID | None:
    """Return whose things a reader sees: its own, or everything where it is a regulator."""
    return None if is_regulator(market, reader) else reader


@router.get("/standard-terms")
def terms_document() -> dict[str, Any]:
    """The standard terms and the disclaimers to tick (标准条款); no key needed."""
    return standard_terms()


@router.get("/products/{product_id}/policy")
def policy(product_id: UUID, market: MarketDep) -> dict[str, Any]:
    """The ODRL offer of a product (使用政策); no key needed."""
    return product_offer(market, product_id)


@router.get("/drafts/{digest}")
def draft(
    digest: Annotated[DigestField, Path()], market: MarketDep, reader: Reader
) -> dict[str, Any]:
    """An agreement or supplement that waits for signatures, by the digest to be signed."""
    found = market.drafts.require(digest)
    require_party(market, reader, parties_of_draft(market, found))
    return found


@router.post("/supplements")
def supplements(body: SupplementDraft, market: MarketDep, reader: Reader) -> dict[str, Any]:
    """Draft a supplement for both sides to sign (补充协议); its parties only."""
    _require_party(market, reader, body.licence_no)
    return draft_supplement(market, body)


@router.get("/licences/{licence_no}/terms")
def licence_terms(licence_no: Number, market: MarketDep, reader: Reader) -> dict[str, Any]:
    """Which document rules which part of a licence, newest first (条款适用)."""
    _require_party(market, reader, licence_no)
    return terms_found(market, licence_no)


@router.get("/licences/{licence_no}/refunds")
def licence_refunds(licence_no: Number, market: MarketDep, reader: Reader) -> dict[str, Any]:
    """What an ended licence gives back, and what is still due (退费)."""
    _require_party(market, reader, licence_no)
    return refunds_found(market, licence_no)


@router.get("/licences/{licence_no}/certificate", response_model=None)
def certificate(
    licence_no: Number,
    market: MarketDep,
    reader: Reader,
    form: Annotated[Literal["json", "html"], Query(alias="format")] = "json",
) -> Response | dict[str, Any]:
    """The certificate of lawful source, as a credential or a page to print (合法来源证明)."""
    _require_party(market, reader, licence_no)
    found = certificate_found(market, licence_no)
    if form == "html":
        headers = {"Content-Security-Policy": f"{PAGE_POLICY}; frame-ancestors 'none'"}
        page = certificate_html(found["certificate"], found["status"])
        return Response(page, media_type="text/html", headers=headers)
    credential: dict[str, Any] = found["certificate"]
    return credential


@router.get("/licences/{licence_no}/status")
def status(licence_no: Number, market: MarketDep) -> dict[str, Any]:
    """What the chain says of a licence now: the status of its certificate; no key needed."""
    return certificate_status(market, licence_no)


@router.post("/certificates/check")
def check(body: dict[str, Any], market: MarketDep) -> dict[str, Any]:
    """Check a certificate against the chain alone (核验); no key needed."""
    return check_certificate_file(market, body).as_dict()


@router.get("/negotiations")
def negotiations(market: MarketDep, reader: Reader) -> list[dict[str, Any]]:
    """List one's own negotiations, with whose turn it is (协商)."""
    return negotiations_found(market, _own(market, reader))


@router.get("/negotiations/{thread_id}")
def negotiation(thread_id: UUID, market: MarketDep, reader: Reader) -> dict[str, Any]:
    """One negotiation with its offers, and the draft that waits for signatures."""
    return negotiation_found(market, thread_id, _own(market, reader))


@router.get("/applications")
def applications(market: MarketDep, reader: Reader) -> list[dict[str, Any]]:
    """List one's own applications, as applicant or as provider (申请)."""
    return applications_found(market, _own(market, reader))


@router.get("/applications/{application_id}")
def application(application_id: UUID, market: MarketDep, reader: Reader) -> dict[str, Any]:
    """One application with its form and the decision's reasons."""
    return application_found(market, application_id, _own(market, reader))
