"""What the JSON proofs share: strict reading of members, and the signed checkpoint they rest on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from ledger.codec.checkpoints import CheckpointBody, open_checkpoint
from ledger.codec.merkle import EMPTY_ROOT, leaf_hash, root_of_inclusion
from ledger.codec.notes import NoteVerifier
from ledger.codec.receipts import RECEIPT_BYTES, Receipt
from ledger.domain.errors import LedgerError
from ledger.domain.ids import digest, digest_text
from ledger.domain.units import UINT32_MAX, UINT64_MAX, require_range
from ledger.log.errors import LogUnsignedError, ProofRefusedError
from ledger.log.reader import LogReader
from ledger.log.values import Checkpoint

Check = Callable[[CheckpointBody], None]


class LogDocument:
    """A JSON proof's members that all forms have: format, origin, log_no, checkpoint."""

    def __init__(self, document: object, form: str, members: Sequence[str]) -> None:
        if not isinstance(document, dict) or set(document) != set(members):
            refuse("document", None, list(members))
        if document["format"] != form:
            refuse("format", document["format"], form)
        self.origin = text_member(document, "origin")
        self.checkpoint = text_member(document, "checkpoint")
        self.log_no = require_range("log_no", document["log_no"], 0, UINT32_MAX)

    def check_identity(self, body: CheckpointBody) -> None:
        """Check that the checkpoint is this log's."""
        if body.origin != self.origin:
            refuse("origin", self.origin, body.origin)
        check_log_no(self.log_no, body)


def check_log_no(log_no: int, body: CheckpointBody) -> None:
    """Check that a checkpoint names this number of the log."""
    if f"log_no {log_no}" not in body.extensions:
        refuse("log_no", log_no, list(body.extensions))


def findings_of(note: str, vkey: str, checks: Iterable[Check]) -> list[LedgerError]:
    """Return what is wrong with the checkpoint, else what the checks against it find."""
    try:
        body = open_checkpoint(note, [NoteVerifier.parse(vkey)])
    except LedgerError as error:
        return [error]
    findings = []
    for check in checks:
        try:
            check(body)
        except LedgerError as error:
            findings.append(error)
    return findings


def signed_at_least(reader: LogReader, size: int | None) -> Checkpoint:
    """Return the last checkpoint.

    Raises:
        LogUnsignedError: when there is none, or none that covers `size` receipts.
    """
    checkpoint = reader.checkpoint()
    if checkpoint is None or (size is not None and size > checkpoint.size):
        raise LogUnsignedError(
            "no checkpoint covers the receipts yet",
            field="size",
            got=size,
            expected="a checkpoint" if checkpoint is None else checkpoint.size,
        )
    return checkpoint


def root_at(reader: LogReader, size: int) -> bytes:
    """Return the root of the first `size` receipts, from the proof of the last one."""
    if size == 0:
        return EMPTY_ROOT
    leaf = leaf_hash(reader.receipt_bytes(size - 1))
    return root_of_inclusion(leaf, size - 1, size, reader.inclusion_proof(size - 1, size))


def text_member(document: dict[str, Any], field: str) -> str:
    """Return a member that is a text."""
    value = document[field]
    if not isinstance(value, str):
        refuse(field, value, "a text")
    return str(value)


def size_member(document: dict[str, Any], field: str, low: int = 0) -> int:
    """Return a member that counts receipts."""
    return require_range(field, document[field], low, UINT64_MAX)


def hashes_member(document: dict[str, Any], field: str, count_max: int) -> list[bytes]:
    """Return a member that lists hashes."""
    return [digest(value, field) for value in list_member(document, field, count_max)]


def list_member(document: dict[str, Any], field: str, count_max: int) -> list[Any]:
    """Return a member that is a list of limited length."""
    values = document[field]
    if not isinstance(values, list) or len(values) > count_max:
        refuse(field, type(values).__name__, f"a list of at most {count_max}")
    return list(values)


def receipt_bytes(value: object) -> bytes:
    """Return the 96 bytes of a receipt given as 0x and lower-case hex; its format is known."""
    text = value if isinstance(value, str) else ""
    try:
        data = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        data = b""
    if len(data) != RECEIPT_BYTES or digest_text(data) != text:
        refuse("receipt", value, f"0x and {2 * RECEIPT_BYTES} lower-case hex digits")
    Receipt.decode(data)
    return data


def refuse(field: str, got: object, expected: object) -> NoReturn:
    """Say where a proof fails.

    Raises:
        ProofRefusedError: always.
    """
    raise ProofRefusedError(f"the proof fails at {field}", field=field, got=got, expected=expected)
