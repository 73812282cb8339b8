"""Negotiations: offers in turn, by their digests."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ledger.chain.contracts.base import Contract, as_record
from ledger.chain.rpc_types import BlockId


@dataclass(frozen=True, slots=True)
class ThreadRecord:
    """A thread as the chain keeps it: one slot; `deadline` in Unix seconds."""

    commitment: bytes
    deadline: int
    offer_count: int
    state: int


class Negotiations(Contract):
    """Views of the negotiations."""

    name = "Negotiations"

    def thread(self, thread_id: UUID, *, block: BlockId) -> ThreadRecord:
        """Return a thread; all zero when there is none."""
        return as_record(ThreadRecord, self.view("thread", thread_id, block=block))
