"""Independent recomputation: it shares no code with the service and must be able to disagree."""

from __future__ import annotations

from ledger.verification.findings import Finding, Progress, VerificationReport
from ledger.verification.reading import ChainRecord, read_chain, read_events
from ledger.verification.verifier import audit, audit_offline, verify

__all__ = [
    "ChainRecord",
    "Finding",
    "Progress",
    "VerificationReport",
    "audit",
    "audit_offline",
    "read_chain",
    "read_events",
    "verify",
]
