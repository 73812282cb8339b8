"""Organisations and datasets. Times are Unix seconds, enumerations numbers of `domain.codes`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, or_, select

from ledger.projection.queries.base import Page, columns, one, page, records
from ledger.projection.tables import (
    affiliates,
    cities,
    dataset_versions,
    datasets,
    kinds,
    organisations,
    products,
    registration_steps,
    roles,
    signers,
    version_parents,
)


@dataclass(frozen=True, slots=True)
class OrganisationRow:
    """An organisation as the directory has it; its name is in its profile, off chain."""

    organisation_id: UUID
    kind: int
    status: int
    city_code: int
    joined_at: int
    profile_digest: bytes


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role of an organisation in a city."""

    organisation_id: UUID
    role: int
    city_code: int


@dataclass(frozen=True, slots=True)
class KindRow:
    """The rule of a kind of organisation; `roles` is a bitmap."""

    kind: int
    roles: int
    is_institution: bool
    payee_rule: int


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """A dataset as the registry has it."""

    dataset_id: UUID
    provider_id: UUID
    city_code: int
    state: int
    open_class: int
    sensitivity: int
    update_frequency: int
    grade: int
    delivery_modes: int
    contains_personal_information: bool
    is_shared_in: bool
    is_suspended: bool
    metadata_digest: bytes
    masking_report_digest: bytes
    source_consent_digest: bytes
    quality_report_digest: bytes | None
    registration_code: bytes | None
    valid_until: int
    latest_version_no: int
    evidenced_at: int


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version's content: digests, rows, bytes."""

    dataset_id: UUID
    version_no: int
    sha256_digest: bytes
    sm3_digest: bytes
    schema_digest: bytes
    row_count: int
    byte_size: int
    registered_at: int
    tx_hash: str


