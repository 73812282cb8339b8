"""Events of ObjectionDesk."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from ledger.domain.objections import ObjectionState
from ledger.projection.handlers.base import change, handles, insert, insert_all
from ledger.projection.handlers.shares import only
from ledger.projection.stored import StoredEvent
from ledger.projection.tables import objection_shares, objection_steps, objections

_CASE = select(objections).where(objections.c.objection_id == bindparam("objection_id"))
_STEP_COUNT = select(func.count()).where(
    objection_steps.c.objection_id == bindparam("objection_id")
)
_NOT_THE_HANDLERS = (ObjectionState.RESPONDED, ObjectionState.WITHDRAWN)


@handles("ObjectionOpened")
def objection_opened(connection: Connection, event: StoredEvent) -> None:
    """An organisation objects."""
    args = event.args
    insert(
        connection,
        objections,
        objector_id=args["objector_id"],
        handler_id=None,
        city_code=args["city_code"],
        state=ObjectionState.OPENED,
        outcome=0,
        is_of_platform=args["is_of_platform"],
        is_holding=False,
        is_extended=False,
        escalation_count=0,
        suspend_due_at=args["suspend_due_at"],
        due_at=args["due_at"],
        decide_due_at=0,
        refund_fen=0,
        relief_route=0,
        relief_limit_at=0,
        evidence_digests=args["evidence_digests"],
        opened_at=event.block_time,
        ended_at=0,
        **args["claim"],
    )
    digest = args["claim"]["statement_digest"]
    opened = int(ObjectionState.OPENED)
    _step(connection, event, "opened", (0, opened), args["objector_id"], digest)


@handles("ObjectionAdvanced")
def objection_advanced(connection: Connection, event: StoredEvent) -> None:
    """A case goes one step on."""
    args = event.args
    values: dict[str, Any] = {key: args[key] for key in ("due_at", "decide_due_at")}
    if args["to"] not in _NOT_THE_HANDLERS:
        values["handler_id"] = args["actor_id"]
    if not ObjectionState(args["to"]).is_live:
        values["ended_at"] = event.block_time
    change(connection, objections, _key(event), state=args["to"], **values)
    states = (args["from"], args["to"])
    _step(connection, event, "advanced", states, args["actor_id"], args["document_digest"])


@handles("ObjectionHoldSet")
def objection_hold_set(connection: Connection, event: StoredEvent) -> None:
    """A case puts its subject out of service, or lets it go back."""
    is_holding, actor_id = event.args["is_holding"], event.args["actor_id"]
    state = only(connection, _CASE, **_key(event))["state"]
    values: dict[str, Any] = {"is_holding": is_holding, "suspend_due_at": 0}
    if state != ObjectionState.WITHDRAWN:
        values["handler_id"] = actor_id
    change(connection, objections, _key(event), **values)
    kind = "held" if is_holding else "lifted"
    _step(connection, event, kind, (state, state), actor_id, event.args["document_digest"])


@handles("ObjectionExtended")
def objection_extended(connection: Connection, event: StoredEvent) -> None:
    """The handler has more time to decide."""
    args = event.args
    state = only(connection, _CASE, **_key(event))["state"]
    values = {"decide_due_at": args["decide_due_at"], "handler_id": args["actor_id"]}
    if state != ObjectionState.ACCEPTED:
        values["due_at"] = args["decide_due_at"]
    change(connection, objections, _key(event), is_extended=True, **values)
    document = args["document_digest"]
    _step(connection, event, "extended", (state, state), args["actor_id"], document)


@handles("ObjectionEscalated")
def objection_escalated(connection: Connection, event: StoredEvent) -> None:
    """A late case goes to the authority of its city."""
    args = event.args
    row = only(connection, _CASE, **_key(event))
    clocks = {key: args[key] for key in ("suspend_due_at", "due_at", "decide_due_at")}
    count = row["escalation_count"] + 1
    change(connection, objections, _key(event), handler_id=None, escalation_count=count, **clocks)
    _step(connection, event, "escalated", (row["state"], row["state"]), args["actor_id"], None)


@handles("ObjectionDecided")
def objection_decided(connection: Connection, event: StoredEvent) -> None:
    """A case is decided, with the shares of liability."""
    args = event.args
    state = only(connection, _CASE, **_key(event))["state"]
    change(
        connection,
        objections,
        _key(event),
        state=ObjectionState.DECIDED,
        outcome=args["outcome"],
        refund_fen=args["refund_fen"],
        handler_id=args["actor_id"],
        due_at=args["due_at"],
    )
    rows = [_key(event) | share for share in args["shares"]]
    insert_all(connection, objection_shares, rows)
    states = (state, int(ObjectionState.DECIDED))
    _step(connection, event, "decided", states, args["actor_id"], args["document_digest"])


@handles("ReliefNoticed")
def relief_noticed(connection: Connection, event: StoredEvent) -> None:
    """The parties know where they may turn against the decision, and until when."""
    args = event.args
    change(
        connection,
        objections,
        _key(event),
        state=ObjectionState.NOTIFIED,
        relief_route=args["route"],
        relief_limit_at=args["limit_at"],
        handler_id=args["actor_id"],
        due_at=args["due_at"],
    )
    states = (int(ObjectionState.DECIDED), int(ObjectionState.NOTIFIED))
    _step(connection, event, "noticed", states, args["actor_id"], args["document_digest"])


def _key(event: StoredEvent) -> dict[str, Any]:
    return {"objection_id": event.args["objection_id"]}


def _step(
    connection: Connection,
    event: StoredEvent,
    kind: str,
    states: tuple[int, int],
    actor_id: str,
    document_digest: str | None,
) -> None:
    count = connection.execute(_STEP_COUNT, _key(event)).scalar_one()
    due_at = only(connection, _CASE, **_key(event))["due_at"]
    insert(
        connection,
        objection_steps,
        **_key(event),
        step_no=count + 1,
        kind=kind,
        from_state=states[0],
        to_state=states[1],
        actor_id=actor_id,
        due_at=due_at,
        escalation_no=event.args.get("escalation_no", 0),
        document_digest=document_digest,
        happened_at=event.block_time,
        tx_hash=event.tx_hash,
    )
