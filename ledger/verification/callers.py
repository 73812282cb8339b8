"""Who signed each transaction: an account of the organisation, with the role.

The signer is read from the transaction; what it might use, and who prepared the call, is replayed
from the directory's events. Shares no rule with the contracts: the table below is written anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from ledger.chain.events import Event
from ledger.domain.codes import JointAct, Role
from ledger.verification.directory import DirectoryReplay
from ledger.verification.findings import Findings

_ADMINISTRATION = 31
_ANYBODY: tuple[int, ...] = ()
_GOVERNANCE = (32,)
"""A role that no account is given: governance acts by accounts that sign for no organisation."""
_DESK = (33,)
"""Nobody signs for what only the objection desk calls."""
_ANY_ROLE = tuple(Role)
_OPERATING = (Role.OPERATOR, Role.PLATFORM)
_STATE = (Role.OPERATOR, Role.REGISTRAR)
_PARTY = (Role.OPERATOR, Role.BUYER)
_HANDLING = (Role.HANDLER, Role.REGISTRAR)
_BY_ROLE: dict[tuple[int, ...], tuple[str, ...]] = {
    _ANYBODY: (
        "Directory.prepareWork",
        "LicenceRegistry.grantLicence",
        "LicenceRegistry.supplement",
        "LicenceRegistry.bindLedger",
        "Negotiations.finalize",
        "RevenueLedger.enactChange",
        "RevenueLedger.release",
    ),
    _GOVERNANCE: (
        "Directory.openCity",
        "Directory.defineKind",
        "Directory.setWorkingDays",
        "Directory.setNoticeDays",
        "Directory.appointDesk",
        "Directory.setAuthority",
    ),
    (_ADMINISTRATION,): (
        "Directory.addSigner",
        "Directory.setSignerRoles",
        "Directory.removeSigner",
        "Directory.setJointActs",
    ),
    _ANY_ROLE: (
        "DatasetRegistry.objectToNotice",
        "ObjectionDesk.open",
        "ObjectionDesk.escalate",
        "ObjectionDesk.advance",
    ),
    _HANDLING: (
        "ObjectionDesk.suspend",
        "ObjectionDesk.extend",
        "ObjectionDesk.decide",
        "ObjectionDesk.notify",
    ),
    (Role.REGISTRAR,): (
        "Directory.admit",
        "Directory.grantRole",
        "Directory.revokeRole",
        "Directory.setStatus",
        "Directory.endAffiliation",
        "DatasetRegistry.classify",
        "DatasetRegistry.code",
        "DatasetRegistry.inspect",
        "DatasetRegistry.decideNoticeObjection",
        "DatasetRegistry.publishPolicy",
        "DatasetRegistry.anchorDuties",
        "DatasetRegistry.setSuspended",
    ),
    (Role.REGISTRAR, _ADMINISTRATION): ("Directory.declareAffiliates",),
    (Role.PROVIDER,): (
        "DatasetRegistry.register",
        "DatasetRegistry.addVersion",
        "DatasetRegistry.applyFor",
        "DatasetRegistry.recordMasking",
        "Applications.setRequired",
        "Applications.decide",
    ),
    (Role.PROVIDER, Role.REGISTRAR): ("DatasetRegistry.advance",),
    (Role.OPERATOR,): (
        "LicenceRegistry.listProduct",
        "LicenceRegistry.publishTariff",
        "Negotiations.agree",
    ),
    (Role.DEVELOPER,): ("LicenceRegistry.listDerived", "RevenueLedger.openMarket"),
    (Role.BUYER,): (
        "Applications.submit",
        "Applications.withdraw",
        "Negotiations.accept",
        "RevenueLedger.accept",
    ),
    (Role.TREASURY,): ("Directory.setTreasuryRule",),
    _PARTY: ("Negotiations.offer", "Negotiations.terminate"),
    _STATE: ("LicenceRegistry.setProductState",),
    (*_STATE, Role.BUYER): ("LicenceRegistry.setLicenceState",),
    (Role.PRICE_AUTHORITY,): (
        "LicenceRegistry.approveCaps",
        "RevenueLedger.approveScheme",
        "RevenueLedger.announceChange",
        "RevenueLedger.answerDeviation",
        "RevenueLedger.closeCycle",
    ),
    _OPERATING: (
        "UsageLog.openLog",
        "UsageLog.anchor",
        "RevenueLedger.issueInvoice",
        "RevenueLedger.recordPayment",
        "RevenueLedger.reduce",
        "RevenueLedger.split",
        "RevenueLedger.correct",
        "RevenueLedger.correctOutcome",
        "RevenueLedger.shareOutcome",
        "RevenueLedger.closeYear",
        "RevenueLedger.pourCarryIn",
        "RevenueLedger.openRemittance",
        "RevenueLedger.closeRemittance",
    ),
    _DESK: ("RevenueLedger.setFrozen",),
}
MAY = {name: roles for roles, names in _BY_ROLE.items() for name in names}
"""Roles of which the signer must be given one, by function; none where anybody may call."""
_GOVERNED = frozenset(
    {
        "Directory.admit",
        "Directory.grantRole",
        "Directory.revokeRole",
        "Directory.setStatus",
        "DatasetRegistry.publishPolicy",
        *_BY_ROLE[_GOVERNANCE],
    }
)
_JOINT = dict.fromkeys(
    (
        "LicenceRegistry.approveCaps",
        "RevenueLedger.approveScheme",
        "RevenueLedger.announceChange",
        "RevenueLedger.answerDeviation",
        "RevenueLedger.closeCycle",
    ),
    JointAct.PRICE_APPROVAL,
) | {"RevenueLedger.closeRemittance": JointAct.REMITTANCE_CLOSING}
_JOINT |= dict.fromkeys(_BY_ROLE[_ADMINISTRATION,], JointAct.ADMINISTRATION)
_ACTORS = (
    "actor_id",
    "applicant_id",
    "authority_id",
    "inspector_id",
    "keeper_id",
    "objector_id",
    "registrar_id",
)


class Call(Protocol):
    """A transaction as it was signed."""

    @property
    def signer(self) -> str:
        """The account."""

    @property
    def name(self) -> str:
        """Contract and function, with a point between."""

    @property
    def work_digest(self) -> bytes:
        """SHA-256 of the contract's address and the calldata."""

    @property
    def log_end(self) -> int:
        """Index before which its events lie, after those of the calls before it."""


