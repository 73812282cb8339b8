"""Procedures of registration, their clocks, objections and codes, followed event by event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from ledger.chain.events import Event
from ledger.domain.codes import RegistrationState as S
from ledger.domain.codes import RegistrationType as T
from ledger.domain.codes import Role
from ledger.domain.ids import ZERO_DIGEST
from ledger.verification.directory import DirectoryReplay
from ledger.verification.findings import Findings

_WAY = (S.APPLIED, S.ACCEPTED, S.REVIEWED, S.PUBLIC_NOTICE, S.CODED)
_SHORT = (S.APPLIED, S.ACCEPTED, S.REVIEWED, S.CODED)
_WAYS = {T.FIRST: _WAY, T.CHANGE: _WAY, T.CORRECTION: _SHORT, T.RENEWAL: _SHORT}
_WAYS[T.CANCELLATION] = (S.APPLIED, S.CANCELLED)
"""Source: 发改数据规〔2025〕26号."""
_CHINA = timedelta(hours=8)
_WINDOW_SECONDS = 60 * 86_400
_YEARS_MAX = 3


@dataclass(slots=True)
class Standing:
    """Where a dataset's registration stands."""

    provider_id: UUID
    city_code: int
    state: int = S.EVIDENCED
    valid_until: int = 0
    kind: int = T.NONE
    stage: int = S.EVIDENCED
    since: int = 0
    number: int = 0
    application: bytes = ZERO_DIGEST
    open_objections: int = 0
    awaits_code: int = T.NONE
    """The type whose code the next event has to tell."""

    @property
    def now(self) -> int:
        """The procedure's state, or the dataset's while nothing is applied for."""
        return self.stage if self.kind else self.state


@dataclass(slots=True)
class Objection:
    """An objection during public notice."""

    dataset_id: UUID
    objector_id: UUID
    number: int
    is_open: bool = True

    @property
    def place(self) -> tuple[UUID, int]:
        """The dataset, and the number of its procedure."""
        return self.dataset_id, self.number


Known = Callable[[Event, str], Any]


