"""Applications and negotiations. Times are Unix seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, or_, select

from ledger.projection.queries.base import columns, one, records
from ledger.projection.tables import application_rules, applications, offers, threads


@dataclass(frozen=True, slots=True)
class ApplicationRow:
    """An application; `valid_until` 0 until it is approved."""

    application_id: UUID
    dataset_id: UUID
    applicant_id: UUID
    purpose: int
    modes: int
    state: int
    valid_until: int
    form_digest: bytes
    decision_digest: bytes | None
    submitted_at: int
    decided_at: int | None


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A negotiation; `last_digest` is the last offer's, or the agreement's."""

    thread_id: UUID
    product_id: UUID
    operator_id: UUID
    buyer_id: UUID
    state: int
    last_digest: bytes
    deadline: int
    acceptance_digest: bytes | None
    decision_digest: bytes | None
    licence_no: int | None
    opened_at: int


@dataclass(frozen=True, slots=True)
class OfferRow:
    """One offer; `state` is REQUESTED for the buyer's, OFFERED for the operator's."""

    thread_id: UUID
    offer_no: int
    state: int
    previous_digest: bytes
    offer_digest: bytes
    deadline: int
    offered_at: int
    tx_hash: str


def application(connection: Connection, application_id: UUID) -> ApplicationRow:
    """Return one application.

    Raises:
        NotFoundError: it is unknown.
    """
    query = select(*columns(applications, ApplicationRow)).where(
        applications.c.application_id == application_id
    )
    return one(connection, query, ApplicationRow, "application", application_id)


def applications_list(
    connection: Connection, *, dataset_id: UUID | None = None, applicant_id: UUID | None = None
) -> list[ApplicationRow]:
    """Return applications in the order of submission."""
    query = select(*columns(applications, ApplicationRow))
    if dataset_id is not None:
        query = query.where(applications.c.dataset_id == dataset_id)
    if applicant_id is not None:
        query = query.where(applications.c.applicant_id == applicant_id)
    ordered = query.order_by(applications.c.submitted_at, applications.c.application_id)
    return records(connection, ordered, ApplicationRow)


def needing_application(connection: Connection, dataset_ids: Sequence[UUID]) -> list[UUID]:
    """Return those of the datasets that may be licensed only on an approved application."""
    query = select(application_rules.c.dataset_id).where(
        application_rules.c.dataset_id.in_(dataset_ids), application_rules.c.is_required
    )
    return list(connection.execute(query.order_by(application_rules.c.dataset_id)).scalars())


def thread(connection: Connection, thread_id: UUID) -> ThreadRow:
    """Return one negotiation.

    Raises:
        NotFoundError: it is unknown.
    """
    query = select(*columns(threads, ThreadRow)).where(threads.c.thread_id == thread_id)
    return one(connection, query, ThreadRow, "negotiation", thread_id)


def find_thread(connection: Connection, thread_id: UUID) -> ThreadRow | None:
    """Return one negotiation, None when it was not begun."""
    query = select(*columns(threads, ThreadRow)).where(threads.c.thread_id == thread_id)
    return next(iter(records(connection, query, ThreadRow)), None)


def threads_list(connection: Connection, party_id: UUID | None = None) -> list[ThreadRow]:
    """Return negotiations in the order in which they began; those of a party, or all."""
    query = select(*columns(threads, ThreadRow))
    if party_id is not None:
        query = query.where(or_(threads.c.buyer_id == party_id, threads.c.operator_id == party_id))
    return records(connection, query.order_by(threads.c.opened_at, threads.c.thread_id), ThreadRow)


def offers_of(connection: Connection, thread_id: UUID) -> list[OfferRow]:
    """Return the offers of a negotiation in their order."""
    query = select(*columns(offers, OfferRow)).where(offers.c.thread_id == thread_id)
    return records(connection, query.order_by(offers.c.offer_no), OfferRow)
