"""Objections, replayed from the desk's events: every step, clock, handler, share and execution.

Source: domain report, section 5; 上海市数据条例 arts. 35 and 75.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ledger.chain.events import Event
from ledger.domain.codes import OrganisationStatus, Role
from ledger.domain.ids import ZERO_DIGEST
from ledger.domain.objections import Ground, ObjectionState, Outcome, SubjectKind
from ledger.verification.books import Books
from ledger.verification.directory import DirectoryReplay
from ledger.verification.findings import Findings
from ledger.verification.holds import Holds, Parties
from ledger.verification.objection_rules import (
    DAYS,
    DECIDE_DAYS,
    EVIDENCE_MAX,
    EXTENSION_DAYS,
    RELIEF_SECONDS,
    STEPS,
    SUBJECTS,
    SUBJECTS_ELSE,
    SUSPEND_DAYS,
    UNDECIDED,
    URGENT,
    Case,
    DecisionCheck,
)
from ledger.verification.replay import Replay
from ledger.verification.working_days import last_second

S, G = ObjectionState, Ground


class ObjectionsReplay(Replay):
    """The state of the objection desk, and what is wrong with how it came about."""

    def __init__(
        self, findings: Findings, directory: DirectoryReplay, books: Books, holds: Holds
    ) -> None:
        super().__init__(findings)
        self.directory = directory
        self.holds = holds
        self.cases: dict[UUID, Case] = {}
        self._decision = DecisionCheck(findings, directory, books)
        self._facts: set[tuple[Any, ...]] = set()
        self._escalation_no = 0
        self.handlers = {
            "ObjectionOpened": self._opened,
            "ObjectionAdvanced": self._advanced,
            "ObjectionHoldSet": self._hold_set,
            "ObjectionExtended": self._extended,
            "ObjectionEscalated": self._escalated,
            "ObjectionDecided": self._decided,
            "ReliefNoticed": self._noticed,
        }

    def before(self, event: Event) -> None:
        """Check any event of the market against what the cases hold, and remember corrections."""
        self.holds.before(event)
        self._decision.remember(event)

    def _opened(self, event: Event, where: str) -> None:
        args, claim = event.args, event.args["claim"]
        self.findings.count("objections")
        objection_id, objector_id = args["objection_id"], args["objector_id"]
        is_new = objection_id not in self.cases
        if not self.findings.require(is_new, "objection_twice", where, objection_id, "a new id"):
            return
        self.findings.same("objection_id", where, claim["objection_id"], objection_id)
        found = self.directory.organisations.get(objector_id)
        is_active = found is not None and found.status == OrganisationStatus.ACTIVE
        self.findings.require(is_active, "objector_unknown", where, objector_id, "an active one")
        subject = (claim["subject_kind"], claim["subject_id"])
        parties = self.holds.parties_of(subject)
        if parties is None:
            self.findings.add("subject_unknown", where, subject, "a known one")
            return
        self.findings.same("objection_city", where, args["city_code"], parties.city_code)
        self._check_claim(claim, args, where)
        is_of_platform = self._route(claim, parties, objector_id, where)
        self.findings.same("objection_route", where, args["is_of_platform"], is_of_platform)
        case = Case(
            objector_id=objector_id,
            respondent_id=claim["respondent_id"],
            subject=subject,
            ground=Ground(claim["ground"]),
            parties=parties,
            is_of_platform=is_of_platform,
            due_at=args["due_at"],
            suspend_due_at=args["suspend_due_at"],
        )
        self._check_once(case, claim["fact_digest"], where)
        self.cases[objection_id] = case
        self._check_opening_clock(case, event, where)

    def _check_claim(self, claim: dict[str, Any], args: dict[str, Any], where: str) -> None:
        kinds = SUBJECTS.get(Ground(claim["ground"]), SUBJECTS_ELSE)
        kind = claim["subject_kind"]
        self.findings.require(kind in kinds, "objection_ground", where, kind, list(kinds))
        count = len(args["evidence_digests"])
        self.findings.require(
            1 <= count <= EVIDENCE_MAX, "evidence_count", where, count, EVIDENCE_MAX
        )
        for name in ("fact_digest", "statement_digest"):
            self.findings.require(claim[name] != ZERO_DIGEST, "document_missing", where, name)

    def _route(self, claim: dict[str, Any], parties: Parties, objector: UUID, where: str) -> bool:
        respondent, ground = claim["respondent_id"], claim["ground"]
        is_party = respondent in parties.ids
        is_platform = self.directory.has_role_at_home(respondent, Role.PLATFORM)
        must_be_platform = ground == G.PLATFORM_FAULT or not is_party
        self.findings.require(
            is_platform if must_be_platform else is_party, "respondent", where, respondent
        )
        self.findings.require(respondent != objector, "self_objection", where, objector)
        return bool(ground == G.PLATFORM_FAULT or (ground == G.BILLING and not is_party))

    def _check_once(self, case: Case, fact_digest: bytes, where: str) -> None:
        key = (case.objector_id, case.subject, case.ground)
        is_new = (*key, fact_digest) not in self._facts
        self.findings.require(is_new, "fact_twice", where, fact_digest, "a new fact")
        self._facts.add((*key, fact_digest))
        is_open = any(
            (other.objector_id, other.subject, other.ground) == key and other.state < S.CLOSED
            for other in self.cases.values()
        )
        self.findings.require(not is_open, "case_open", where, str(case.subject), "no open case")

    def _check_opening_clock(self, case: Case, event: Event, where: str) -> None:
        now = event.block_time
        is_urgent = case.ground in URGENT and not case.is_holding
        suspend = self._after(now, SUSPEND_DAYS) if is_urgent else 0
        expected = [self._after(now, DAYS[S.OPENED]), suspend]
        got = [event.args["due_at"], event.args["suspend_due_at"]]
        self.findings.same("objection_clock", where, got, expected)

    def _advanced(self, event: Event, where: str) -> None:
        case = self._case(event, where)
        if case is None:
            return
        args, now = event.args, event.block_time
        old, new = ObjectionState(args["from"]), ObjectionState(args["to"])
        self.findings.same("objection_state", where, int(old), int(case.state))
        self._check_step(case, old, new, now, where)
        self._check_actor(case, new, args["actor_id"], where)
        if new in (S.ACCEPTED, S.REFUSED, S.RESPONDED, S.VERIFIED):
            limit = case.decide_due_at if new == S.VERIFIED else case.due_at
            self.findings.require(now <= limit, "clock_expired", where, now, limit)
        self._require_document(args, where)
        case.state = new
        if new == S.ACCEPTED:
            case.decide_due_at = self._after(now, DECIDE_DAYS)
            case.is_hold_due = case.ground in URGENT and not case.is_holding
        case.is_hold_due |= case.is_holding and self._lifts(case)
        if new == S.EXECUTED:
            self._decision.execution(case, args["document_digest"], where)
        self._take_clock(case, event, where)
        decide = args["decide_due_at"]
        self.findings.same("objection_clock", where, decide, case.decide_due_at)

    def _check_step(
        self, case: Case, old: ObjectionState, new: ObjectionState, now: int, where: str
    ) -> None:
        is_step = (old, new) in STEPS
        if old == S.NOTIFIED:
            is_step = is_step and (case.outcome == Outcome.DISMISS) == (new == S.CLOSED)
        self.findings.require(is_step, "objection_step", where, [old, new], "a step of the table")
        if (old, new) == (S.ACCEPTED, S.VERIFIED):
            self.findings.require(now > case.due_at, "response_awaited", where, now, case.due_at)

    @staticmethod
    def _lifts(case: Case) -> bool:
        is_executed = case.state == S.EXECUTED and case.outcome != Outcome.WITHDRAW
        return case.state in (S.REFUSED, S.WITHDRAWN) or is_executed

    def _check_actor(self, case: Case, new: ObjectionState, actor_id: UUID, where: str) -> None:
        if new == S.RESPONDED:
            self.findings.same("not_respondent", where, actor_id, case.respondent_id)
        elif new == S.WITHDRAWN:
            self.findings.same("not_objector", where, actor_id, case.objector_id)
        else:
            self._check_handler(case, actor_id, where)

    def _check_handler(self, case: Case, actor_id: UUID, where: str) -> None:
        """Check that the actor is competent, no party, and the one that took the case."""
        role = Role.REGISTRAR if case.is_authoritys else Role.HANDLER
        self.directory.require_role(actor_id, role, case.parties.city_code, where)
        if case.handler_id is not None:
            self.findings.same("not_handler", where, actor_id, case.handler_id)
            return
        parties = {case.objector_id, case.respondent_id, *case.parties.ids}
        is_party = actor_id in parties
        if case.subject[0] != SubjectKind.DATASET:
            city_code = case.parties.city_code
            is_party |= self.directory.has_role(actor_id, Role.PROVIDER, city_code)
        if case.is_of_platform:
            is_party |= self.directory.has_role_at_home(actor_id, Role.PLATFORM)
        self.findings.require(not is_party, "handler_is_party", where, actor_id, "no party")
        case.handler_id = actor_id

    def _hold_set(self, event: Event, where: str) -> None:
        case = self._case(event, where, takes_hold=True)
        if case is None:
            return
        is_holding, actor_id = event.args["is_holding"], event.args["actor_id"]
        self.findings.require(is_holding != case.is_holding, "hold_twice", where, is_holding)
        if case.state != S.WITHDRAWN:
            self._check_handler(case, actor_id, where)
        is_asked = is_holding and case.state in UNDECIDED
        self.findings.require(
            is_asked or case.is_hold_due, "hold_without_reason", where, case.state.name.lower()
        )
        case.is_hold_due, case.is_holding, case.suspend_due_at = False, is_holding, 0
        self._require_document(event.args, where)
        (self.holds.hold if is_holding else self.holds.lift)(event, case.subject)
        if case.state == S.DECIDED and case.outcome == Outcome.WITHDRAW:
            self.holds.end(event, case.subject)

    def _extended(self, event: Event, where: str) -> None:
        case = self._case(event, where)
        if case is None:
            return
        is_running = case.state in UNDECIDED and case.state != S.OPENED
        self.findings.require(is_running, "objection_state", where, case.state.name.lower())
        self._check_handler(case, event.args["actor_id"], where)
        self.findings.require(not case.is_extended, "extended_twice", where)
        now = event.block_time
        is_in_time = now <= case.decide_due_at
        self.findings.require(is_in_time, "clock_expired", where, now, case.decide_due_at)
        case.is_extended = True
        case.decide_due_at = self._after(case.decide_due_at, EXTENSION_DAYS)
        got = event.args["decide_due_at"]
        self.findings.same("objection_clock", where, got, case.decide_due_at)
        if case.state != S.ACCEPTED:
            case.due_at = case.decide_due_at

    def _escalated(self, event: Event, where: str) -> None:
        case = self._case(event, where)
        if case is None:
            return
        now = event.block_time
        self.findings.require(case.state < S.CLOSED, "objection_state", where, int(case.state))
        self.findings.require(now > case.late_after, "not_late", where, now, case.late_after)
        self._escalation_no += 1
        number = event.args["escalation_no"]
        self.findings.same("escalation_no", where, number, self._escalation_no)
        case.handler_id, case.escalations = None, case.escalations + 1
        if case.state in UNDECIDED and case.state != S.OPENED:
            case.decide_due_at = self._after(now, DECIDE_DAYS)
        decide = event.args["decide_due_at"]
        self.findings.same("objection_clock", where, decide, case.decide_due_at)
        if case.state == S.OPENED:
            case.suspend_due_at = event.args["suspend_due_at"]
            case.due_at = event.args["due_at"]
            self._check_opening_clock(case, event, where)
        elif case.state != S.ACCEPTED:
            self._take_clock(case, event, where)

    def _decided(self, event: Event, where: str) -> None:
        case = self._case(event, where)
        if case is None:
            return
        args, now = event.args, event.block_time
        self.findings.same("objection_state", where, int(case.state), int(S.VERIFIED))
        self._check_handler(case, args["actor_id"], where)
        is_in_time = now <= case.decide_due_at
        self.findings.require(is_in_time, "clock_expired", where, now, case.decide_due_at)
        self._require_document(args, where)
        case.state, case.outcome = S.DECIDED, args["outcome"]
        self._decision.outcome(case, where)
        self._decision.shares(case, args["shares"], args["actor_id"], where)
        self._decision.refund(case, args["refund_fen"], where)
        lifts = case.outcome in (Outcome.RESUME, Outcome.DISMISS) and case.is_holding
        case.is_hold_due = lifts or (case.outcome == Outcome.WITHDRAW and not case.is_holding)
        if case.outcome == Outcome.WITHDRAW and case.is_holding:
            self.holds.end(event, case.subject)
        self._take_clock(case, event, where)

    def _noticed(self, event: Event, where: str) -> None:
        case = self._case(event, where)
        if case is None:
            return
        self.findings.same("objection_state", where, int(case.state), int(S.DECIDED))
        self._check_handler(case, event.args["actor_id"], where)
        least = event.block_time + RELIEF_SECONDS.get(event.args["route"], 1)
        limit = event.args["limit_at"]
        self.findings.require(limit >= least, "relief_limit", where, limit, least)
        case.state = S.NOTIFIED
        self._take_clock(case, event, where)

    def _take_clock(self, case: Case, event: Event, where: str) -> None:
        """Check when the next step is due, and take it."""
        if case.state in DAYS:
            expected = self._after(event.block_time, DAYS[case.state])
        else:
            expected = case.decide_due_at if case.state in UNDECIDED else 0
        self.findings.same("objection_clock", where, event.args["due_at"], expected)
        case.due_at = event.args["due_at"]

    def _after(self, start_seconds: int, count: int) -> int:
        return last_second(self.directory.working_days, start_seconds, count)

    def _require_document(self, args: dict[str, Any], where: str) -> None:
        is_given = args["document_digest"] != ZERO_DIGEST
        self.findings.require(is_given, "document_missing", where, ZERO_DIGEST, "a digest")

    def _case(self, event: Event, where: str, *, takes_hold: bool = False) -> Case | None:
        """Return the case of an event; what a step owed must have come before any other."""
        found = self.cases.get(event.args["objection_id"])
        if found is None:
            self.findings.add("objection_unknown", where, event.args["objection_id"], "an open one")
        elif found.is_hold_due and not takes_hold:
            self.findings.add("hold_missing", where, found.state.name.lower(), "a hold set before")
            found.is_hold_due = False
        return found
