"""Request records of one licence, a line each, read a piece at a time."""

from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from ledger.codec.canonical import canonical_json
from ledger.codec.errors import NotCanonicalError
from ledger.verification.findings import Findings
from ledger.verification.texts import parse_json

PIECE_BYTES = 1 << 14
"""Ten thousand files take 160 MiB then."""
_LISTED_MAX = 100
_LINE = re.compile(
    rb'\{"licence_seq":(0|[1-9][0-9]{0,19}),"request":(.*),"response_digest":"(0x[0-9a-f]{64})"\}\n',
    re.DOTALL,
)
_BEYOND = re.compile(rb"[\xf0-\xff]")


@dataclass(frozen=True, slots=True)
class Record:
    """One line."""

    line_no: int
    seq: int
    request: bytes
    """Canonical JSON."""
    response: str
    """Digest as 0x and hex."""


class RecordFile:
    """The lines of one file in their order; holds no open file.

    Args:
        path: the file.
        name: how findings name it.
        findings: where lines that are no records go.
    """

    def __init__(self, path: Path, name: str, findings: Findings) -> None:
        self._path = path
        self._name = name
        self._findings = findings
        self._offset = 0
        self._rest = b""
        self._line_no = 0
        self._wrong = 0
        self._records: deque[Record] = deque()

    def peek(self) -> Record | None:
        """Return the next record and leave it there; None behind the last one."""
        while not self._records and self._refill():
            pass
        return self._records[0] if self._records else None

    def next(self) -> Record | None:
        """Return the next record; None behind the last one."""
        record = self.peek()
        if record is not None:
            self._records.popleft()
        return record

    def _refill(self) -> bool:
        """Read one more piece; return whether there may be more behind it."""
        with self._path.open("rb") as stream:
            stream.seek(self._offset)
            piece = stream.read(PIECE_BYTES)
        self._offset += len(piece)
        *lines, rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._take(line + b"\n")
        if rest and not piece:
            self._take(rest)
        self._rest = rest if piece else b""
        return bool(piece)

    def _take(self, line: bytes) -> None:
        self._line_no += 1
        self._findings.count("uses")
        match = _LINE.fullmatch(line)
        if match is not None and _is_canonical(match[2]):
            seq, response = int(match[1]), match[3].decode()
            self._records.append(Record(self._line_no, seq, match[2], response))
            return
        self._wrong += 1
        if self._wrong <= _LISTED_MAX:
            where = f"{self._name} line {self._line_no}"
            self._findings.add("use_malformed", where, line[:200], "a canonical record")


def _is_canonical(text: bytes) -> bool:
    """Return whether a text is the canonical form of its JSON value.

    The general writer is asked only where the quick one may differ from it: in the order of names
    beyond the basic plane.
    """
    try:
        value = parse_json(text)
        quick = json.dumps(
            value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
        )
        if quick.encode() == text and _BEYOND.search(text) is None:
            return True
        return canonical_json(value) == text
    except (ValueError, RecursionError, NotCanonicalError):
        return False
