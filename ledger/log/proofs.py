"""A proof as one JSON document that needs nothing but the log's verifier key.

It shows that a receipt is at an index of the tree of `size` receipts, and that this tree begins
the one whose checkpoint is signed (`consistency`, empty when it is the same).
"""

from __future__ import annotations

from typing import Any

from ledger.codec.checkpoints import CheckpointBody, open_checkpoint
from ledger.codec.merkle import leaf_hash, root_of_inclusion, verify_consistency, verify_inclusion
from ledger.codec.notes import NoteVerifier
from ledger.codec.receipts import RECEIPT_BYTES, Receipt
from ledger.domain.errors import LedgerError
from ledger.domain.ids import digest, digest_text
from ledger.domain.units import UINT32_MAX, UINT64_MAX, require_range
from ledger.log.errors import LogRangeError, LogUnsignedError, ProofRefusedError
from ledger.log.reader import LogReader

PROOF_FORMAT = "mdl-log-proof-1"
PATH_MAX = 64
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
    checkpoint = reader.checkpoint()
    if checkpoint is None or (size is not None and size > checkpoint.size):
        raise LogUnsignedError(
            "no checkpoint covers the receipt yet", field="size", got=size, expected="a checkpoint"
        )
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
        body = open_checkpoint(proof.checkpoint, [NoteVerifier.parse(vkey)])
    except LedgerError as error:
        return [error]
    checks = (proof.check_identity, proof.check_inclusion, proof.check_consistency)
    findings = []
    for check in checks:
        try:
            check(body)
        except LedgerError as error:
            findings.append(error)
    return findings


class _Proof:
    """The document, its forms checked."""

    def __init__(self, document: object) -> None:
        if not isinstance(document, dict) or set(document) != set(_MEMBERS):
            raise _refused("document", None, list(_MEMBERS))
        if document["format"] != PROOF_FORMAT:
            raise _refused("format", document["format"], PROOF_FORMAT)
        self.origin = _text(document, "origin")
        self.checkpoint = _text(document, "checkpoint")
        self.log_no = require_range("log_no", document["log_no"], 0, UINT32_MAX)
        self.index = require_range("index", document["index"], 0, UINT64_MAX)
        self.size = require_range("size", document["size"], 1, UINT64_MAX)
        self.root = digest(document["root"], "root")
        self.receipt = _receipt(document["receipt"])
        self.path = _hashes(document, "path")
        self.consistency = _hashes(document, "consistency")

    def check_identity(self, body: CheckpointBody) -> None:
        if body.origin != self.origin:
            raise _refused("origin", self.origin, body.origin)
        if f"log_no {self.log_no}" not in body.extensions:
            raise _refused("log_no", self.log_no, list(body.extensions))

    def check_inclusion(self, body: CheckpointBody) -> None:
        verify_inclusion(leaf_hash(self.receipt), self.index, self.size, self.path, self.root)

    def check_consistency(self, body: CheckpointBody) -> None:
        verify_consistency(self.size, body.size, self.root, body.root, self.consistency)


def _text(document: dict[str, Any], field: str) -> str:
    value = document[field]
    if not isinstance(value, str):
        raise _refused(field, value, "a text")
    return value


def _hashes(document: dict[str, Any], field: str) -> list[bytes]:
    values = document[field]
    if not isinstance(values, list) or len(values) > PATH_MAX:
        raise _refused(field, type(values).__name__, f"at most {PATH_MAX} hashes")
    return [digest(value, field) for value in values]


def _receipt(value: object) -> bytes:
    text = value if isinstance(value, str) else ""
    try:
        data = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        data = b""
    if len(data) != RECEIPT_BYTES or digest_text(data) != text:
        raise _refused("receipt", value, f"0x and {2 * RECEIPT_BYTES} lower-case hex digits")
    Receipt.decode(data)
    return data


def _refused(field: str, got: object, expected: object) -> ProofRefusedError:
    return ProofRefusedError(f"the proof fails at {field}", field=field, got=got, expected=expected)