class CallerCheck:
    """Checks the caller of each signed call once, before its events are taken.

    Args:
        findings: where faults go.
        directory: the replayed directory.
        calls: signed calls by hash of the transaction, in their order.
    """

    def __init__(
        self, findings: Findings, directory: DirectoryReplay, calls: Mapping[str, Sequence[Call]]
    ) -> None:
        self._findings = findings
        self._directory = directory
        self._calls = calls
        self._last: Call | None = None

    def check(self, event: Event) -> None:
        """Check who signed the call that made an event, and that the event names their own."""
        where = f"{event.contract} event {event.event_no} ({event.name})"
        calls = self._calls.get(event.tx_hash, ())
        call = next((call for call in calls if event.log_index < call.log_end), None)
        if call is None:
            self._findings.add("call_missing", where, None, event.tx_hash)
            return
        holder = self._directory.signers.get(call.signer)
        is_by_desk = call.name.startswith("ObjectionDesk.") and event.contract != "ObjectionDesk"
        for name in _ACTORS:
            # Granting and releasing may be relayed by anybody; they name no actor. Nor does what
            # the objection desk does to others.
            if name in event.args and MAY.get(call.name) and not is_by_desk:
                self._findings.same("actor_not_signer", where, holder, event.args[name])
        if call is not self._last:
            self._last = call
            self._findings.count("signed calls")
            self._check_call(call, holder, where)

    def _check_call(self, call: Call, holder: UUID | None, where: str) -> None:
        may = MAY.get(call.name)
        if may is None:
            self._findings.add("call_unknown", where, call.name, "a function of the market")
            return
        if not may:
            return
        if holder is None:
            is_governed = call.name in _GOVERNED
            self._findings.require(is_governed, "caller_unknown", where, call.signer)
            return
        organisation = self._directory.organisations[holder]
        roles = organisation.signers.get(call.signer, 0)
        self._findings.require(
            any(roles >> role & 1 for role in may), "caller_role", where, roles, list(may)
        )
        act = _JOINT.get(call.name)
        if act is not None and organisation.joint_acts >> act & 1:
            preparer = self._directory.prepared.get((holder, call.work_digest))
            is_other = preparer not in (None, call.signer)
            is_colleague = preparer in organisation.signers
            self._findings.require(
                is_other and is_colleague, "second_caller_missing", where, preparer, "another"
            )
