"""Derived products (二次开发): affiliates, what a product was made from, a market of its own.

Rules kept here:
1. The shares of a product are flattened here to show them and to refuse early; the contract
   flattens them again from the lineages that it keeps, and takes nothing from this computation.
2. Who operates a product upstream, however far up, or is affiliated to such an operator, sells
   nothing that is derived from it (公共数据资源授权运营实施规范 art. 6).
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from ledger.app.commands import Command, CommandRequest, command
from ledger.app.datasets import decision_document
from ledger.app.fields import CityCode, HoldDaysField, Id, ModeField, Part, PpmField, Text, fresh_id
from ledger.app.market import Market
from ledger.codec.documents import Document
from ledger.domain.codes import ModeSet
from ledger.domain.ids import ClaimantId, OrganisationId
from ledger.domain.units import PPM_WHOLE, Ppm
from ledger.projection import queries
from ledger.revenue.outcomes import OutcomeShare, Source, flatten, require_seller

SOURCE_COUNT_MAX = 64
_ENDS = 2
"""Platform and developer, who come last in the lineage of a derived product."""


class DeclareAffiliates(CommandRequest):
    """Two organisations of which one is controlled by the other, or both by a third (关联方)."""

    one_id: Id
    other_id: Id


class EndAffiliation(CommandRequest):
    """A registrar's finding that two organisations are affiliates no longer."""

    one_id: Id
    other_id: Id
    reason: Text


class SourceField(Part):
    """A dataset of a licence's product, or that product when it is derived, and its share."""

    licence_no: Annotated[int, Field(ge=1, lt=2**63)]
    ancestor_id: Id
    share_ppm: PpmField = 0


class DeriveProduct(CommandRequest):
    """A product made from what licences opened; by licence the shares sum to its outcome share."""

    product_id: Id = Field(default_factory=fresh_id)
    city_code: CityCode
    modes: Annotated[list[ModeField], Field(min_length=1)]
    title_zh: Text
    title_en: Text
    summary_zh: Text
    summary_en: Text
    is_invented: bool = False
    platform_id: Id
    fee_ppm: PpmField
    sources: Annotated[list[SourceField], Field(min_length=1, max_length=SOURCE_COUNT_MAX)]


class OpenMarket(CommandRequest):
    """A developer's year of market prices: the scheme in which its derived products are billed."""

    scheme_id: Id = Field(default_factory=fresh_id)
    city_code: CityCode
    year: Annotated[int, Field(ge=2020, lt=2**16)]
    vat_ppm: Annotated[int, Field(ge=0, le=130_000)]
    hold_days: HoldDaysField


@command("declare-affiliates", DeclareAffiliates, "Declare affiliates", "申报关联方")
def declare_affiliates(
    market: Market, actor_id: UUID | None, request: DeclareAffiliates
) -> Command:
    """Plan the declaration; either of the two, or a registrar, may make it."""
    return Command("directory", "declareAffiliates", (request.one_id, request.other_id))


@command("end-affiliation", EndAffiliation, "End an affiliation", "解除关联关系")
def end_affiliation(market: Market, actor_id: UUID | None, request: EndAffiliation) -> Command:
    """Plan the registrar's finding."""
    decision = decision_document("affiliation", request.one_id, request.reason)
    return Command(
        "directory",
        "endAffiliation",
        (request.one_id, request.other_id, decision.digest),
        (decision,),
    )


@command("derive-product", DeriveProduct, "List a derived product", "二次开发产品上架")
def derive_product(market: Market, actor_id: UUID | None, request: DeriveProduct) -> Command:
    """Plan the listing.

    Raises:
        OperatorResellsError: the seller operates a product upstream, or is an operator's affiliate.
        AncestorCountError: more than 16 ancestors would share.
        NotFoundError: a licence is unknown.
    """
    sources = sorted(request.sources, key=lambda item: (item.licence_no, item.ancestor_id))
    with market.read() as connection:
        shares = flatten(
            [_source(connection, item) for item in sources], Ppm(PPM_WHOLE - request.fee_ppm)
        )
        if actor_id is not None:
            require_seller(
                OrganisationId(actor_id),
                _operators(connection, {item.licence_no for item in sources}),
                queries.affiliates_of(connection, actor_id),
            )
    metadata = Document.new(
        {
            "type": "product",
            "product_id": str(request.product_id),
            "title_zh": request.title_zh,
            "title_en": request.title_en,
            "summary_zh": request.summary_zh,
            "summary_en": request.summary_en,
            "is_public_interest": False,
            "is_invented": request.is_invented,
        }
    )
    terms = {
        "product_id": request.product_id,
        "city_code": request.city_code,
        "modes": int(ModeSet.of(list(request.modes))),
        "metadata_digest": metadata.digest,
        "platform_id": request.platform_id,
        "fee_ppm": request.fee_ppm,
    }
    result = {
        "product_id": str(request.product_id),
        "shares": [
            {"claimant_id": str(share.ancestor_id), "share_ppm": int(share.share_ppm)}
            for share in shares
        ],
    }
    on_chain = [item.model_dump(mode="python") for item in sources]
    return Command("licences", "listDerived", (terms, on_chain), (metadata,), result)


@command("open-market", OpenMarket, "Open a market scheme for derived products", "开立市场价账套")
def open_market(market: Market, actor_id: UUID | None, request: OpenMarket) -> Command:
    """Plan the scheme of a developer's year."""
    return Command(
        "revenue",
        "openMarket",
        (
            request.scheme_id,
            request.city_code,
            request.year,
            request.vat_ppm,
            request.hold_days,
        ),
        result={"scheme_id": str(request.scheme_id)},
    )


def _source(connection: Any, item: SourceField) -> Source:
    """Return a parent as the money layer takes it; a derived one is its developer's."""
    licence = queries.licence(connection, item.licence_no)
    parent = queries.product(connection, licence.product_id)
    share_ppm = Ppm(item.share_ppm)
    if not parent.product.is_derived:
        return Source(ClaimantId(item.ancestor_id), share_ppm)
    passes_on = tuple(
        OutcomeShare(ClaimantId(row.claimant_id), Ppm(row.weight_ppm))
        for row in parent.lineage[:-_ENDS]
    )
    return Source(ClaimantId(parent.product.operator_id), share_ppm, passes_on)


def _operators(connection: Any, licence_nos: set[int]) -> set[UUID]:
    """Return the operators of all products upstream of some licences, however far up."""
    found: set[UUID] = set()
    waiting, seen = set(licence_nos), set()
    while waiting:
        licence_no = waiting.pop()
        seen.add(licence_no)
        product_id = queries.licence(connection, licence_no).product_id
        found.add(queries.product(connection, product_id).product.operator_id)
        above = {row.licence_no for row in queries.sources_of(connection, product_id)}
        waiting |= above - seen
    return found
