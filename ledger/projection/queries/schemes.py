"""Schemes, their versions and accounts, years and cycles. Amounts as the names say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from ledger.domain.codes import Role, SchemeState
from ledger.domain.units import MICRO_FEN_PER_FEN
from ledger.projection.errors import NotFoundError
from ledger.projection.queries.base import one, records
from ledger.projection.tables import (
    cycles,
    datasets,
    roles,
    scheme_accounts,
    scheme_versions,
    schemes,
    year_closes,
)


@dataclass(frozen=True, slots=True)
class SchemeRow:
    """An approved pricing scheme and how far it is used up."""

    scheme_id: UUID
    operator_id: UUID
    platform_id: UUID
    governance_id: UUID | None
    cycle_id: UUID
    city_code: int
    year: int
    is_trial: bool
    bond_ppm: int
    spread_ppm: int
    surcharge_ppm: int
    vat_ppm: int
    providers_ppm: int
    operator_ppm: int
    platform_ppm: int
    governance_ppm: int
    hold_days: int
    cost_micro_fen: int
    profit_micro_fen: int
    tax_micro_fen: int
    tax_taken_micro_fen: int
    recovered_micro_fen: int
    benefit_micro_fen: int
    forgone_micro_fen: int
    reserve_micro_fen: int
    release_count: int
    split_count: int
    state: int
    version_no: int
    decision_digest: bytes
    approved_at: int


@dataclass(frozen=True, slots=True)
class AccountRow:
    """What one claimant may recover in a scheme, and has received."""

    scheme_id: UUID
    claimant_id: UUID
    cost_micro_fen: int
    recovered_micro_fen: int
    entitled_micro_fen: int
    remitted_micro_fen: int
    is_pooled: bool

    @property
    def payable_fen(self) -> int:
        """Whole fen that are owed; floor, the fraction stays in the account."""
        return (self.entitled_micro_fen - self.remitted_micro_fen) // MICRO_FEN_PER_FEN


@dataclass(frozen=True, slots=True)
class VersionOfSchemeRow:
    """A version of a scheme as it was approved; `in_force_at` None while it is only announced."""

    scheme_id: UUID
    version_no: int
    change_from: int
    in_force_at: int | None
    terms: dict[str, Any]
    costs: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class CycleRow:
    """Up to three years that are reviewed together; `instalment_count` 0 until it is closed."""

    cycle_id: UUID
    operator_id: UUID
    city_code: int
    first_year: int
    year_count: int
    previous_id: UUID | None
    is_poured: bool
    instalment_count: int
    carry_out_micro_fen: int
    decision_digest: bytes | None
    closed_at: int | None


@dataclass(frozen=True, slots=True)
class YearCloseRow:
    """How a year ended; `outcome` 0 where a trial has no deviation."""

    scheme_id: UUID
    income_micro_fen: int
    permitted_micro_fen: int
    deviation_ppm: int
    outcome: int
    document_digest: bytes
    closed_at: int
    response_digest: bytes | None
    answered_at: int | None


def scheme(connection: Connection, scheme_id: UUID) -> SchemeRow:
    """Return one scheme.

    Raises:
        NotFoundError: it is unknown.
    """
    query = select(schemes).where(schemes.c.scheme_id == scheme_id)
    return one(connection, query, SchemeRow, "scheme", scheme_id)


def schemes_list(
    connection: Connection, *, operator_id: UUID | None = None, year: int | None = None
) -> list[SchemeRow]:
    """Return schemes in the order of their approval."""
    query = select(schemes)
    if operator_id is not None:
        query = query.where(schemes.c.operator_id == operator_id)
    if year is not None:
        query = query.where(schemes.c.year == year)
    return records(
        connection, query.order_by(schemes.c.approved_at, schemes.c.scheme_id), SchemeRow
    )


def scheme_for(connection: Connection, operator_id: UUID, city_code: int, year: int) -> UUID:
    """Return the scheme under which an operator's products of a city are billed in a year.

    Raises:
        NotFoundError: none is approved.
    """
    query = select(schemes.c.scheme_id).where(
        schemes.c.operator_id == operator_id,
        schemes.c.city_code == city_code,
        schemes.c.year == year,
    )
    ordered = query.order_by(schemes.c.state, schemes.c.approved_at, schemes.c.scheme_id)
    found: UUID | None = connection.execute(ordered).scalars().first()
    if found is None:
        raise NotFoundError(
            "no scheme is approved for this operator, city and year",
            field="scheme_id",
            got=f"{operator_id} {city_code} {year}",
        )
    return found


def accounts_of(connection: Connection, scheme_id: UUID) -> list[AccountRow]:
    """Return the accounts of a scheme, ascending by claimant."""
    query = select(scheme_accounts).where(scheme_accounts.c.scheme_id == scheme_id)
    return records(connection, query.order_by(scheme_accounts.c.claimant_id), AccountRow)


def versions_of_scheme(connection: Connection, scheme_id: UUID) -> list[VersionOfSchemeRow]:
    """Return the versions of a scheme, the announced one included."""
    query = select(scheme_versions).where(scheme_versions.c.scheme_id == scheme_id)
    ordered = query.order_by(scheme_versions.c.version_no)
    return records(connection, ordered, VersionOfSchemeRow)


def cycle(connection: Connection, cycle_id: UUID) -> CycleRow:
    """Return one cycle.

    Raises:
        NotFoundError: it is unknown.
    """
    query = select(cycles).where(cycles.c.cycle_id == cycle_id)
    return one(connection, query, CycleRow, "cycle", cycle_id)


def years_of(connection: Connection, cycle_id: UUID) -> list[SchemeRow]:
    """Return the schemes of a cycle, oldest year first."""
    query = select(schemes).where(schemes.c.cycle_id == cycle_id)
    return records(connection, query.order_by(schemes.c.year), SchemeRow)


def year_close(connection: Connection, scheme_id: UUID) -> YearCloseRow:
    """Return how a year ended.

    Raises:
        NotFoundError: it is not closed.
    """
    query = select(year_closes).where(year_closes.c.scheme_id == scheme_id)
    return one(connection, query, YearCloseRow, "year_close", scheme_id)


def open_deviations(connection: Connection, city_code: int) -> list[YearCloseRow]:
    """Return the closed years of a city that wait for their price authority's response."""
    query = (
        select(year_closes)
        .join(schemes, schemes.c.scheme_id == year_closes.c.scheme_id)
        .where(schemes.c.city_code == city_code, schemes.c.state == SchemeState.YEAR_CLOSED)
        .order_by(year_closes.c.closed_at, year_closes.c.scheme_id)
    )
    return records(connection, query, YearCloseRow)


def grades_of(connection: Connection) -> dict[UUID, int]:
    """Return the grade of each dataset's last inspection, 0 where there was none."""
    query = select(datasets.c.dataset_id, datasets.c.grade)
    return {row.dataset_id: row.grade for row in connection.execute(query)}


def platform_of(connection: Connection, city_code: int) -> UUID | None:
    """Return the platform of a city, None when there is none."""
    query = select(roles.c.organisation_id).where(
        roles.c.city_code == city_code, roles.c.role == Role.PLATFORM
    )
    found: UUID | None = (
        connection.execute(query.order_by(roles.c.organisation_id)).scalars().first()
    )
    return found
