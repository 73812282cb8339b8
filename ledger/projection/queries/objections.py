"""Objections: cases, their steps, shares of liability, and how many there were of which kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, or_, select

from ledger.domain.objections import ObjectionState
from ledger.projection.queries.base import Page, columns, one, page, records
from ledger.projection.tables import objection_shares, objection_steps, objections


@dataclass(frozen=True, slots=True)
class ObjectionRow:
    """A case; times are Unix seconds, 0 where none runs or nothing happened."""

    objection_id: UUID
    objector_id: UUID
    respondent_id: UUID
    handler_id: UUID | None
    subject_kind: int
    subject_id: UUID
    ground: int
    city_code: int
    state: int
    outcome: int
    is_of_platform: bool
    is_holding: bool
    is_extended: bool
    escalation_count: int
    suspend_due_at: int
    due_at: int
    decide_due_at: int
    refund_fen: int
    relief_route: int
    relief_limit_at: int
    fact_digest: bytes
    statement_digest: bytes
    evidence_digests: list[str]
    opened_at: int
    ended_at: int

    @property
    def next_due_at(self) -> int:
        """When the case is late, so that it may be escalated; 0 when it is at its end."""
        if not ObjectionState(self.state).is_live:
            return 0
        is_accepted = self.state == ObjectionState.ACCEPTED
        due_at = self.decide_due_at if is_accepted else self.due_at
        return min(due_at, self.suspend_due_at) if self.suspend_due_at else due_at


@dataclass(frozen=True, slots=True)
class ObjectionStepRow:
    """One step of a case; `due_at` says when the next one was due then."""

    objection_id: UUID
    step_no: int
    kind: str
    from_state: int
    to_state: int
    actor_id: UUID
    due_at: int
    escalation_no: int
    document_digest: bytes | None
    happened_at: int
    tx_hash: str


@dataclass(frozen=True, slots=True)
class ObjectionShareRow:
    """One organisation's part of the liability."""

    objection_id: UUID
    organisation_id: UUID
    share_ppm: int


def objection(connection: Connection, objection_id: UUID) -> ObjectionRow:
    """Return one case.

    Raises:
        NotFoundError: it is unknown.
    """
    query = select(*columns(objections, ObjectionRow)).where(
        objections.c.objection_id == objection_id
    )
    return one(connection, query, ObjectionRow, "objection", objection_id)


def steps_of_objection(connection: Connection, objection_id: UUID) -> list[ObjectionStepRow]:
    """Return the steps of a case in their order."""
    query = select(objection_steps).where(objection_steps.c.objection_id == objection_id)
    return records(connection, query.order_by(objection_steps.c.step_no), ObjectionStepRow)


def shares_of_objection(connection: Connection, objection_id: UUID) -> list[ObjectionShareRow]:
    """Return the shares of liability by ascending organisation."""
    query = select(objection_shares).where(objection_shares.c.objection_id == objection_id)
    ordered = query.order_by(objection_shares.c.organisation_id)
    return records(connection, ordered, ObjectionShareRow)


def objections_page(
    connection: Connection,
    *,
    party_id: UUID | None = None,
    city_code: int | None = None,
    ground: int | None = None,
    states: Sequence[int] = (),
    opened_from: int = 0,
    opened_until: int = 2**62,
    limit: int = 50,
    offset: int = 0,
) -> Page[ObjectionRow]:
    """Return cases, newest first.

    Args:
        party_id: objector, respondent or handler.
        states: only cases in one of these states; all when empty.
        opened_from: Unix seconds, inclusive.
        opened_until: Unix seconds, exclusive.
    """
    query = select(*columns(objections, ObjectionRow)).where(
        objections.c.opened_at >= opened_from, objections.c.opened_at < opened_until
    )
    if party_id is not None:
        parties = (objections.c.objector_id, objections.c.respondent_id, objections.c.handler_id)
        query = query.where(or_(*(column == party_id for column in parties)))
    if city_code is not None:
        query = query.where(objections.c.city_code == city_code)
    if ground is not None:
        query = query.where(objections.c.ground == ground)
    if states:
        query = query.where(objections.c.state.in_(states))
    ordered = query.order_by(objections.c.opened_at.desc(), objections.c.objection_id)
    return page(connection, ordered, ObjectionRow, limit, offset)