@dataclass(frozen=True, slots=True)
class ParentRow:
    """A version that another one was made from."""

    dataset_id: UUID
    version_no: int
    position: int
    parent_digest: bytes
    parent_dataset_id: UUID
    parent_version_no: int


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of a registration."""

    dataset_id: UUID
    step_no: int
    kind: int
    from_state: int
    to_state: int
    actor_id: UUID
    decision_digest: bytes
    decided_at: int
    tx_hash: str


@dataclass(frozen=True, slots=True)
class DatasetDetail:
    """A dataset with its versions, their parents and the steps of its registration."""

    dataset: DatasetRow
    versions: tuple[VersionRow, ...]
    parents: tuple[ParentRow, ...]
    steps: tuple[StepRow, ...]


def city_codes(connection: Connection) -> list[int]:
    """Return the codes of the jurisdictions that take part, ascending."""
    query = select(cities.c.city_code).order_by(cities.c.city_code)
    return list(connection.execute(query).scalars())


def kind_rules(connection: Connection) -> list[KindRow]:
    """Return the rules of all kinds."""
    return records(connection, select(kinds).order_by(kinds.c.kind), KindRow)


def organisation(connection: Connection, organisation_id: UUID) -> OrganisationRow:
    """Return one organisation.

    Raises:
        NotFoundError: it is unknown.
    """
    query = select(*columns(organisations, OrganisationRow)).where(
        organisations.c.organisation_id == organisation_id
    )
    return one(connection, query, OrganisationRow, "organisation", organisation_id)


def organisations_list(
    connection: Connection,
    *,
    city_code: int | None = None,
    kind: int | None = None,
    role: int | None = None,
) -> list[OrganisationRow]:
    """Return organisations in the order in which they joined."""
    query = select(*columns(organisations, OrganisationRow))
    if city_code is not None:
        query = query.where(organisations.c.city_code == city_code)
    if kind is not None:
        query = query.where(organisations.c.kind == kind)
    if role is not None:
        holders = select(roles.c.organisation_id).where(roles.c.role == role)
        query = query.where(organisations.c.organisation_id.in_(holders))
    ordered = query.order_by(organisations.c.joined_at, organisations.c.organisation_id)
    return records(connection, ordered, OrganisationRow)


def affiliates_of(connection: Connection, organisation_id: UUID) -> list[tuple[UUID, UUID]]:
    """Return the declared pairs of affiliates with an organisation, the lower id first."""
    query = select(affiliates.c.one_id, affiliates.c.other_id).where(
        or_(affiliates.c.one_id == organisation_id, affiliates.c.other_id == organisation_id)
    )
    ordered = query.order_by(affiliates.c.one_id, affiliates.c.other_id)
    return [(row.one_id, row.other_id) for row in connection.execute(ordered)]


def roles_of(connection: Connection, organisation_id: UUID) -> list[RoleRow]:
    """Return the roles of an organisation in all cities."""
    query = select(roles).where(roles.c.organisation_id == organisation_id)
    return records(connection, query.order_by(roles.c.city_code, roles.c.role), RoleRow)


def organisation_of(connection: Connection, address: str) -> UUID | None:
    """Return the organisation for which an account signs, None when there is none."""
    query = select(signers.c.organisation_id).where(signers.c.address == address.lower())
    return connection.execute(query).scalar_one_or_none()


def signers_of(connection: Connection, organisation_id: UUID) -> list[str]:
    """Return the accounts that sign for an organisation."""
    query = select(signers.c.address).where(signers.c.organisation_id == organisation_id)
    return list(connection.execute(query.order_by(signers.c.address)).scalars())


def treasury_of(connection: Connection, city_code: int, treasury_role: int) -> UUID | None:
    """Return the organisation that holds the treasury role in a city, None when none does."""
    query = select(roles.c.organisation_id).where(
        roles.c.role == treasury_role, roles.c.city_code == city_code
    )
    return connection.execute(query.order_by(roles.c.organisation_id)).scalars().first()


def search_datasets(
    connection: Connection,
    *,
    text: str = "",
    among: Sequence[UUID] | None = None,
    provider_id: UUID | None = None,
    city_code: int | None = None,
    open_class: int | None = None,
    state: int | None = None,
    limit: int = 20,
    offset: int = 0,
) -> Page[DatasetRow]:
    """Return datasets, newest evidence first.

    Args:
        text: a dataset's or provider's id, or a content digest; titles are off chain, so a
            search by title names its matches in `among`.
        among: only these datasets.
    """
    query = select(*columns(datasets, DatasetRow))
    if text:
        query = query.where(_matches(text.lower()))
    if among is not None:
        query = query.where(datasets.c.dataset_id.in_(among))
    for column, wanted in (
        (datasets.c.provider_id, provider_id),
        (datasets.c.city_code, city_code),
        (datasets.c.open_class, open_class),
        (datasets.c.state, state),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    ordered = query.order_by(datasets.c.evidenced_at.desc(), datasets.c.dataset_id)
    return page(connection, ordered, DatasetRow, limit, offset)


def dataset(connection: Connection, dataset_id: UUID) -> DatasetDetail:
    """Return a dataset with everything that is known of it.

    Raises:
        NotFoundError: it is unknown.
    """
    query = select(*columns(datasets, DatasetRow)).where(datasets.c.dataset_id == dataset_id)
    found = one(connection, query, DatasetRow, "dataset", dataset_id)
    versions = select(dataset_versions).where(dataset_versions.c.dataset_id == dataset_id)
    parents = select(version_parents).where(version_parents.c.dataset_id == dataset_id)
    steps = select(registration_steps).where(registration_steps.c.dataset_id == dataset_id)
    return DatasetDetail(
        dataset=found,
        versions=tuple(
            records(connection, versions.order_by(dataset_versions.c.version_no), VersionRow)
        ),
        parents=tuple(
            records(
                connection,
                parents.order_by(version_parents.c.version_no, version_parents.c.position),
                ParentRow,
            )
        ),
        steps=tuple(records(connection, steps.order_by(registration_steps.c.step_no), StepRow)),
    )


def version_of_content(connection: Connection, sha256_digest: bytes) -> VersionRow | None:
    """Return the version that was registered with this content, None when none was."""
    query = select(dataset_versions).where(dataset_versions.c.sha256_digest == sha256_digest)
    return next(iter(records(connection, query, VersionRow)), None)


def children_of(connection: Connection, dataset_id: UUID) -> list[ParentRow]:
    """Return where versions of a dataset are named as parents."""
    query = select(version_parents).where(version_parents.c.parent_dataset_id == dataset_id)
    ordered = query.order_by(version_parents.c.dataset_id, version_parents.c.version_no)
    return records(connection, ordered, ParentRow)


def metadata_digests(connection: Connection, ids: set[UUID]) -> dict[UUID, bytes]:
    """Return the digest of the record of each dataset and product among some ids."""
    wanted = sorted(map(str, ids))
    found: dict[UUID, bytes] = {}
    for key, digest in (
        (datasets.c.dataset_id, datasets.c.metadata_digest),
        (products.c.product_id, products.c.metadata_digest),
    ):
        found |= {
            row[0]: row[1] for row in connection.execute(select(key, digest).where(key.in_(wanted)))
        }
    return found


def _matches(text: str) -> ColumnElement[bool]:
    with_digest = select(dataset_versions.c.dataset_id).where(
        or_(
            dataset_versions.c.sha256_digest == text,
            dataset_versions.c.sm3_digest == text,
        )
    )
    return or_(
        datasets.c.dataset_id == text,
        datasets.c.provider_id == text,
        datasets.c.dataset_id.in_(with_digest),
    )
