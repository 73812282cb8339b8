"""Registration, graded opening, duties and quality; instants in Unix seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, Select, func, select

from ledger.domain.codes import NoticeObjectionState
from ledger.projection.queries.base import columns, one, records
from ledger.projection.queries.market import DatasetRow
from ledger.projection.tables import (
    dataset_versions,
    datasets,
    duty_lists,
    inspections,
    notice_objections,
    opening_decisions,
    opening_policies,
    procedures,
    rectifications,
    version_maskings,
)

_PAGE = 500


@dataclass(frozen=True, slots=True)
class ProcedureRow:
    """What was applied for, and how far it is; `ended_at` is null while it runs."""

    dataset_id: UUID
    procedure_no: int
    kind: int
    state: int
    applied_at: int
    since: int
    ended_at: int | None
    application_digest: bytes


@dataclass(frozen=True, slots=True)
class NoticeObjectionRow:
    """An objection during public notice."""

    objection_id: UUID
    dataset_id: UUID
    procedure_no: int
    objector_id: UUID
    state: int
    statement_digest: bytes
    evidence_digest: bytes
    decision_digest: bytes | None
    objected_at: int
    decided_at: int | None


@dataclass(frozen=True, slots=True)
class MaskingRow:
    """A masked version, its source and its report."""

    dataset_id: UUID
    version_no: int
    source_digest: bytes
    report_digest: bytes
    masked_at: int


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A table of graded opening; city zero is the region."""

    policy_no: int
    city_code: int
    effective_at: int
    words: list[int]
    document_digest: bytes
    published_at: int
    tx_hash: str


@dataclass(frozen=True, slots=True)
class OpeningRow:
    """At which tier a licence opens data, and the tables that say so."""

    licence_no: int
    tier: int
    policy_nos: list[int]
    decided_at: int


@dataclass(frozen=True, slots=True)
class InspectionRow:
    """One inspection; scores as 0x and two hex digits a dimension."""

    dataset_id: UUID
    inspection_no: int
    grade: int
    scores: str
    inspector_id: UUID
    report_digest: bytes
    inspected_at: int


@dataclass(frozen=True, slots=True)
class RectificationRow:
    """A task that an inspection opened; open while `closed_by` is null."""

    dataset_id: UUID
    opened_by: int
    opened_at: int
    closed_by: int | None
    closed_at: int | None


@dataclass(frozen=True, slots=True)
class DutyListRow:
    """A city's anchored responsibility list of a quarter (yyyyq)."""

    city_code: int
    quarter_id: int
    duty_count: int
    overdue_count: int
    registrar_id: UUID
    list_digest: bytes
    anchored_at: int
    tx_hash: str


def all_datasets(
    connection: Connection, *, city_code: int | None = None, provider_id: UUID | None = None
) -> Iterator[DatasetRow]:
    """Yield every dataset by id, a page at a time."""
    query = select(*columns(datasets, DatasetRow))
    if city_code is not None:
        query = query.where(datasets.c.city_code == city_code)
    if provider_id is not None:
        query = query.where(datasets.c.provider_id == provider_id)
    last = ""
    while True:
        part = query.where(datasets.c.dataset_id > last).order_by(datasets.c.dataset_id)
        rows = records(connection, part.limit(_PAGE), DatasetRow)
        yield from rows
        if len(rows) < _PAGE:
            return
        last = str(rows[-1].dataset_id)


def running_procedures(connection: Connection) -> dict[UUID, ProcedureRow]:
    """Return the procedures that have not ended, by dataset."""
    query = select(*columns(procedures, ProcedureRow)).where(procedures.c.ended_at.is_(None))
    return {row.dataset_id: row for row in records(connection, query, ProcedureRow)}


def procedures_of(connection: Connection, dataset_id: UUID) -> list[ProcedureRow]:
    """Return all procedures of a dataset in their order."""
    query = _of(select(*columns(procedures, ProcedureRow)), procedures.c.dataset_id, dataset_id)
    return records(connection, query.order_by(procedures.c.procedure_no), ProcedureRow)


def open_objections(connection: Connection) -> dict[tuple[UUID, int], int]:
    """Return the number of open objections by dataset and procedure."""
    table = notice_objections
    key = (table.c.dataset_id, table.c.procedure_no)
    query = select(*key, func.count().label("number")).group_by(*key)
    rows = connection.execute(query.where(table.c.state == NoticeObjectionState.OPEN)).all()
    return {(row.dataset_id, row.procedure_no): row.number for row in rows}


