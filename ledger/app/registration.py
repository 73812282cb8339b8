"""Registration (登记): applications, decisions, codes, objections to notices, due dates."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from ledger.app.calendars import working_days
from ledger.app.commands import Command, CommandRequest, command
from ledger.app.datasets import Record, decision_document
from ledger.app.errors import RecordFixedError, RegistrationCodeError
from ledger.app.fields import Id, InstantField, RegistrationTypeField, StateField, Text, fresh_id
from ledger.app.market import Market
from ledger.app.names import display_names
from ledger.codec.documents import Document
from ledger.domain.catalogue import require_record
from ledger.domain.codes import (
    DeliveryMode,
    ModeSet,
    OpenClass,
    RegistrationState,
    RegistrationType,
    Sensitivity,
    UpdateFrequency,
    parse_code,
)
from ledger.domain.registration import (
    Standing,
    code_text,
    next_task,
    state_now,
    urgency,
    validity_end,
)
from ledger.projection import queries

CODE_BYTES_MAX = 32
CodeText = Annotated[str, Field(min_length=1, max_length=CODE_BYTES_MAX)]
_CHANGES = (RegistrationType.CHANGE, RegistrationType.CORRECTION)


class ApplyRegistration(CommandRequest):
    """An application for one's own dataset; change and correction bring the record anew."""

    dataset_id: Id
    kind: RegistrationTypeField = RegistrationType.FIRST
    reason: Text
    metadata: Record | None = None


class AdvanceRegistration(CommandRequest):
    """One step of the registration."""

    dataset_id: Id
    to: StateField
    reason: Text


class CodeRegistration(CommandRequest):
    """The registration code, and until when it is valid; both follow by rule when left out."""

    dataset_id: Id
    registration_code: CodeText | None = None
    valid_until: InstantField | None = None
    reason: Text


class ObjectToNotice(CommandRequest):
    """An objection during public notice, under one's real name; texts stay off chain."""

    objection_id: Id = Field(default_factory=fresh_id)
    dataset_id: Id
    real_name: Text
    statement: Text
    evidence: Text


class DecideNoticeObjection(CommandRequest):
    """The decision on an objection: upheld ends the procedure, dismissed lets it go on."""

    objection_id: Id
    is_upheld: bool
    reason: Text


@command("apply-registration", ApplyRegistration, "Apply for a registration", "登记申请")
def apply_registration(
    market: Market, actor_id: UUID | None, request: ApplyRegistration
) -> Command:
    """Plan an application; a change's document is the changed record itself."""
    document = _application(market, request)
    return Command(
        "datasets",
        "applyFor",
        (request.dataset_id, int(request.kind), document.digest),
        (document,),
        {"dataset_id": str(request.dataset_id), "state": "applied"},
    )


@command("advance-registration", AdvanceRegistration, "Take a registration one step on", "登记流转")
def advance_registration(
    market: Market, actor_id: UUID | None, request: AdvanceRegistration
) -> Command:
    """Plan one registration step with its decision; application and code are commands too."""
    if request.to == RegistrationState.APPLIED:
        first = ApplyRegistration(dataset_id=request.dataset_id, reason=request.reason)
        return apply_registration(market, actor_id, first)
    if request.to == RegistrationState.CODED:
        plain = CodeRegistration(dataset_id=request.dataset_id, reason=request.reason)
        return code_registration(market, actor_id, plain)
    decision = decision_document("registration", request.dataset_id, request.reason)
    return Command(
        "datasets",
        "advance",
        (request.dataset_id, int(request.to), decision.digest),
        (decision,),
        {"dataset_id": str(request.dataset_id), "state": request.to.name.lower()},
    )


@command("code-registration", CodeRegistration, "Give a registration its code", "赋码")
def code_registration(market: Market, actor_id: UUID | None, request: CodeRegistration) -> Command:
    """Plan the code that ends a procedure."""
    row, procedure = _standing_rows(market, request.dataset_id)
    kind = RegistrationType.NONE if procedure is None else RegistrationType(procedure.kind)
    text = request.registration_code or code_text(row.registration_code) or _new_code(row)
    valid_until = request.valid_until
    if valid_until is None:
        valid_until = _validity(kind, row.valid_until, market.now_seconds())
    decision = decision_document("registration", request.dataset_id, request.reason)
    result = {"dataset_id": str(request.dataset_id), "state": "coded", "registration_code": text}
    return Command(
        "datasets",
        "code",
        (request.dataset_id, _code_bytes(text), valid_until, decision.digest),
        (decision,),
        result | {"valid_until": valid_until},
    )


@command("object-to-notice", ObjectToNotice, "Object during public notice", "公示异议")
def object_to_notice(market: Market, actor_id: UUID | None, request: ObjectToNotice) -> Command:
    """Plan an objection; statement and evidence have a digest each."""
    about = {"objection_id": str(request.objection_id), "dataset_id": str(request.dataset_id)}
    statement = Document.new(
        {
            "type": "notice_objection",
            **about,
            "real_name": request.real_name,
            "statement": request.statement,
        }
    )
    evidence = Document.new(
        {"type": "notice_objection_evidence", **about, "evidence": request.evidence}
    )
    return Command(
        "datasets",
        "objectToNotice",
        (request.objection_id, request.dataset_id, statement.digest, evidence.digest),
        (statement, evidence),
        about,
    )


