"""Events of DatasetRegistry on registration, opening, duties and quality."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from ledger.domain.codes import (
    NoticeObjectionState,
    QualityGrade,
    RegistrationState,
    RegistrationType,
)
from ledger.projection.handlers.base import change, handles, insert
from ledger.projection.stored import StoredEvent
from ledger.projection.tables import (
    datasets,
    duty_lists,
    inspections,
    notice_objections,
    opening_decisions,
    opening_policies,
    procedures,
    rectifications,
    registration_steps,
    version_maskings,
)

_KEEP_RECORD = (RegistrationType.FIRST, RegistrationType.RENEWAL)


def _count(table: Any) -> Any:
    return select(func.count()).where(table.c.dataset_id == bindparam("dataset_id"))


_STEP_COUNT = _count(registration_steps)
_PROCEDURE_COUNT = _count(procedures)
_INSPECTION_COUNT = _count(inspections)
_OPEN_TASK = select(rectifications.c.opened_by).where(
    rectifications.c.dataset_id == bindparam("dataset_id"), rectifications.c.closed_by.is_(None)
)


@handles("RegistrationAdvanced")
def registration_advanced(connection: Connection, event: StoredEvent) -> None:
    """A registration goes one step on: applied for, decided, returned, ended."""
    args, key = event.args, {"dataset_id": event.args["dataset_id"]}
    steps = connection.execute(_STEP_COUNT, key).scalar_one()
    insert(
        connection,
        registration_steps,
        **key,
        step_no=steps + 1,
        kind=args["kind"],
        from_state=args["from"],
        to_state=args["to"],
        actor_id=args["actor_id"],
        decision_digest=args["decision_digest"],
        decided_at=event.block_time,
        tx_hash=event.tx_hash,
    )
    _move_procedure(connection, event, key)
    if args["kind"] == RegistrationType.FIRST or args["to"] >= RegistrationState.CANCELLED:
        change(connection, datasets, key, state=args["to"])


def _move_procedure(connection: Connection, event: StoredEvent, key: dict[str, Any]) -> None:
    to, kind = event.args["to"], event.args["kind"]
    number = connection.execute(_PROCEDURE_COUNT, key).scalar_one()
    if kind == RegistrationType.NONE:
        return
    if to == RegistrationState.APPLIED:
        insert(
            connection,
            procedures,
            **key,
            procedure_no=number + 1,
            kind=kind,
            state=to,
            applied_at=event.block_time,
            since=event.block_time,
            ended_at=None,
            application_digest=event.args["decision_digest"],
        )
        return
    is_end = to == RegistrationState.EVIDENCED or to >= RegistrationState.CODED
    ended_at = event.block_time if is_end else None
    place = key | {"procedure_no": number}
    change(connection, procedures, place, state=to, since=event.block_time, ended_at=ended_at)


@handles("RegistrationCoded")
def registration_coded(connection: Connection, event: StoredEvent) -> None:
    """A registration has its code and its end date; a change brings another record."""
    args = event.args
    values = {"registration_code": args["registration_code"], "valid_until": args["valid_until"]}
    if args["kind"] not in _KEEP_RECORD:
        values["metadata_digest"] = args["application_digest"]
    change(connection, datasets, {"dataset_id": args["dataset_id"]}, **values)


@handles("NoticeObjected")
def notice_objected(connection: Connection, event: StoredEvent) -> None:
    """Somebody objects during public notice."""
    key = {"dataset_id": event.args["dataset_id"]}
    insert(
        connection,
        notice_objections,
        procedure_no=connection.execute(_PROCEDURE_COUNT, key).scalar_one(),
        state=NoticeObjectionState.OPEN,
        decision_digest=None,
        objected_at=event.block_time,
        decided_at=None,
        **event.args,
    )


@handles("NoticeObjectionDecided")
def notice_objection_decided(connection: Connection, event: StoredEvent) -> None:
    """An objection is upheld or dismissed."""
    is_upheld = event.args["is_upheld"]
    change(
        connection,
        notice_objections,
        {"objection_id": event.args["objection_id"]},
        state=NoticeObjectionState.UPHELD if is_upheld else NoticeObjectionState.DISMISSED,
        decision_digest=event.args["decision_digest"],
        decided_at=event.block_time,
    )


@handles("VersionMasked")
def version_masked(connection: Connection, event: StoredEvent) -> None:
    """A version is masked; saying so again replaces nothing that was sold before."""
    key = {name: event.args[name] for name in ("dataset_id", "version_no")}
    said = {name: event.args[name] for name in ("source_digest", "report_digest")}
    found = select(version_maskings.c.version_no).where(
        version_maskings.c.dataset_id == key["dataset_id"],
        version_maskings.c.version_no == key["version_no"],
    )
    if connection.execute(found).first() is None:
        insert(connection, version_maskings, **key, **said, masked_at=event.block_time)
    else:
        change(connection, version_maskings, key, **said, masked_at=event.block_time)


@handles("OpeningPolicyPublished")
def opening_policy_published(connection: Connection, event: StoredEvent) -> None:
    """A table of graded opening is signed, in force from its date."""
    values = dict(event.args)
    words = [values.pop("unconditional"), values.pop("conditional")]
    insert(
        connection,
        opening_policies,
        words=words,
        published_at=event.block_time,
        tx_hash=event.tx_hash,
        **values,
    )


@handles("OpeningDecided")
def opening_decided(connection: Connection, event: StoredEvent) -> None:
    """A licence, or more of it, opens data at a tier under named tables; the last rules."""
    key = {"licence_no": event.args["licence_no"]}
    said = {name: event.args[name] for name in ("tier", "policy_nos")}
    found = select(opening_decisions.c.tier).where(
        opening_decisions.c.licence_no == key["licence_no"]
    )
    if connection.execute(found).first() is None:
        insert(connection, opening_decisions, decided_at=event.block_time, **key, **said)
    else:
        change(connection, opening_decisions, key, decided_at=event.block_time, **said)


@handles("QualityInspected")
def quality_inspected(connection: Connection, event: StoredEvent) -> None:
    """A dataset was inspected; grade E opens a rectification, a better one closes it."""
    args, key = event.args, {"dataset_id": event.args["dataset_id"]}
    number = connection.execute(_INSPECTION_COUNT, key).scalar_one() + 1
    insert(connection, inspections, inspection_no=number, inspected_at=event.block_time, **args)
    change(
        connection,
        datasets,
        key,
        grade=args["grade"],
        quality_report_digest=args["report_digest"],
    )
    open_task = connection.execute(_OPEN_TASK, key).scalar_one_or_none()
    is_failed = args["grade"] == QualityGrade.E
    if is_failed and open_task is None:
        task = {"opened_by": number, "opened_at": event.block_time}
        insert(connection, rectifications, **key, **task, closed_by=None, closed_at=None)
    elif not is_failed and open_task is not None:
        place = key | {"opened_by": open_task}
        done = {"closed_by": number, "closed_at": event.block_time}
        change(connection, rectifications, place, **done)


@handles("DutiesAnchored")
def duties_anchored(connection: Connection, event: StoredEvent) -> None:
    """A city's responsibility list of a quarter is anchored."""
    insert(
        connection, duty_lists, anchored_at=event.block_time, tx_hash=event.tx_hash, **event.args
    )
