"""Who signed each transaction: an account of the organisation, with the role.

The signer is read from the transaction; what it might use, and who prepared the call, is replayed
from the directory's events. Shares no rule with the contracts: the table below is written anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from ledger.chain.events import Event
from ledger.domain.codes import JointAct, Role
from ledger.verification.directory import DirectoryReplay
from ledger.verification.findings import Findings

_ADMINISTRATION = 31
_OPERATING = (Role.OPERATOR, Role.PLATFORM)
_STATE = (Role.OPERATOR, Role.REGISTRAR)
_MAY: dict[str, tuple[int, ...]] = {
    "Directory.admit": (Role.REGISTRAR,),
    "Directory.grantRole": (Role.REGISTRAR,),
    "Directory.revokeRole": (Role.REGISTRAR,),
    "Directory.setStatus": (Role.REGISTRAR,),
    "Directory.addSigner": (_ADMINISTRATION,),
    "Directory.setSignerRoles": (_ADMINISTRATION,),
    "Directory.removeSigner": (_ADMINISTRATION,),
    "Directory.setJointActs": (_ADMINISTRATION,),
    "DatasetRegistry.register": (Role.PROVIDER,),
    "DatasetRegistry.addVersion": (Role.PROVIDER,),
    "DatasetRegistry.advance": (Role.PROVIDER, Role.REGISTRAR),
    "DatasetRegistry.classify": (Role.REGISTRAR,),
    "DatasetRegistry.inspect": (Role.REGISTRAR,),
    "DatasetRegistry.setSuspended": (Role.REGISTRAR,),
    "LicenceRegistry.listProduct": (Role.OPERATOR,),
    "LicenceRegistry.setProductState": _STATE,
    "LicenceRegistry.approveCaps": (Role.PRICE_AUTHORITY,),
    "LicenceRegistry.publishTariff": (Role.OPERATOR,),
    "LicenceRegistry.setLicenceState": (*_STATE, Role.BUYER),
    "UsageLog.openLog": _OPERATING,
    "UsageLog.anchor": _OPERATING,
    "RevenueLedger.approveScheme": (Role.PRICE_AUTHORITY,),
    "RevenueLedger.announceChange": (Role.PRICE_AUTHORITY,),
    "RevenueLedger.answerDeviation": (Role.PRICE_AUTHORITY,),
    "RevenueLedger.closeCycle": (Role.PRICE_AUTHORITY,),
    "RevenueLedger.accept": (Role.BUYER,),
    "RevenueLedger.setFrozen": (Role.HANDLER,),
} | {
    f"RevenueLedger.{name}": _OPERATING
    for name in (
        "issueInvoice",
        "recordPayment",
        "reduce",
        "split",
        "correct",
        "closeYear",
        "pourCarryIn",
        "openRemittance",
        "closeRemittance",
    )
}
"""Roles of which the signer must be given one. What is not here, anybody may call."""
_GOVERNED = frozenset({"admit", "grantRole", "revokeRole", "setStatus", "openCity", "defineKind"})
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
_JOINT |= {name: JointAct.ADMINISTRATION for name, may in _MAY.items() if _ADMINISTRATION in may}
_ACTORS = ("actor_id", "authority_id", "inspector_id", "handler_id", "keeper_id")


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


class CallerCheck:
    """Checks the caller of each transaction once, before its events are taken.

    Args:
        findings: where faults go.
        directory: the replayed directory.
        calls: signed calls by hash of the transaction.
    """

    def __init__(
        self, findings: Findings, directory: DirectoryReplay, calls: Mapping[str, Call]
    ) -> None:
        self._findings = findings
        self._directory = directory
        self._calls = calls
        self._last = ""

    def check(self, event: Event) -> None:
        """Check who signed the transaction of an event, and that the event names their own."""
        where = f"{event.contract} event {event.event_no} ({event.name})"
        call = self._calls.get(event.tx_hash)
        if call is None:
            self._findings.add("call_missing", where, None, event.tx_hash)
            return
        holder = self._directory.signers.get(call.signer)
        for name in _ACTORS:
            # Granting and releasing may be relayed by anybody; they name no actor.
            if name in event.args and call.name in _MAY:
                self._findings.same("actor_not_signer", where, holder, event.args[name])
        if event.tx_hash != self._last:
            self._last = event.tx_hash
            self._findings.count("signed calls")
            self._check_call(call, holder, where)

    def _check_call(self, call: Call, holder: UUID | None, where: str) -> None:
        may = _MAY.get(call.name)
        if may is None:
            return
        contract, _, function = call.name.partition(".")
        if holder is None:
            is_governance = contract == "Directory" and function in _GOVERNED
            self._findings.require(is_governance, "caller_unknown", where, call.signer)
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
