"""Applications: conditional use of datasets."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from ledger.chain.contracts.base import Contract
from ledger.chain.rpc_types import BlockId


class Applications(Contract):
    """Views of the applications."""

    name = "Applications"

    def is_required(self, dataset_id: UUID, *, block: BlockId) -> bool:
        """Return whether a dataset may be licensed only on an approved application."""
        return bool(self.view("isRequired", dataset_id, block=block))

    def require_approved(
        self,
        dataset_ids: Sequence[UUID],
        applicant_id: UUID,
        purpose: int,
        modes: int,
        valid_until: int,
        *,
        block: BlockId,
    ) -> None:
        """Ask whether the use of datasets is approved where it must be; `modes` is a bitmap.

        Raises:
            ChainRefusedError: it is not, or not until `valid_until` (Unix seconds, exclusive).
        """
        use = (applicant_id, purpose, modes, valid_until)
        self.view("requireApproved", list(dataset_ids), *use, block=block)
