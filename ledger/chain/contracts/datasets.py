"""DatasetRegistry: datasets and where a content was registered."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ledger.chain.contracts.base import Contract, as_record
from ledger.chain.rpc_types import BlockId


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """A dataset as the chain keeps it; `evidenced_at` in Unix seconds."""

    provider_id: UUID
    city_code: int
    state: int
    open_class: int
    sensitivity: int
    update_frequency: int
    grade: int
    delivery_modes: int
    contains_personal_information: bool
    has_masking_report: bool
    is_shared_in: bool
    has_source_consent: bool
    is_suspended: bool
    latest_version_no: int
    evidenced_at: int
    valid_until: int


@dataclass(frozen=True, slots=True)
class VersionRef:
    """Where a content digest was registered; `registered_at` in Unix seconds."""

    dataset_id: UUID
    version_no: int
    registered_at: int


class DatasetRegistry(Contract):
    """Views of the dataset registry."""

    name = "DatasetRegistry"

    def dataset(self, dataset_id: UUID, *, block: BlockId) -> DatasetRecord:
        """Return a dataset; refused when unknown."""
        return as_record(DatasetRecord, self.view("dataset", dataset_id, block=block))

    def version_of(self, sha256_digest: bytes, *, block: BlockId) -> VersionRef | None:
        """Return where a content was registered, None when it was not."""
        found = as_record(VersionRef, self.view("versionOf", sha256_digest, block=block))
        return found if found.version_no else None

    def require_sellable(self, dataset_ids: list[UUID], modes: int, *, block: BlockId) -> None:
        """Refuse with the first reason why one of the datasets may not be sold."""
        self.chain.call(
            self.address, self.encode("requireSellable", dataset_ids, modes), block=block
        )
