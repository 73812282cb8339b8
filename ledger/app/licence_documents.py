"""The papers of a licence: terms as an ODRL agreement, drafts, and which document rules what.

Rules kept here:
1. The terms digest that both sides sign is SHA-256 of the canonical ODRL agreement.
2. A grant is refused where the terms kept here under its digest say something else.
3. Newest first: the last supplement that speaks of a part rules it, then the agreement, then the
   standard terms (民法典 art. 498: a negotiated term beats a standard term).
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from pydantic import Field

from ledger.app.documents import write_durably
from ledger.app.errors import DocumentMissingError, LiabilityFloorError, TermsDifferError
from ledger.app.fields import Part, Text, checked
from ledger.codec.canonical import canonical_digest
from ledger.codec.documents import Document
from ledger.domain.codes import ClaimantKind, ModeSet, Purpose
from ledger.domain.ids import digest_text
from ledger.domain.policies import Grant, Term, agreement_policy, offer_policy
from ledger.domain.standard_terms import (
    DISCLAIMERS,
    LIABILITY_FLOOR_PPM,
    VERSION,
    precedence,
    require_part,
    standard_terms,
)
from ledger.projection import queries
from ledger.revenue.refunds import RefundRule

if TYPE_CHECKING:
    from ledger.app.agreements import AgreementDraft, AgreementField
    from ledger.app.market import Market

TeamField = Annotated[int, Field(ge=0, lt=2**8)]
RefundField = Annotated[RefundRule, checked(lambda value: RefundRule(value))]


class NegotiatedTerm(Part):
    """What the parties say on a part of the standard terms, in place of it."""

    part: Annotated[str, checked(require_part)]
    text: Text


class DraftStore:
    """Agreements and supplements that were drafted, by the digest that both sides sign."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, digest: bytes, draft: dict[str, Any]) -> None:
        """Keep a draft until it is signed."""
        text = json.dumps(draft, ensure_ascii=False, sort_keys=True)
        write_durably(self._folder / f"{digest.hex()}.json", text.encode())

    def require(self, digest: bytes) -> dict[str, Any]:
        """Return a draft.

        Raises:
            DocumentMissingError: it was not drafted here.
        """
        path = self._folder / f"{digest.hex()}.json"
        if not path.exists():
            raise DocumentMissingError(
                "no such draft is kept here", field="digest", got=digest_text(digest)
            )
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found


def require_floor(share_ppm: int) -> None:
    """Check the platform's share in damage from its own faults.

    Raises:
        LiabilityFloorError: it lies below the statutory floor.
    """
    if share_ppm < LIABILITY_FLOOR_PPM:
        raise LiabilityFloorError(
            "no agreement lowers the platform's share below the statutory floor "
            "(F25, 民法典 art. 497)",
            field="platform_liability_ppm",
            got=share_ppm,
            expected=f">= {LIABILITY_FLOOR_PPM}",
        )


def agreement_terms(
    draft: AgreementDraft, detail: queries.ProductDetail, tariff_no: int
) -> Document:
    """Return the terms of a drafted agreement: an ODRL agreement with a nonce of its own."""
    grant = Grant(
        product_id=draft.product_id,
        operator_id=detail.product.operator_id,
        purposes=[draft.purpose],
        modes=sorted(set(draft.modes)),
        tariff_no=tariff_no,
        attributed=_datasets(detail),
    )
    term = Term(draft.valid_from, draft.valid_until, draft.quota_units, draft.team_max)
    terms = {
        "standard_terms": {
            "version": VERSION,
            "digest": digest_text(canonical_digest(standard_terms())),
        },
        "disclaimers": [
            {"key": item.key, "ticked_by_buyer": item.key in draft.disclaimers_ticked}
            for item in DISCLAIMERS
        ],
        "negotiated": [dict(item) for item in draft.negotiated],
        "refund": draft.refund.value,
        "platform_liability_ppm": draft.platform_liability_ppm,
        "outcome_ppm": draft.outcome_ppm,
    }
    nonce = digest_text(secrets.token_bytes(32))
    policy = agreement_policy(draft.agreement_id, grant, term, draft.buyer_id, terms, nonce)
    return Document(policy, b"")


