"""Products over datasets, their ceilings and their tariffs."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from ledger.app.commands import Command, CommandRequest, command
from ledger.app.datasets import decision_document
from ledger.app.fields import (
    BandField,
    BasisField,
    CityCode,
    Id,
    ModeField,
    Part,
    PpmField,
    ProductStateField,
    Text,
    Uint64Field,
    fresh_id,
)
from ledger.app.market import Market
from ledger.codec.documents import Document
from ledger.domain.codes import ChargeBasis, ClaimantKind, ModeSet, parse_code
from ledger.domain.ids import ClaimantId
from ledger.domain.money import BAND_COUNT_MAX, LINEAGE_COUNT_MAX, Band, Lineage, Tariff
from ledger.domain.units import UINT64_MAX, MicroYuan, Ppm
from ledger.projection import queries
from ledger.projection.queries.sales import TariffRow
from ledger.revenue.tariff import check_caps

Bands = Annotated[list[BandField], Field(min_length=1, max_length=BAND_COUNT_MAX)]


class LineageField(Part):
    """One claimant of the product's income."""

    claimant_id: Id
    kind: Literal["dataset", "organisation"]
    weight_ppm: Annotated[int, Field(ge=1, le=1_000_000)]


class ListProduct(CommandRequest):
    """A product over datasets; lineage weights sum to 1,000,000 ppm."""

    product_id: Id = Field(default_factory=fresh_id)
    city_code: CityCode
    modes: Annotated[list[ModeField], Field(min_length=1)]
    title_zh: Text
    title_en: Text
    summary_zh: Text
    summary_en: Text
    is_public_interest: bool = False
    is_invented: bool = False
    lineage: Annotated[list[LineageField], Field(min_length=1, max_length=LINEAGE_COUNT_MAX)]


class ApproveCaps(CommandRequest):
    """Ceiling prices (上限收费标准) per band."""

    product_id: Id
    caps: Bands
    reason: Text


class PublishTariff(CommandRequest):
    """A tariff within the approved caps."""

    product_id: Id
    basis: BasisField
    free_quota_units: Uint64Field = 0
    discount_ppm: PpmField = 0
    bands: Bands


class SetProductState(CommandRequest):
    """Suspends, restores or withdraws a product."""

    product_id: Id
    state: ProductStateField
    reason: Text


@command("list-product", ListProduct, "List a product over datasets", "产品上架")
def list_product(market: Market, actor_id: UUID | None, request: ListProduct) -> Command:
    """Plan the listing; lineage goes on chain in ascending order of ids."""
    lineage = sorted(request.lineage, key=lambda entry: entry.claimant_id)
    Lineage.of({ClaimantId(entry.claimant_id): entry.weight_ppm for entry in lineage})
    metadata = Document.new(
        {
            "type": "product",
            "product_id": str(request.product_id),
            "title_zh": request.title_zh,
            "title_en": request.title_en,
            "summary_zh": request.summary_zh,
            "summary_en": request.summary_en,
            "is_public_interest": request.is_public_interest,
            "is_invented": request.is_invented,
        }
    )
    entries = [
        {
            "claimant_id": entry.claimant_id,
            "kind": int(parse_code(ClaimantKind, entry.kind, "kind")),
            "weight_ppm": entry.weight_ppm,
        }
        for entry in lineage
    ]
    modes = int(ModeSet.of(list(request.modes)))
    return Command(
        "licences",
        "listProduct",
        (request.product_id, request.city_code, modes, metadata.digest, entries),
        (metadata,),
        {"product_id": str(request.product_id)},
    )


@command("approve-caps", ApproveCaps, "Approve ceiling prices", "核定上限收费标准")
def approve_caps(market: Market, actor_id: UUID | None, request: ApproveCaps) -> Command:
    """Plan the approval of ceilings."""
    decision = decision_document("caps", request.product_id, request.reason)
    caps = [band.on_chain() for band in request.caps]
    return Command(
        "licences", "approveCaps", (request.product_id, caps, decision.digest), (decision,)
    )


@command("publish-tariff", PublishTariff, "Publish a tariff", "发布收费标准")
def publish_tariff(market: Market, actor_id: UUID | None, request: PublishTariff) -> Command:
    """Plan the tariff; a price above its cap is refused here and again by the contract."""
    with market.read() as connection:
        caps = queries.caps_of(connection, request.product_id)
    tariff = tariff_on_chain(request)
    if caps:
        check_caps(
            _tariff_of(tariff), [_band(cap.up_to_units, cap.price_micro_yuan) for cap in caps]
        )
    cap_bands = [
        {"up_to_units": cap.up_to_units, "price_micro_yuan": cap.price_micro_yuan} for cap in caps
    ]
    return Command("licences", "publishTariff", (request.product_id, tariff, cap_bands))


@command("set-product-state", SetProductState, "Suspend or restore a product", "产品状态")
def set_product_state(market: Market, actor_id: UUID | None, request: SetProductState) -> Command:
    """Plan a change of a product's state."""
    decision = decision_document("product", request.product_id, request.reason)
    return Command(
        "licences",
        "setProductState",
        (request.product_id, int(request.state), decision.digest),
        (decision,),
    )


def tariff_on_chain(request: PublishTariff) -> dict[str, Any]:
    """Return a tariff as the contract takes it."""
    return {
        "basis": int(request.basis),
        "free_quota_units": request.free_quota_units,
        "discount_ppm": request.discount_ppm,
        "bands": [band.on_chain() for band in request.bands],
    }


def row_on_chain(row: TariffRow) -> dict[str, Any]:
    """Return a projected tariff as the contract takes it."""
    return {
        "basis": row.basis,
        "free_quota_units": row.free_quota_units,
        "discount_ppm": row.discount_ppm,
        "bands": [
            {"up_to_units": band.up_to_units, "price_micro_yuan": band.price_micro_yuan}
            for band in row.bands
        ],
    }


def tariff_of_row(row: TariffRow) -> Tariff:
    """Return a projected tariff as the money layer takes it."""
    return _tariff_of(row_on_chain(row))


def _tariff_of(fields: dict[str, Any]) -> Tariff:
    bands = tuple(_band(band["up_to_units"], band["price_micro_yuan"]) for band in fields["bands"])
    return Tariff(
        bands, fields["free_quota_units"], Ppm(fields["discount_ppm"]), ChargeBasis(fields["basis"])
    )


def _band(up_to_units: int, price_micro_yuan: int) -> Band:
    end = None if up_to_units == UINT64_MAX else up_to_units
    return Band(end, MicroYuan(price_micro_yuan))
