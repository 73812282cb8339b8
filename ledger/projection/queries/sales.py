"""Products, licences and anchored logs. Times are Unix seconds unless a name says ms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, select

from ledger.domain.errors import ValueOutOfRangeError
from ledger.projection.errors import NotFoundError
from ledger.projection.queries.base import Page, columns, one, page, records
from ledger.projection.tables import (
    anchors,
    caps,
    licences,
    lineage,
    logs,
    products,
    sources,
    supplements,
    tariffs,
)


@dataclass(frozen=True, slots=True)
class Band:
    """A price up to a running total; the last band of a list goes to 2^64 - 1."""

    up_to_units: int
    price_micro_yuan: int


@dataclass(frozen=True, slots=True)
class LineageRow:
    """One claimant of a product's income; `kind` 1 dataset, 2 organisation."""

    claimant_id: UUID
    kind: int
    weight_ppm: int


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One parent of a derived product: the developer's licence, what of it, and its share."""

    product_id: UUID
    position: int
    licence_no: int
    ancestor_id: UUID
    share_ppm: int


@dataclass(frozen=True, slots=True)
class TariffRow:
    """A published tariff."""

    product_id: UUID
    tariff_no: int
    basis: int
    free_quota_units: int
    discount_ppm: int
    bands: tuple[Band, ...]
    published_at: int


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product as the registry has it; `tariff_no` 0 when none is in force."""

    product_id: UUID
    operator_id: UUID
    city_code: int
    state: int
    modes: int
    tariff_no: int
    is_derived: bool
    metadata_digest: bytes
    listed_at: int


@dataclass(frozen=True, slots=True)
class ProductDetail:
    """A product with its lineage in order, its caps and the tariff in force, if any."""

    product: ProductRow
    lineage: tuple[LineageRow, ...]
    caps: tuple[Band, ...]
    tariff: TariffRow | None


@dataclass(frozen=True, slots=True)
class LicenceRow:
    """A licence as it stands now, supplements included."""

    licence_no: int
    agreement_id: UUID
    product_id: UUID
    operator_id: UUID
    buyer_id: UUID
    tariff_no: int
    purpose: int
    modes: int
    state: int
    valid_from: int
    valid_until: int
    quota_units: int
    platform_liability_ppm: int
    outcome_ppm: int
    team_max: int
    is_accepted_by_use: bool
    terms_digest: bytes
    agreement_digest: bytes
    decision_digest: bytes | None
    granted_at: int
    tx_hash: str


@dataclass(frozen=True, slots=True)
class SupplementRow:
    """A supplement to a licence."""

    licence_no: int
    supplement_no: int
    previous_digest: bytes
    agreement_digest: bytes
    terms_digest: bytes
    valid_until: int
    quota_units: int
    platform_liability_ppm: int
    agreed_at: int


@dataclass(frozen=True, slots=True)
class LogRow:
    """A log of use with its last anchored head; size in receipts."""

    log_no: int
    keeper_id: UUID
    origin_digest: bytes
    size: int
    root: bytes
    time_ms: int


@dataclass(frozen=True, slots=True)
class AnchorRow:
    """One anchored head of a log."""

    log_no: int
    anchor_no: int
    size: int
    root: bytes
    time_ms: int
    anchored_at: int
    tx_hash: str


def search_products(
    connection: Connection,
    *,
    among: Sequence[UUID] | None = None,
    operator_id: UUID | None = None,
    city_code: int | None = None,
    state: int | None = None,
    dataset_id: UUID | None = None,
    limit: int = 20,
    offset: int = 0,
) -> Page[ProductRow]:
    """Return products, newest first; `dataset_id` keeps those that rest on a dataset."""
    query = select(*columns(products, ProductRow))
    if among is not None:
        query = query.where(products.c.product_id.in_(among))
    if dataset_id is not None:
        over = select(lineage.c.product_id).where(lineage.c.claimant_id == dataset_id)
        query = query.where(products.c.product_id.in_(over))
    for column, wanted in (
        (products.c.operator_id, operator_id),
        (products.c.city_code, city_code),
        (products.c.state, state),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    ordered = query.order_by(products.c.listed_at.desc(), products.c.product_id)
    return page(connection, ordered, ProductRow, limit, offset)


def product(connection: Connection, product_id: UUID) -> ProductDetail:
    """Return a product with lineage, caps and the tariff in force.

    Raises:
        NotFoundError: it is unknown.
    """
    query = select(*columns(products, ProductRow)).where(products.c.product_id == product_id)
    found = one(connection, query, ProductRow, "product", product_id)
    return ProductDetail(
        product=found,
        lineage=tuple(lineage_of(connection, product_id)),
        caps=caps_of(connection, product_id),
        tariff=tariff(connection, product_id, found.tariff_no) if found.tariff_no else None,
    )


def lineage_of(connection: Connection, product_id: UUID) -> list[LineageRow]:
    """Return a product's lineage in its order: ascending by claimant; of a derived product, the
    platform and the developer come last."""
    query = select(*columns(lineage, LineageRow)).where(lineage.c.product_id == product_id)
    return records(connection, query.order_by(lineage.c.position), LineageRow)


def sources_of(connection: Connection, product_id: UUID) -> list[SourceRow]:
    """Return what a derived product was made from, in its order; none for another product."""
    query = select(sources).where(sources.c.product_id == product_id)
    return records(connection, query.order_by(sources.c.position), SourceRow)


def caps_of(connection: Connection, product_id: UUID) -> tuple[Band, ...]:
    """Return the approved cap bands; empty before approval."""
    query = select(caps.c.bands).where(caps.c.product_id == product_id)
    found = connection.execute(query).scalar_one_or_none()
    return tuple(Band(**band) for band in found or ())


def tariff(connection: Connection, product_id: UUID, tariff_no: int) -> TariffRow:
    """Return a published tariff, in force or not.

    Raises:
        NotFoundError: no tariff was published under this number.
    """
    query = select(tariffs).where(
        tariffs.c.product_id == product_id, tariffs.c.tariff_no == tariff_no
    )
    found = one(connection, query, TariffRow, "tariff", f"{product_id} {tariff_no}")
    bands = tuple(Band(**band) for band in found.bands)  # type: ignore[arg-type]
    values = {name: getattr(found, name) for name in TariffRow.__dataclass_fields__}
    return TariffRow(**values | {"bands": bands})


def licence(connection: Connection, licence_no: int) -> LicenceRow:
    """Return one licence.

    Raises:
        NotFoundError: it is unknown.
    """
    query = select(*columns(licences, LicenceRow)).where(licences.c.licence_no == licence_no)
    return one(connection, query, LicenceRow, "licence", licence_no)


def licence_of_agreement(connection: Connection, agreement_id: UUID) -> LicenceRow | None:
    """Return the licence that an agreement granted, None when it granted none yet."""
    query = select(*columns(licences, LicenceRow)).where(licences.c.agreement_id == agreement_id)
    return next(iter(records(connection, query, LicenceRow)), None)


def licences_list(
    connection: Connection,
    *,
    buyer_id: UUID | None = None,
    operator_id: UUID | None = None,
    product_id: UUID | None = None,
    limit: int = 100,
    offset: int = 0,
) -> Page[LicenceRow]:
    """Return licences by number."""
    query = select(*columns(licences, LicenceRow))
    for column, wanted in (
        (licences.c.buyer_id, buyer_id),
        (licences.c.operator_id, operator_id),
        (licences.c.product_id, product_id),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    return page(connection, query.order_by(licences.c.licence_no), LicenceRow, limit, offset)


def supplements_of(connection: Connection, licence_no: int) -> list[SupplementRow]:
    """Return the supplements to a licence in their order."""
    query = select(supplements).where(supplements.c.licence_no == licence_no)
    return records(connection, query.order_by(supplements.c.supplement_no), SupplementRow)


def first_terms_digest(connection: Connection, licence_no: int) -> bytes:
    """Return the digest of the terms of a licence's agreement, before any supplement.

    Raises:
        NotFoundError: the licence is unknown.
    """
    query = select(licences.c.agreed_terms_digest).where(licences.c.licence_no == licence_no)
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        raise NotFoundError("there is no such licence", field="licence_no", got=licence_no)
    return bytes(found)


def logs_list(connection: Connection) -> list[LogRow]:
    """Return all logs with their last anchored heads."""
    return records(connection, select(logs).order_by(logs.c.log_no), LogRow)


def log(connection: Connection, log_no: int) -> LogRow:
    """Return one log.

    Raises:
        NotFoundError: it is unknown.
    """
    return one(connection, select(logs).where(logs.c.log_no == log_no), LogRow, "log", log_no)


def anchors_of(connection: Connection, log_no: int) -> list[AnchorRow]:
    """Return the anchored heads of a log in their order."""
    query = select(anchors).where(anchors.c.log_no == log_no)
    return records(connection, query.order_by(anchors.c.anchor_no), AnchorRow)


def anchor_covering(connection: Connection, log_no: int, size: int) -> AnchorRow | None:
    """Return the first anchored head of at least `size` receipts, None when there is none yet.

    Raises:
        ValueOutOfRangeError: the size is zero.
    """
    if size < 1:
        raise ValueOutOfRangeError("a size begins at 1", field="size", got=size, expected=">= 1")
    query = select(anchors).where(anchors.c.log_no == log_no, anchors.c.size >= size)
    first = query.order_by(anchors.c.anchor_no).limit(1)
    return next(iter(records(connection, first, AnchorRow)), None)
