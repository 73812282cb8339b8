"""That one state of a log begins a later one, as one JSON document.

The later state in turn begins the one whose checkpoint is signed (`to_checkpoint`, empty when it
is the same), so that both roots are vouched for.
"""

from __future__ import annotations

from typing import Any

from ledger.codec.checkpoints import CheckpointBody
from ledger.codec.merkle import verify_consistency
from ledger.codec.proof_files import PATH_MAX
from ledger.domain.errors import LedgerError
from ledger.domain.ids import digest, digest_text
from ledger.log.errors import LogRangeError
from ledger.log.proof_documents import (
    LogDocument,
    findings_of,
    hashes_member,
    root_at,
    signed_at_least,
    size_member,
)
from ledger.log.reader import LogReader

CONSISTENCY_FORMAT = "mdl-log-consistency-1"
_MEMBERS = (
    "format",
    "origin",
    "log_no",
    "old_size",
    "old_root",
    "new_size",
    "new_root",
    "consistency",
    "to_checkpoint",
    "checkpoint",
)


def make_consistency(reader: LogReader, old_size: int, new_size: int) -> dict[str, Any]:
    """Return the proof that the first `old_size` receipts begin the first `new_size`.

    Raises:
        LogUnsignedError: when no checkpoint covers the new size.
        LogRangeError: unless 0 ≤ old_size ≤ new_size.
        InvalidProofError: when the log's own files do not lead to the signed root.
    """
    checkpoint = signed_at_least(reader, new_size)
    if not 0 <= old_size <= new_size:
        raise LogRangeError(
            f"size {old_size} is not within {new_size}",
            field="old_size",
            got=old_size,
            expected=new_size,
        )
    old_root, new_root = root_at(reader, old_size), root_at(reader, new_size)
    consistency = reader.consistency_proof(old_size, new_size)
    to_checkpoint = reader.consistency_proof(new_size, checkpoint.size)
    verify_consistency(old_size, new_size, old_root, new_root, consistency)
    verify_consistency(new_size, checkpoint.size, new_root, checkpoint.root, to_checkpoint)
    return {
        "format": CONSISTENCY_FORMAT,
        "origin": reader.origin,
        "log_no": reader.log_no,
        "old_size": old_size,
        "old_root": digest_text(old_root),
        "new_size": new_size,
        "new_root": digest_text(new_root),
        "consistency": [digest_text(item) for item in consistency],
        "to_checkpoint": [digest_text(item) for item in to_checkpoint],
        "checkpoint": checkpoint.note,
    }


def check_consistency(document: dict[str, Any], vkey: str) -> list[LedgerError]:
    """Return what is wrong with a proof of consistency; empty when it holds.

    Args:
        document: what `make_consistency` returned, after any JSON round trip.
        vkey: the log's verifier key, from a source that one trusts.
    """
    try:
        proof = _Consistency(document)
    except LedgerError as error:
        return [error]
    checks = (proof.check_identity, proof.check_extension, proof.check_checkpoint)
    return findings_of(proof.checkpoint, vkey, checks)


class _Consistency(LogDocument):
    """The document, its forms checked."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(document, CONSISTENCY_FORMAT, _MEMBERS)
        self.old_size = size_member(document, "old_size")
        self.new_size = size_member(document, "new_size")
        self.old_root = digest(document["old_root"], "old_root")
        self.new_root = digest(document["new_root"], "new_root")
        self.consistency = hashes_member(document, "consistency", PATH_MAX)
        self.to_checkpoint = hashes_member(document, "to_checkpoint", PATH_MAX)

    def check_extension(self, body: CheckpointBody) -> None:
        verify_consistency(
            self.old_size, self.new_size, self.old_root, self.new_root, self.consistency
        )

    def check_checkpoint(self, body: CheckpointBody) -> None:
        verify_consistency(self.new_size, body.size, self.new_root, body.root, self.to_checkpoint)