def objections_of(connection: Connection, dataset_id: UUID) -> list[NoticeObjectionRow]:
    """Return the objections to a dataset's registration, oldest first."""
    table = notice_objections
    query = _of(select(*columns(table, NoticeObjectionRow)), table.c.dataset_id, dataset_id)
    ordered = query.order_by(table.c.objected_at, table.c.objection_id)
    return records(connection, ordered, NoticeObjectionRow)


def maskings_of(connection: Connection, dataset_id: UUID) -> list[MaskingRow]:
    """Return the masked versions of a dataset."""
    table = version_maskings
    query = _of(select(*columns(table, MaskingRow)), table.c.dataset_id, dataset_id)
    return records(connection, query.order_by(table.c.version_no), MaskingRow)


def policies_list(connection: Connection) -> list[PolicyRow]:
    """Return every table of graded opening in the order of publication."""
    query = select(*columns(opening_policies, PolicyRow))
    return records(connection, query.order_by(opening_policies.c.policy_no), PolicyRow)


def policy(connection: Connection, policy_no: int) -> PolicyRow:
    """Return one table.

    Raises:
        NotFoundError: it is unknown.
    """
    query = select(*columns(opening_policies, PolicyRow))
    found = query.where(opening_policies.c.policy_no == policy_no)
    return one(connection, found, PolicyRow, "policy", policy_no)


def policy_in_force(connection: Connection, city_code: int, now_seconds: int) -> PolicyRow | None:
    """Return the table in force in a city: its own, else the region's; None where neither is."""
    table = opening_policies
    query = select(*columns(table, PolicyRow)).where(table.c.effective_at <= now_seconds)
    for code in (city_code, 0):
        part = query.where(table.c.city_code == code).order_by(table.c.policy_no.desc())
        found = records(connection, part.limit(1), PolicyRow)
        if found:
            return found[0]
    return None


def opening_of(connection: Connection, licence_no: int) -> OpeningRow | None:
    """Return the tier of a licence, None when the licence is unknown."""
    table = opening_decisions
    query = select(*columns(table, OpeningRow)).where(table.c.licence_no == licence_no)
    return next(iter(records(connection, query, OpeningRow)), None)


def inspections_of(connection: Connection, dataset_id: UUID) -> list[InspectionRow]:
    """Return the inspections of a dataset, oldest first."""
    table = inspections
    query = _of(select(*columns(table, InspectionRow)), table.c.dataset_id, dataset_id)
    return records(connection, query.order_by(table.c.inspection_no), InspectionRow)


def last_inspected(connection: Connection) -> dict[UUID, int]:
    """Return when each dataset was inspected last."""
    table = inspections
    query = select(table.c.dataset_id, func.max(table.c.inspected_at).label("last"))
    rows = connection.execute(query.group_by(table.c.dataset_id)).all()
    return {row.dataset_id: row.last for row in rows}


def last_updated(connection: Connection) -> dict[UUID, int]:
    """Return when each dataset's latest version was registered."""
    table = dataset_versions
    query = select(table.c.dataset_id, func.max(table.c.registered_at).label("last"))
    rows = connection.execute(query.group_by(table.c.dataset_id)).all()
    return {row.dataset_id: row.last for row in rows}


def rectifications_list(
    connection: Connection, dataset_id: UUID | None = None
) -> list[RectificationRow]:
    """Return the rectifications of one dataset, or of all."""
    table = rectifications
    query = select(*columns(table, RectificationRow))
    if dataset_id is not None:
        query = query.where(table.c.dataset_id == dataset_id)
    ordered = query.order_by(table.c.opened_at, table.c.dataset_id)
    return records(connection, ordered, RectificationRow)


def duty_lists_list(connection: Connection) -> list[DutyListRow]:
    """Return the anchored responsibility lists by city and quarter."""
    table = duty_lists
    query = select(*columns(table, DutyListRow)).order_by(table.c.city_code, table.c.quarter_id)
    return records(connection, query, DutyListRow)


def _of(query: Select, column: object, dataset_id: UUID) -> Select:  # type: ignore[type-arg]
    return query.where(column == dataset_id)  # type: ignore[arg-type]