def product_offer(market: Market, product_id: UUID) -> dict[str, Any]:
    """Return the ODRL offer of a product, for its page and the catalogue's export.

    Raises:
        NotFoundError: it is unknown.
    """
    with market.read() as connection:
        detail = queries.product(connection, product_id)
    grant = Grant(
        product_id=product_id,
        operator_id=detail.product.operator_id,
        purposes=list(Purpose),
        modes=ModeSet(detail.product.modes).modes(),
        tariff_no=detail.product.tariff_no,
        attributed=_datasets(detail),
    )
    return offer_policy(grant)


def named_offer(market: Market, product_id: UUID) -> dict[str, Any]:
    """Return the ODRL offer of a product, and the digest that names it.

    Raises:
        NotFoundError: it is unknown.
    """
    policy = product_offer(market, product_id)
    return {"policy": policy, "policy_digest": digest_text(canonical_digest(policy))}


def require_terms(market: Market, agreement: AgreementField) -> None:
    """Check an agreement against its terms, where they are kept here.

    Raises:
        TermsDifferError: they are other terms, or a disclaimer is not ticked in them.
    """
    document = market.documents.find(agreement.terms_digest)
    if document is None:
        return
    policy = document.record
    terms = policy.get("mdl:terms", {})
    expected = {
        "uid": f"urn:uuid:{agreement.agreement_id}",
        "platform_liability_ppm": agreement.platform_liability_ppm,
        "outcome_ppm": agreement.outcome_ppm,
        "disclaimers": [{"key": item.key, "ticked_by_buyer": True} for item in DISCLAIMERS],
    }
    got = {
        "uid": policy.get("uid"),
        "platform_liability_ppm": terms.get("platform_liability_ppm"),
        "outcome_ppm": terms.get("outcome_ppm", 0),
        "disclaimers": terms.get("disclaimers"),
    }
    for name, wanted in expected.items():
        if got[name] != wanted:
            raise TermsDifferError(
                "the terms under this digest are of another agreement, or not all ticked "
                "(F25, 民法典 art. 496)",
                field=name,
                got=got[name],
                expected=wanted,
            )


def refund_rule_of(market: Market, licence_no: int) -> RefundRule:
    """Return the refund rule on which a licence was agreed; none where its terms are not here."""
    terms = _papers(market, licence_no)[0][1]
    return RefundRule(terms.get("refund", RefundRule.NONE))


def terms_found(market: Market, licence_no: int) -> dict[str, Any]:
    """Return a licence's documents, newest last, and which of them rules each part.

    Raises:
        NotFoundError: the licence is unknown.
    """
    papers = _papers(market, licence_no)
    with market.read() as connection:
        licence = queries.licence(connection, licence_no)
    policy = market.documents.find(_first_digest(market, licence_no))
    return {
        "licence_no": licence_no,
        "agreement_digest": digest_text(licence.agreement_digest),
        "platform_liability_ppm": licence.platform_liability_ppm,
        "platform_liability_floor_ppm": LIABILITY_FLOOR_PPM,
        "policy": dict(policy.record) if policy else None,
        "documents": [
            {"document": name, "is_here": bool(terms), "negotiated": terms.get("negotiated", [])}
            for name, terms in papers
        ],
        "precedence": precedence([(name, terms.get("negotiated", [])) for name, terms in papers]),
    }


def _papers(market: Market, licence_no: int) -> list[tuple[str, dict[str, Any]]]:
    """Return name and terms of the agreement and of each supplement, oldest first."""
    with market.read() as connection:
        supplements = queries.supplements_of(connection, licence_no)
    found = [("agreement", _first_digest(market, licence_no))]
    found += [(f"supplement {row.supplement_no}", row.terms_digest) for row in supplements]
    papers = []
    for name, digest in found:
        document = market.documents.find(digest)
        record = dict(document.record) if document else {}
        papers.append((name, record.get("mdl:terms", record)))
    return papers


def _first_digest(market: Market, licence_no: int) -> bytes:
    with market.read() as connection:
        queries.licence(connection, licence_no)
        return queries.first_terms_digest(connection, licence_no)


def _datasets(detail: queries.ProductDetail) -> list[UUID]:
    return [row.claimant_id for row in detail.lineage if row.kind == ClaimantKind.DATASET]