@command("decide-notice-objection", DecideNoticeObjection, "Decide an objection", "处理公示异议")
def decide_notice_objection(
    market: Market, actor_id: UUID | None, request: DecideNoticeObjection
) -> Command:
    """Plan the decision on an objection."""
    decision = decision_document("notice_objection", request.objection_id, request.reason)
    return Command(
        "datasets",
        "decideNoticeObjection",
        (request.objection_id, request.is_upheld, decision.digest),
        (decision,),
        {"objection_id": str(request.objection_id), "is_upheld": request.is_upheld},
    )


def registration_due(market: Market, city_code: int | None = None) -> dict[str, Any]:
    """Return what is to be done about registrations, the latest first, with its due date."""
    now_seconds, days, names = market.now_seconds(), working_days(market), display_names(market)
    with market.read() as connection:
        rule = queries.notice_rule(connection)
        running = queries.running_procedures(connection)
        objections = queries.open_objections(connection)
        rows = list(queries.all_datasets(connection, city_code=city_code))
    tasks = []
    for row in rows:
        procedure = running.get(row.dataset_id)
        number = 0 if procedure is None else procedure.procedure_no
        at = _standing(row, procedure, objections.get((row.dataset_id, number), 0), now_seconds)
        task = next_task(at, days, rule.working_days, now_seconds)
        if task is None or row.open_class == OpenClass.NOT_OPEN:
            continue
        is_escalated = (level := urgency(task, days, now_seconds)) == "escalated"
        tasks.append(
            {
                "dataset_id": str(row.dataset_id),
                "title_zh": names[row.dataset_id]["zh"],
                "city_code": row.city_code,
                "kind": at.kind.name.lower(),
                "state": at.procedure_state.name.lower(),
                "task": task.what,
                "responsible": task.responsible,
                "not_before": task.not_before,
                "due_at": task.due_at,
                "urgency": level,
                "escalated_to": "governance" if is_escalated else None,
            }
        )
    tasks.sort(key=lambda item: (item["due_at"], item["dataset_id"]))
    return {
        "as_of": now_seconds,
        "notice_working_days": rule.working_days,
        "is_trial": rule.is_trial,
        "tasks": tasks,
    }


def _standing(
    row: queries.DatasetRow,
    procedure: queries.ProcedureRow | None,
    open_objections: int,
    now_seconds: int,
) -> Standing:
    state = state_now(row.state, row.valid_until, now_seconds)
    return Standing(
        state=state,
        kind=RegistrationType(procedure.kind if procedure else 0),
        procedure_state=RegistrationState(procedure.state) if procedure else state,
        since=procedure.since if procedure else row.evidenced_at,
        evidenced_at=row.evidenced_at,
        valid_until=row.valid_until,
        open_objections=open_objections,
    )


def _application(market: Market, request: ApplyRegistration) -> Document:
    if request.kind not in _CHANGES:
        return decision_document("application", request.dataset_id, request.reason)
    record = require_record(request.metadata)
    row, _ = _standing_rows(market, request.dataset_id)
    stated = _facts(record)
    for field, value in stated.items():
        if getattr(row, field) != value:
            raise RecordFixedError(
                f"{field} is registered on chain and is not changed by a record",
                field=field,
                got=value,
                expected=getattr(row, field),
            )
    return Document.new(
        {"type": "dataset", "dataset_id": str(request.dataset_id), "metadata": record}
    )


def _facts(record: dict[str, Any]) -> dict[str, Any]:
    modes = [parse_code(DeliveryMode, mode, "delivery_modes") for mode in record["delivery_modes"]]
    frequency = parse_code(UpdateFrequency, record["update_frequency"], "update_frequency")
    return {
        "open_class": int(parse_code(OpenClass, record["open_class"], "open_class")),
        "sensitivity": int(parse_code(Sensitivity, record["sensitivity"], "sensitivity")),
        "contains_personal_information": record["contains_pi"],
        "is_shared_in": record["shared_in"],
        "delivery_modes": int(ModeSet.of(modes)),
        "update_frequency": int(frequency),
    }


def _standing_rows(
    market: Market, dataset_id: UUID
) -> tuple[queries.DatasetRow, queries.ProcedureRow | None]:
    with market.read() as connection:
        row = queries.dataset(connection, dataset_id).dataset
        return row, queries.running_procedures(connection).get(dataset_id)


def _validity(kind: RegistrationType, former: int, now_seconds: int) -> int:
    if kind in _CHANGES:
        return former
    return validity_end(former if kind == RegistrationType.RENEWAL else now_seconds)


def _new_code(row: queries.DatasetRow) -> str:
    """Return an invented code: the national format is not published."""
    return f"DJ{row.city_code}-{row.dataset_id.hex[:8]}{row.dataset_id.hex[-12:]}"


def _code_bytes(text: str) -> bytes:
    raw = text.encode()
    if len(raw) > CODE_BYTES_MAX or not text.isprintable():
        raise RegistrationCodeError(
            "a registration code is printable text of at most 32 bytes",
            field="registration_code",
            got=text,
            expected=f"at most {CODE_BYTES_MAX} bytes of UTF-8",
        )
    return raw.ljust(CODE_BYTES_MAX, b"\0")
