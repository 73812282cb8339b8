"""Who is owed whole fen, who is paid for whom, and the batches that pay them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, select

from ledger.domain.codes import Role
from ledger.projection.errors import NotFoundError, ProjectionError
from ledger.projection.queries.base import one, records
from ledger.projection.queries.schemes import AccountRow
from ledger.projection.tables import (
    datasets,
    kinds,
    organisations,
    remittance_lines,
    remittances,
    roles,
    scheme_accounts,
)


@dataclass(frozen=True, slots=True)
class RemittanceRow:
    """A batch that pays one payee."""

    batch_id: UUID
    payee_id: UUID
    state: int
    amount_fen: int
    set_off_fen: int
    document_digest: bytes
    receipt_digest: bytes | None
    opened_at: int
    closed_at: int | None
    tx_hash: str


@dataclass(frozen=True, slots=True)
class RemittanceLineRow:
    """One line of a batch."""

    batch_id: UUID
    position: int
    scheme_id: UUID
    claimant_id: UUID
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Payable:
    """Whole fen that a claimant is owed in a scheme, and who gets them."""

    payee_id: UUID
    scheme_id: UUID
    claimant_id: UUID
    amount_fen: int


class PayeeUnknownError(ProjectionError):
    """A claimant's income goes to a treasury that its city does not have."""

    code = "projection.payee_unknown"


def remittance(connection: Connection, batch_id: UUID) -> RemittanceRow:
    """Return one batch.

    Raises:
        NotFoundError: it is unknown.
    """
    query = select(remittances).where(remittances.c.batch_id == batch_id)
    return one(connection, query, RemittanceRow, "remittance", batch_id)


def remittances_list(
    connection: Connection, *, payee_id: UUID | None = None, state: int | None = None
) -> list[RemittanceRow]:
    """Return batches in the order in which they were opened."""
    query = select(remittances)
    if payee_id is not None:
        query = query.where(remittances.c.payee_id == payee_id)
    if state is not None:
        query = query.where(remittances.c.state == state)
    ordered = query.order_by(remittances.c.opened_at, remittances.c.batch_id)
    return records(connection, ordered, RemittanceRow)


def remittance_lines_of(connection: Connection, batch_id: UUID) -> list[RemittanceLineRow]:
    """Return the lines of a batch in their order."""
    query = select(remittance_lines).where(remittance_lines.c.batch_id == batch_id)
    return records(connection, query.order_by(remittance_lines.c.position), RemittanceLineRow)


def payables(connection: Connection, *, scheme_id: UUID | None = None) -> dict[UUID, list[Payable]]:
    """Return what is owed in whole fen, by payee; claimants who are owed nothing are left out.

    Raises:
        PayeeUnknownError: a city has no treasury to receive its income.
    """
    query = select(scheme_accounts)
    if scheme_id is not None:
        query = query.where(scheme_accounts.c.scheme_id == scheme_id)
    ordered = query.order_by(scheme_accounts.c.scheme_id, scheme_accounts.c.claimant_id)
    found: defaultdict[UUID, list[Payable]] = defaultdict(list)
    for account in records(connection, ordered, AccountRow):
        if account.payable_fen > 0:
            payee_id = payee_of_claimant(connection, account.claimant_id)
            found[payee_id].append(
                Payable(payee_id, account.scheme_id, account.claimant_id, account.payable_fen)
            )
    return dict(sorted(found.items()))


def earner_of(connection: Connection, claimant_id: UUID) -> UUID:
    """Return who earns what a claimant is credited: a dataset's provider, or itself."""
    query = select(datasets.c.provider_id).where(datasets.c.dataset_id == claimant_id)
    found: UUID | None = connection.execute(query).scalar_one_or_none()
    return found or claimant_id


def payee_of_claimant(connection: Connection, claimant_id: UUID) -> UUID:
    """Return who is paid for a claimant: its earner, or the treasury of the earner's city.

    Raises:
        NotFoundError: the claimant is neither a dataset nor an organisation.
        PayeeUnknownError: the city has no treasury.
    """
    earner_id = earner_of(connection, claimant_id)
    query = (
        select(organisations.c.city_code, kinds.c.is_paid_to_treasury)
        .join(kinds, kinds.c.kind == organisations.c.kind)
        .where(organisations.c.organisation_id == earner_id)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFoundError("no such claimant", field="claimant_id", got=str(claimant_id))
    if not row.is_paid_to_treasury:
        return earner_id
    treasury = select(roles.c.organisation_id).where(
        roles.c.city_code == row.city_code, roles.c.role == Role.TREASURY
    )
    found: UUID | None = connection.execute(treasury).scalars().first()
    if found is None:
        raise PayeeUnknownError(
            f"city {row.city_code} has no treasury", field="city_code", got=row.city_code
        )
    return found
