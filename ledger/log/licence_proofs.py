"""Every receipt of a licence in a range of its sequence, under one signed root, as one document.

Rules kept here:
1. The receipts stand in the log's order; their sequence has no gap, their running totals add up
   and their clock does not go back. A range that begins at 1 begins at a total of 0.
2. One proof for all: the roots of the subtrees that hold none of them (`codec.multiproof`).
3. At most `LICENCE_PROOF_MAX` receipts; whoever needs more takes several ranges.

It shows that the range is whole; not that nothing follows it, which the next use may change.
"""

from __future__ import annotations

from itertools import islice, pairwise
from typing import Any

from ledger.codec.checkpoints import CheckpointBody
from ledger.codec.merkle import leaf_hash
from ledger.codec.multiproof import multiproof, root_of_multiproof
from ledger.codec.proof_files import PATH_MAX
from ledger.codec.receipts import Receipt
from ledger.domain.errors import LedgerError
from ledger.domain.ids import digest_text
from ledger.domain.units import UINT64_MAX, require_range
from ledger.log.errors import LogCorruptError, LogRangeError, ProofTooLargeError
from ledger.log.proof_documents import (
    LogDocument,
    findings_of,
    hashes_member,
    list_member,
    receipt_bytes,
    refuse,
    signed_at_least,
)
from ledger.log.reader import LogReader
from ledger.log.tile_nodes import tile_nodes

LICENCE_PROOF_FORMAT = "mdl-licence-proof-1"
LICENCE_PROOF_MAX = 10_000
"""Receipts in one document: 2 MB when they follow each other, 6 MB when they are scattered."""
_MEMBERS = (
    "format",
    "origin",
    "log_no",
    "licence_no",
    "from_seq",
    "to_seq",
    "indices",
    "receipts",
    "hashes",
    "checkpoint",
)


def make_licence_proof(
    reader: LogReader, licence_no: int, from_seq: int = 1, to_seq: int | None = None
) -> dict[str, Any]:
    """Return the proof of a licence's receipts from one sequence number to another.

    Args:
        reader: the log.
        licence_no: the licence.
        from_seq: first sequence number, from 1.
        to_seq: last one; the last that is signed by default.

    Raises:
        LogUnsignedError: when the log was never signed.
        LogRangeError: when the signed log does not hold the whole range.
        ProofTooLargeError: for more than `LICENCE_PROOF_MAX` receipts.
        LogCorruptError: when the log's own files do not lead to the signed root.
    """
    checkpoint = signed_at_least(reader, None)
    size = checkpoint.size
    to_seq = _checked_end(reader, licence_no, from_seq, to_seq, size)
    found = _range(reader, licence_no, from_seq, to_seq, size)
    indices = [index for index, _ in found]
    hashes = multiproof(indices, size, tile_nodes(reader, size))
    document = {
        "format": LICENCE_PROOF_FORMAT,
        "origin": reader.origin,
        "log_no": reader.log_no,
        "licence_no": licence_no,
        "from_seq": from_seq,
        "to_seq": to_seq,
        "indices": indices,
        "receipts": [digest_text(receipt.encode()) for _, receipt in found],
        "hashes": [digest_text(item) for item in hashes],
        "checkpoint": checkpoint.note,
    }
    findings = check_licence_proof(document, reader.vkey())
    if findings:
        first = findings[0]
        raise LogCorruptError(
            f"licence {licence_no} cannot be proven: {first.detail}",
            field=first.field,
            got=first.got,
            expected=first.expected,
        )
    return document