class Registrations:
    """Checks the events of registration; `known` gives a dataset with its standing."""

    def __init__(self, findings: Findings, directory: DirectoryReplay, known: Known) -> None:
        self.findings = findings
        self.directory = directory
        self.known = known
        self.codes: dict[bytes, UUID] = {}
        self.objections: dict[UUID, Objection] = {}

    def advanced(self, event: Event, where: str) -> None:
        """Check and take one step."""
        at: Standing | None = self.known(event, where)
        if at is None:
            return
        kind, old, new = (event.args[name] for name in ("kind", "from", "to"))
        self.findings.same("registration_state", where, old, int(at.now))
        if new == S.APPLIED:
            self._applied(event, at, where)
            return
        self.findings.same("registration_type", where, kind, int(at.kind))
        is_step = _is_step(kind, old, new)
        self.findings.require(is_step, "registration_step", where, [kind, old, new], "a step")
        self.require_registrar(event.args["actor_id"], at, where)
        if new == S.CODED:
            self._require_notice_over(event, at, where)
            at.awaits_code = kind
        if new == S.EXPIRED:
            time = event.block_time
            self.findings.require(
                time > at.valid_until, "expired_early", where, time, at.valid_until
            )
        if kind == T.FIRST or new >= S.CANCELLED:
            at.state = new
        if new == S.EVIDENCED or new >= S.CODED:
            at.kind = T.NONE
        at.stage, at.since = new, event.block_time

    def coded(self, event: Event, where: str) -> None:
        """Check and take a code."""
        at: Standing | None = self.known(event, where)
        if at is None:
            return
        args, time = event.args, event.block_time
        self.findings.same("code_unasked", where, args["kind"], int(at.awaits_code))
        self.findings.same("application_differs", where, args["application_digest"], at.application)
        code, dataset_id = args["registration_code"], args["dataset_id"]
        holder = self.codes.setdefault(code, dataset_id)
        is_own = holder == dataset_id and code != ZERO_DIGEST
        self.findings.require(is_own, "code_taken", where, code, holder)
        until, start = args["valid_until"], time if at.awaits_code == T.FIRST else at.valid_until
        if at.awaits_code in (T.CHANGE, T.CORRECTION):
            self.findings.same("validity", where, until, at.valid_until)
        else:
            limit = _years_later(start)
            is_right = start < until <= limit
            self.findings.require(is_right, "validity", where, until, [start, limit])
        at.valid_until, at.awaits_code = until, T.NONE

    def objected(self, event: Event, where: str) -> None:
        """Check and take an objection."""
        at: Standing | None = self.known(event, where)
        args = event.args
        for name in ("statement_digest", "evidence_digest"):
            self.findings.require(
                args[name] != ZERO_DIGEST, "field_missing", where, name, "a value"
            )
        is_new = args["objection_id"] not in self.objections
        self.findings.require(is_new, "objection_twice", where, args["objection_id"], "a new id")
        if at is None:
            return
        is_party = args["objector_id"] == at.provider_id
        self.findings.require(not is_party, "party_to_objection", where, args["objector_id"])
        is_in = bool(at.kind) and at.stage == S.PUBLIC_NOTICE
        self.findings.require(is_in, "objection_outside_notice", where, int(at.now), "notice")
        at.open_objections += 1
        self.objections[args["objection_id"]] = Objection(
            args["dataset_id"], args["objector_id"], at.number
        )

    def decided(self, event: Event, where: str) -> None:
        """Check and take the decision on an objection."""
        at: Standing | None = self.known(event, where)
        found = self.objections.get(event.args["objection_id"])
        place = (event.args["dataset_id"], at.number if at else 0)
        if found is None or at is None or not found.is_open or found.place != place:
            objection_id = event.args["objection_id"]
            self.findings.add("objection_not_open", where, objection_id, "an open one")
            return
        self.require_registrar(event.args["registrar_id"], at, where)
        is_party = event.args["registrar_id"] == found.objector_id
        self.findings.require(not is_party, "party_to_objection", where, found.objector_id)
        found.is_open = False
        at.open_objections -= 1

    def require_registrar(self, actor_id: UUID, at: Standing, where: str) -> None:
        """Record a finding unless a registrar of the dataset's city acts on another's dataset."""
        self.directory.require_role(actor_id, Role.REGISTRAR, at.city_code, where)
        self.findings.require(
            actor_id != at.provider_id, "registrar_is_applicant", where, actor_id, "another one"
        )

    def _applied(self, event: Event, at: Standing, where: str) -> None:
        kind, time = event.args["kind"], event.block_time
        self.findings.require(not at.kind, "procedure_open", where, kind, int(at.kind))
        self.findings.same("actor_not_provider", where, event.args["actor_id"], at.provider_id)
        is_live = at.state == S.CODED and time <= at.valid_until
        is_over = at.state == S.CODED and time > at.valid_until
        fits = is_live if kind != T.FIRST else is_over or at.state in (S.EVIDENCED, S.EXPIRED)
        self.findings.require(
            fits and kind in _WAYS, "registration_step", where, [kind, int(at.state)], "applicable"
        )
        if kind == T.RENEWAL:
            opens = at.valid_until - _WINDOW_SECONDS
            self.findings.require(time >= opens, "renewal_early", where, time, opens)
        at.kind, at.stage, at.since = kind, S.APPLIED, time
        at.number, at.open_objections = at.number + 1, 0
        at.application = event.args["decision_digest"]
        if kind == T.FIRST:
            at.state = S.APPLIED

    def _require_notice_over(self, event: Event, at: Standing, where: str) -> None:
        if at.stage != S.PUBLIC_NOTICE:
            return
        self.findings.same("objection_open", where, at.open_objections, 0)
        until, time = self.directory.notice_until(at.since), event.block_time
        self.findings.require(time > until, "notice_running", where, time, until)


def _is_step(kind: int, old: int, new: int) -> bool:
    """Return whether a registrar may go from one state to the other."""
    if new == S.REVOKED:
        return S.APPLIED <= old <= S.CODED
    if kind == T.NONE:
        return (old, new) == (S.CODED, S.EXPIRED)
    if new == S.EVIDENCED:
        return S.APPLIED <= old <= S.PUBLIC_NOTICE
    way = _WAYS.get(T(kind), ())
    return any((old, new) == step for step in pairwise(way))


def _years_later(start: int) -> int:
    day = (datetime.fromtimestamp(start, UTC) + _CHINA).replace(hour=0, minute=0, second=0)
    if (day.month, day.day) == (2, 29):
        day += timedelta(days=1)
    after = day.replace(year=day.year + _YEARS_MAX) + timedelta(days=1)
    return int((after - _CHINA).timestamp()) - 1
