"""A case of the objection desk, the tables of its procedure, and the checks of its decision.

Source: domain report, section 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger.chain.events import Event
from ledger.domain.codes import Role
from ledger.domain.objections import Ground, ObjectionState, Outcome, ReliefRoute, SubjectKind
from ledger.domain.units import PPM_WHOLE
from ledger.verification.books import Books
from ledger.verification.directory import DirectoryReplay
from ledger.verification.findings import Findings
from ledger.verification.holds import Parties, Subject

S, G, D = ObjectionState, Ground, 24 * 3600
LIABILITY_FLOOR_PPM = 500_000
EVIDENCE_MAX, SHARES_MAX = 16, 8
URGENT = frozenset({G.MASKING, G.INFRINGEMENT})
RELIEF_SECONDS = {ReliefRoute.REVIEW: 60 * D, ReliefRoute.LITIGATION: 181 * D}
STEPS = frozenset(
    {
        (S.OPENED, S.ACCEPTED),
        (S.OPENED, S.REFUSED),
        (S.ACCEPTED, S.RESPONDED),
        (S.ACCEPTED, S.VERIFIED),
        (S.RESPONDED, S.VERIFIED),
        (S.NOTIFIED, S.EXECUTED),
        (S.NOTIFIED, S.CLOSED),
        (S.EXECUTED, S.CLOSED),
        *((state, S.WITHDRAWN) for state in (S.OPENED, S.ACCEPTED, S.RESPONDED, S.VERIFIED)),
    }
)
UNDECIDED = frozenset({S.OPENED, S.ACCEPTED, S.RESPONDED, S.VERIFIED})
DAYS = {S.OPENED: 3, S.ACCEPTED: 5, S.DECIDED: 3, S.NOTIFIED: 10, S.EXECUTED: 3}
DECIDE_DAYS, EXTENSION_DAYS, SUSPEND_DAYS = 15, 10, 1
_DATASET, _PRODUCT, _LICENCE, _INVOICE = SubjectKind
SUBJECTS = {
    G.MASKING: (_DATASET, _PRODUCT),
    G.INFRINGEMENT: (_DATASET, _PRODUCT, _LICENCE),
    G.BILLING: (_INVOICE,),
    G.OVER_SCOPE: (_LICENCE,),
    G.PLATFORM_FAULT: tuple(SubjectKind),
}
SUBJECTS_ELSE = (_DATASET, _PRODUCT, _INVOICE)


@dataclass(slots=True)
class Case:
    """A case as far as the events tell; clocks in Unix seconds, 0 where none runs."""

    objector_id: UUID
    respondent_id: UUID
    subject: Subject
    ground: Ground
    parties: Parties
    is_of_platform: bool
    due_at: int
    suspend_due_at: int
    state: ObjectionState = S.OPENED
    outcome: int = 0
    handler_id: UUID | None = None
    is_holding: bool = False
    is_hold_due: bool = False
    is_extended: bool = False
    escalations: int = 0
    decide_due_at: int = 0
    target_fen: int = 0

    @property
    def late_after(self) -> int:
        """When the case is late."""
        due_at = self.decide_due_at if self.state == S.ACCEPTED else self.due_at
        return min(due_at, self.suspend_due_at) if self.suspend_due_at else due_at

    @property
    def is_authoritys(self) -> bool:
        """Whether the authority of the city decides."""
        return self.is_of_platform or self.escalations > 0


class DecisionCheck:
    """Checks what was decided, and that it was executed."""

    def __init__(self, findings: Findings, directory: DirectoryReplay, books: Books) -> None:
        self._findings = findings
        self._directory = directory
        self._books = books
        self._left_fen: dict[UUID, int] = {}
        self._corrections: set[tuple[UUID, bytes]] = set()

    def remember(self, event: Event) -> None:
        """Remember a correction by its document."""
        if event.name in ("InvoiceReduced", "SplitCorrected"):
            key = (event.args["invoice_id"], event.args["document_digest"])
            self._corrections.add(key)

    def outcome(self, case: Case, where: str) -> None:
        """Check that an outcome fits its subject and the suspension."""
        is_invoice = case.subject[0] == SubjectKind.INVOICE
        of_invoices = (Outcome.REFUND, Outcome.RESUME, Outcome.DISMISS)
        fits = case.outcome in of_invoices if is_invoice else case.outcome != Outcome.REFUND
        self._findings.require(fits, "outcome_not_for_subject", where, case.outcome)
        needs_hold = case.outcome in (Outcome.RESUME, Outcome.REOPEN)
        self._findings.require(case.is_holding or not needs_hold, "not_holding", where)

    def shares(self, case: Case, shares: list[dict[str, Any]], actor_id: UUID, where: str) -> None:
        """Check the shares: whole, by the authority where a platform bears one, the floor."""
        ids = [share["organisation_id"] for share in shares]
        is_listed = ids == sorted(set(ids)) and len(ids) <= SHARES_MAX
        self._findings.require(is_listed, "share_order", where, ids, "ascending, each once")
        expected = 0 if case.outcome == Outcome.DISMISS else PPM_WHOLE
        total = sum(share["share_ppm"] for share in shares)
        self._findings.same("share_sum", where, total, expected)
        self._findings.require(actor_id not in ids, "handler_is_party", where, actor_id)
        has_role = self._directory.has_role_at_home
        platform = sum(
            share["share_ppm"]
            for share in shares
            if has_role(share["organisation_id"], Role.PLATFORM)
        )
        self._findings.require(case.is_authoritys or not platform, "not_authority", where, platform)
        if case.is_of_platform and expected:
            is_enough = platform >= LIABILITY_FLOOR_PPM
            self._findings.require(
                is_enough, "liability_below_floor", where, platform, LIABILITY_FLOOR_PPM
            )

    def refund(self, case: Case, refund_fen: int, where: str) -> None:
        """Check what shall be refunded, and keep what it leaves of the invoice."""
        if case.outcome != Outcome.REFUND:
            self._findings.same("refund_amount", where, refund_fen, 0)
            return
        invoice_id = case.subject[1]
        gross = self._books.invoices[invoice_id].gross_fen
        open_fen = min(gross, self._left_fen.get(invoice_id, gross))
        is_within = 0 < refund_fen <= open_fen
        self._findings.require(is_within, "refund_amount", where, refund_fen, open_fen)
        case.target_fen = self._left_fen[invoice_id] = open_fen - refund_fen

    def execution(self, case: Case, reference: bytes, where: str) -> None:
        """Check that a refund was made and that the reference names its correction."""
        if case.outcome != Outcome.REFUND:
            return
        invoice_id = case.subject[1]
        gross = self._books.invoices[invoice_id].gross_fen
        self._findings.require(
            gross <= case.target_fen, "refund_not_executed", where, gross, case.target_fen
        )
        is_known = (invoice_id, reference) in self._corrections
        self._findings.require(is_known, "correction_unknown", where, reference, "a correction's")