def _checked_end(
    reader: LogReader, licence_no: int, from_seq: int, to_seq: int | None, size: int
) -> int:
    """Return the last sequence number of a range that is signed and not too large."""
    last = reader.latest(licence_no, size=size)
    last_seq = last[1].licence_seq if last else 0
    to_seq = last_seq if to_seq is None else to_seq
    if not 1 <= from_seq <= to_seq <= last_seq:
        raise LogRangeError(
            f"receipts {from_seq} … {to_seq} of licence {licence_no} are not all signed",
            field="to_seq",
            got=to_seq,
            expected=last_seq,
        )
    count = to_seq - from_seq + 1
    if count > LICENCE_PROOF_MAX:
        raise ProofTooLargeError(
            f"one proof takes {LICENCE_PROOF_MAX} receipts: ask for several ranges",
            field="to_seq",
            got=count,
            expected=LICENCE_PROOF_MAX,
        )
    return to_seq


def _range(
    reader: LogReader, licence_no: int, from_seq: int, to_seq: int, size: int
) -> list[tuple[int, Receipt]]:
    rows = reader.receipts(licence_no, size=size)
    later = ((index, receipt) for index, receipt in rows if receipt.licence_seq >= from_seq)
    return list(islice(later, to_seq - from_seq + 1))


def check_licence_proof(document: dict[str, Any], vkey: str) -> list[LedgerError]:
    """Return what is wrong with a licence's proof; empty when it holds.

    Args:
        document: what `make_licence_proof` returned, after any JSON round trip.
        vkey: the log's verifier key, from a source that one trusts.
    """
    try:
        proof = _LicenceProof(document)
    except LedgerError as error:
        return [error]
    checks = (
        proof.check_identity,
        proof.check_inclusion,
        proof.check_sequence,
        proof.check_totals,
        proof.check_clock,
    )
    return findings_of(proof.checkpoint, vkey, checks)


class _LicenceProof(LogDocument):
    """The document, its forms checked."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(document, LICENCE_PROOF_FORMAT, _MEMBERS)
        self.licence_no = require_range("licence_no", document["licence_no"], 0, UINT64_MAX)
        self.from_seq = require_range("from_seq", document["from_seq"], 1, UINT64_MAX)
        self.to_seq = require_range("to_seq", document["to_seq"], self.from_seq, UINT64_MAX)
        self.indices = [
            require_range("indices", value, 0, UINT64_MAX)
            for value in list_member(document, "indices", LICENCE_PROOF_MAX)
        ]
        values = list_member(document, "receipts", LICENCE_PROOF_MAX)
        self.receipts = [receipt_bytes(value) for value in values]
        self.read = [Receipt.decode(receipt) for receipt in self.receipts]
        self.hashes = hashes_member(document, "hashes", LICENCE_PROOF_MAX * PATH_MAX)

    def check_inclusion(self, body: CheckpointBody) -> None:
        leaves = [leaf_hash(receipt) for receipt in self.receipts]
        root = root_of_multiproof(leaves, self.indices, body.size, self.hashes)
        if root != body.root:
            refuse("root", root, body.root)

    def check_sequence(self, body: CheckpointBody) -> None:
        count = self.to_seq - self.from_seq + 1
        if len(self.read) != count:
            refuse("receipts", len(self.read), count)
        for seq, receipt in enumerate(self.read, start=self.from_seq):
            if receipt.licence_no != self.licence_no:
                refuse("licence_no", receipt.licence_no, self.licence_no)
            if receipt.licence_seq != seq:
                refuse("licence_seq", receipt.licence_seq, seq)

    def check_totals(self, body: CheckpointBody) -> None:
        total = self.read[0].cumulative_units - self.read[0].units if self.read else 0
        if total < 0 or (self.from_seq == 1 and total):
            refuse("cumulative_units", total, 0)
        for receipt in self.read:
            total += receipt.units
            if receipt.cumulative_units != total:
                refuse("cumulative_units", receipt.cumulative_units, total)

    def check_clock(self, body: CheckpointBody) -> None:
        for earlier, later in pairwise(self.read):
            if later.used_at_ms < earlier.used_at_ms:
                refuse("used_at_ms", later.used_at_ms, earlier.used_at_ms)
