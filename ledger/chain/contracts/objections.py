"""ObjectionDesk: objections and what they hold."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ledger.chain.contracts.base import Contract, as_record
from ledger.chain.rpc_types import BlockId


@dataclass(frozen=True, slots=True)
class ObjectionRecord:
    """An objection as the chain keeps it; times in Unix seconds, 0 where none runs."""

    objector_id: UUID
    respondent_id: UUID
    subject_id: UUID
    handler_id: UUID
    city_code: int
    subject_kind: int
    ground: int
    state: int
    outcome: int
    is_of_platform: bool
    is_holding: bool
    is_extended: bool
    escalation_count: int
    suspend_due_at: int
    due_at: int
    decide_due_at: int
    target_fen: int


class ObjectionDesk(Contract):
    """Views of the objection desk."""

    name = "ObjectionDesk"

    def objection(self, objection_id: UUID, *, block: BlockId) -> ObjectionRecord:
        """Return an objection; refused when unknown."""
        return as_record(ObjectionRecord, self.view("objection", objection_id, block=block))
