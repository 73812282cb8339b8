"""Applications: conditional use of datasets."""

from __future__ import annotations

from uuid import UUID

from ledger.chain.contracts.base import Contract
from ledger.chain.rpc_types import BlockId


class Applications(Contract):
    """Views of the applications."""

    name = "Applications"

    def is_required(self, dataset_id: UUID, *, block: BlockId) -> bool:
        """Return whether a dataset may be licensed only on an approved application."""
        return bool(self.view("isRequired", dataset_id, block=block))
