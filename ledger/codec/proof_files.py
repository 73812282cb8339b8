"""Proofs of one receipt in forms that others read: compact bytes and C2SP text.

Rules kept here:
1. Compact: number of the log uint32, size uint64, index uint64, receipt of 96 bytes, RFC 9162 path
   of 32 bytes each; big-endian, no padding. The chain takes these bytes as they are.
2. Text: c2sp.org/tlog-proof, with the checkpoint verbatim; the form leaves the entry to its reader,
   so we put the receipt into `extra`, which proves nothing until it is hashed as the leaf.
3. Reading is strict and checks no hash: one text or byte string for each proof.
"""

from __future__ import annotations

import base64
import re
import struct
from dataclasses import dataclass

from ledger.codec.errors import MalformedNoteError, MalformedProofError
from ledger.codec.merkle import HASH_BYTES
from ledger.codec.notes import decode_base64
from ledger.codec.receipts import RECEIPT_BYTES
from ledger.domain.units import UINT64_MAX

PATH_MAX = 64
"""Hashes in a path: a tree of 2^64 leaves has no longer one."""
TLOG_HEADER = "c2sp.org/tlog-proof@v1"

_HEAD = struct.Struct(">IQQ")
_PATH_AT = _HEAD.size + RECEIPT_BYTES
_EXTRA = "extra "
_INDEX = "index "
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,19}")


@dataclass(frozen=True, slots=True)
class CompactProof:
    """A receipt, where it is, and its path; 1,012 bytes in a log of 2^28."""

    log_no: int
    size: int
    """Receipts of the tree it is proven in."""
    index: int
    receipt: bytes
    """96 bytes."""
    path: tuple[bytes, ...]
    """Hashes of 32 bytes, leaf end first."""

    def encode(self) -> bytes:
        """Return the file's bytes."""
        head = _HEAD.pack(self.log_no, self.size, self.index)
        return head + self.receipt + b"".join(self.path)

    @classmethod
    def decode(cls, data: bytes) -> CompactProof:
        """Return the proof of a file's bytes.

        Raises:
            MalformedProofError: unless the length is that of head, receipt and 0 … 64 hashes.
        """
        count, rest = divmod(len(data) - _PATH_AT, HASH_BYTES)
        if count < 0:
            raise _malformed("a proof has 116 bytes at least", "length", len(data), _PATH_AT)
        if rest or count > PATH_MAX:
            whole = _PATH_AT + HASH_BYTES * min(count, PATH_MAX)
            raise _malformed("a proof ends with 0 … 64 whole hashes", "length", len(data), whole)
        log_no, size, index = _HEAD.unpack_from(data)
        path = (data[at : at + HASH_BYTES] for at in range(_PATH_AT, len(data), HASH_BYTES))
        return cls(log_no, size, index, data[_HEAD.size : _PATH_AT], tuple(path))

    @staticmethod
    def is_one(data: bytes) -> bool:
        """Return whether bytes begin like one: its receipt's format byte occurs in no text."""
        return data[_HEAD.size : _HEAD.size + 1] == b"\x01"


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof in the text form of c2sp.org/tlog-proof."""

    index: int
    path: tuple[bytes, ...]
    """Hashes of 32 bytes, leaf end first; the tree is the checkpoint's."""
    checkpoint: str
    """The signed note, verbatim."""
    extra: bytes | None = None
    """The receipt in our files; anything, or nothing, in those of others."""

    def text(self) -> str:
        """Return the file's text."""
        extra = [] if self.extra is None else [_EXTRA + _base64(self.extra)]
        hashes = [_base64(item) for item in self.path]
        lines = [TLOG_HEADER, *extra, f"{_INDEX}{self.index}", *hashes]
        return "\n".join(lines) + "\n\n" + self.checkpoint

    @classmethod
    def parse(cls, text: str) -> TlogProof:
        """Return the proof of a file's text.

        Raises:
            MalformedProofError: when it is not header, optional extra, index, 0 … 64 hashes, an
                empty line and a checkpoint.
        """
        head, blank, checkpoint = text.partition("\n\n")
        header, *lines = head.split("\n")
        if header != TLOG_HEADER:
            raise _malformed("the first line names the form", "header", header[:80], TLOG_HEADER)
        has_extra = bool(lines) and lines[0].startswith(_EXTRA)
        extra = _decoded(lines.pop(0).removeprefix(_EXTRA), "extra") if has_extra else None
        if not lines or not lines[0].startswith(_INDEX):
            raise _malformed("the index is missing", "index", lines[:1], "index and a number")
        index = _number(lines.pop(0).removeprefix(_INDEX))
        if not blank or not checkpoint:
            raise _malformed("the checkpoint is missing", "checkpoint", None, "a signed note")
        if len(lines) > PATH_MAX:
            raise _malformed("the path is too long", "path", len(lines), PATH_MAX)
        return cls(index, tuple(_hash(line) for line in lines), checkpoint, extra)


def _number(text: str) -> int:
    if not _DECIMAL.fullmatch(text) or int(text) > UINT64_MAX:
        raise _malformed("the index is no decimal", "index", text[:80], "no leading zeros")
    return int(text)


def _hash(line: str) -> bytes:
    item = _decoded(line, "path")
    if len(item) != HASH_BYTES:
        raise _malformed("a hash has 32 bytes", "path", len(item), HASH_BYTES)
    return item


def _decoded(text: str, field: str) -> bytes:
    try:
        return decode_base64(text, field)
    except MalformedNoteError as error:
        raise _malformed(error.detail, field, text[:80], "padded base64") from error


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _malformed(detail: str, field: str, got: object, expected: object) -> MalformedProofError:
    return MalformedProofError(detail, field=field, got=got, expected=expected)
