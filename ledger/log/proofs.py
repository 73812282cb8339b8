"""A proof as one JSON document that needs nothing but the log's verifier key.

It shows that a receipt is at an index of the tree of `size` receipts, and that this tree begins
the one whose checkpoint is signed (`consistency`, empty when it is the same).
"""

from __future__ import annotations

from typing import Any

from ledger.codec.checkpoints import CheckpointBody
from ledger.codec.merkle import leaf_hash, root_of_inclusion, verify_consistency, verify_inclusion
from ledger.codec.proof_files import PATH_MAX, CompactProof, TlogProof
from ledger.domain.errors import LedgerError
from ledger.domain.ids import digest, digest_text
from ledger.domain.units import UINT64_MAX, require_range
from ledger.log.errors import LogRangeError, LogUnsignedError
from ledger.log.proof_documents import (
    LogDocument,
    findings_of,
    hashes_member,
    receipt_bytes,
    signed_at_least,
    size_member,
)
from ledger.log.reader import LogReader

PROOF_FORMAT = "mdl-log-proof-1"
_MEMBERS = (
    "format",
    "origin",
    "log_no",
    "index",
    "size",
    "root",
    "receipt",
    "path",
    "consistency",
    "checkpoint",
)


def make_proof(reader: LogReader, index: int, size: int | None = None) -> dict[str, Any]:
    """Return the proof of a receipt as JSON data.

    Args:
        reader: the log.
        index: which receipt.
        size: tree size to prove in, such as one that is anchored; the last checkpoint's by default.

    Raises:
        LogUnsignedError: when no checkpoint covers the size.
        LogRangeError: unless index < size.
        InvalidProofError: when the log's own files do not lead to the signed root.
    """
    checkpoint = signed_at_least(reader, size)
    size = checkpoint.size if size is None else size
    if not 0 <= index < size:
        raise LogRangeError(
            f"receipt {index} is not among the first {size}",
            field="index",
            got=index,
            expected=size,
        )
    receipt = reader.receipt_bytes(index)
    path = reader.inclusion_proof(index, size)
    root = root_of_inclusion(leaf_hash(receipt), index, size, path)
    consistency = reader.consistency_proof(size, checkpoint.size)
    verify_consistency(size, checkpoint.size, root, checkpoint.root, consistency)
    return {
        "format": PROOF_FORMAT,
        "origin": reader.origin,
        "log_no": reader.log_no,
        "index": index,
        "size": size,
        "root": digest_text(root),
        "receipt": digest_text(receipt),
        "path": [digest_text(item) for item in path],
        "consistency": [digest_text(item) for item in consistency],
        "checkpoint": checkpoint.note,
    }


def check_proof(document: dict[str, Any], vkey: str) -> list[LedgerError]:
    """Return what is wrong with a proof; empty when it holds.

    Args:
        document: what `make_proof` returned, after any JSON round trip.
        vkey: the log's verifier key, from a source that one trusts.
    """
    try:
        proof = _Proof(document)
    except LedgerError as error:
        return [error]
    checks = (proof.check_identity, proof.check_inclusion, proof.check_consistency)
    return findings_of(proof.checkpoint, vkey, checks)


def compact_of(document: dict[str, Any]) -> CompactProof:
    """Return a proof as compact bytes: of its own tree, whose root its reader must bring.

    Raises:
        LedgerError: when the document is not a proof.
    """
    proof = _Proof(document)
    return CompactProof(proof.log_no, proof.size, proof.index, proof.receipt, tuple(proof.path))


def tlog_of(document: dict[str, Any]) -> TlogProof:
    """Return a proof as C2SP text: of the checkpoint's tree, the receipt as `extra`.

    Raises:
        LogUnsignedError: when the proof is of another tree than the checkpoint's.
        LedgerError: when the document is not a proof.
    """
    proof = _Proof(document)
    if proof.consistency:
        raise LogUnsignedError(
            "this form needs a checkpoint of the proof's own size",
            field="size",
            got=proof.size,
            expected="the last checkpoint's size",
        )
    return TlogProof(proof.index, tuple(proof.path), proof.checkpoint, proof.receipt)


class _Proof(LogDocument):
    """The document, its forms checked."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(document, PROOF_FORMAT, _MEMBERS)
        self.index = require_range("index", document["index"], 0, UINT64_MAX)
        self.size = size_member(document, "size", 1)
        self.root = digest(document["root"], "root")
        self.receipt = receipt_bytes(document["receipt"])
        self.path = hashes_member(document, "path", PATH_MAX)
        self.consistency = hashes_member(document, "consistency", PATH_MAX)

    def check_inclusion(self, body: CheckpointBody) -> None:
        verify_inclusion(leaf_hash(self.receipt), self.index, self.size, self.path, self.root)

    def check_consistency(self, body: CheckpointBody) -> None:
        verify_consistency(self.size, body.size, self.root, body.root, self.consistency)
