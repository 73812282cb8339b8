"""Registration (登记) as a state machine, and its clocks in working days.

Rules kept here, equal to `contracts/libraries/Procedures.sol`:
1. One procedure at a time; a first registration takes the dataset's state along, all other types
   leave it coded until they end.
2. First registration and change go through public notice (公示); correction and renewal do not.
3. Latest dates: first registration 20 working days after the evidence, acceptance 3, formal review
   20, cancellation 10 (发改数据规〔2025〕26号). Ours: notice and code 3, an objection 15.
4. What is late by more than 3 working days is escalated from the city to the region's governance.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from ledger.domain.codes import RegistrationState as State
from ledger.domain.codes import RegistrationType as Type
from ledger.domain.working_days import WorkingDays, day_of, end_of

VALIDITY_YEARS_MAX = 3
RENEWAL_WINDOW_DAYS = 60
FILING_DAYS, ACCEPT_DAYS, REVIEW_DAYS, CANCEL_DAYS = 20, 3, 20, 10
STEP_DAYS, OBJECTION_DAYS, ESCALATION_DAYS = 3, 15, 3
NOTICED = (Type.FIRST, Type.CHANGE)
ENDS = (State.CANCELLED, State.REVOKED, State.EXPIRED)

Step = tuple[Type, State, State]


def _steps() -> frozenset[Step]:
    starts = (State.EVIDENCED, State.EXPIRED, State.CODED)
    found: set[Step] = {(Type.FIRST, start, State.APPLIED) for start in starts}
    for kind in (Type.CHANGE, Type.CORRECTION, Type.CANCELLATION, Type.RENEWAL):
        found.add((kind, State.CODED, State.APPLIED))
    for kind in (Type.FIRST, Type.CHANGE, Type.CORRECTION, Type.RENEWAL):
        way = [State.APPLIED, State.ACCEPTED, State.REVIEWED]
        way += [State.PUBLIC_NOTICE] if kind in NOTICED else []
        found |= {(kind, old, new) for old, new in zip(way, [*way[1:], State.CODED], strict=True)}
        found |= {(kind, old, end) for old in way for end in (State.EVIDENCED, State.REVOKED)}
    found |= {
        (Type.CANCELLATION, State.APPLIED, end)
        for end in (State.CANCELLED, State.EVIDENCED, State.REVOKED)
    }
    found |= {(Type.NONE, State.CODED, State.REVOKED), (Type.NONE, State.CODED, State.EXPIRED)}
    return frozenset(found)


STEPS = _steps()
"""Every step: what is applied for, state before, state after. First registration from CODED is
for a registration whose date has passed without anybody recording it."""


def years_after(day: date, years: int) -> date:
    """Return the same day some years later; 29 February becomes 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def validity_end(start_seconds: int) -> int:
    """Return the last second up to which a registration may be valid."""
    return end_of(years_after(day_of(start_seconds), VALIDITY_YEARS_MAX))


def code_text(code: bytes | None) -> str:
    """Return the text of a registration code as the chain keeps it; empty without one."""
    return (code or b"").rstrip(b"\0").decode("utf-8", "replace")


def state_now(state: int, valid_until: int, now_seconds: int) -> State:
    """Return the state that counts: a registration is over by its date, without a transaction."""
    is_over = state == State.CODED and now_seconds > valid_until
    return State.EXPIRED if is_over else State(state)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a dataset's registration stands; instants in Unix seconds."""

    state: State
    kind: Type
    procedure_state: State
    since: int
    evidenced_at: int
    valid_until: int
    open_objections: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """What somebody has to do next, not before and not after an instant."""

    what: str
    responsible: str
    due_at: int
    not_before: int = 0


def next_task(at: Standing, days: WorkingDays, notice_days: int, now_seconds: int) -> Task | None:
    """Return what is to be done next about a registration, None when nothing is."""
    if at.kind == Type.NONE:
        return _idle_task(at, days, now_seconds)
    since, registrar = at.since, "registrar"
    if at.procedure_state == State.APPLIED:
        is_end = at.kind == Type.CANCELLATION
        limit = CANCEL_DAYS if is_end else ACCEPT_DAYS
        return Task("cancel" if is_end else "accept", registrar, days.end_after(since, limit))
    if at.procedure_state == State.ACCEPTED:
        return Task("review", registrar, days.end_after(since, REVIEW_DAYS))
    if at.procedure_state == State.REVIEWED:
        what = "publish_notice" if at.kind in NOTICED else "code"
        return Task(what, registrar, days.end_after(since, STEP_DAYS))
    if at.open_objections:
        return Task("decide_objection", registrar, days.end_after(since, OBJECTION_DAYS))
    over = days.end_after(since, notice_days) if notice_days else since
    return Task("code", registrar, days.end_after(over, STEP_DAYS), over)


def _idle_task(at: Standing, days: WorkingDays, now_seconds: int) -> Task | None:
    if at.state == State.EVIDENCED:
        return Task("apply", "provider", days.end_after(at.evidenced_at, FILING_DAYS))
    if at.state != State.CODED:
        return None
    opens = at.valid_until - int(timedelta(days=RENEWAL_WINDOW_DAYS).total_seconds())
    return Task("renew", "provider", at.valid_until, opens) if now_seconds >= opens else None


def urgency(task: Task, days: WorkingDays, now_seconds: int) -> str:
    """Return waiting, due, overdue, or escalated."""
    if now_seconds < task.not_before:
        return "waiting"
    if now_seconds <= task.due_at:
        return "due"
    is_long = days.between(task.due_at, now_seconds) > ESCALATION_DAYS
    return "escalated" if is_long else "overdue"
