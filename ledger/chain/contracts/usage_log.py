"""UsageLog: the anchored heads of the logs of use."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ledger.chain.contracts.base import Contract, as_record
from ledger.chain.rpc_types import BlockId


@dataclass(frozen=True, slots=True)
class Head:
    """A log's anchored head; `size` in receipts, `time_ms` in Unix milliseconds."""

    root: bytes
    size: int
    time_ms: int
    keeper_id: UUID


class UsageLog(Contract):
    """Views of the usage log."""

    name = "UsageLog"

    def head(self, log_no: int, *, block: BlockId) -> Head:
        """Return a log's last anchored head; refused when the log is unknown."""
        return as_record(Head, self.view("head", log_no, block=block))

    def require_proven(self, proof: bytes, *, block: BlockId) -> None:
        """Check a compact proof of a receipt against the anchored head.

        Raises:
            ChainRefusedError: the proof does not show its receipt to be in its log.
        """
        self.view("requireProven", proof, block=block)
