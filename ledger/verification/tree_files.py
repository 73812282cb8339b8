"""The rows of hashes in `tree/1`, `tree/2` …, compared with the rows computed from the receipts.

Rules kept here:
1. A row has a hash for each full run that was signed, none that the receipts do not fill.
2. Where row 1 differs, `LogEvidence` decides who was altered; a hash further up was altered when
   neither the receipts nor the row below lead to it.

Source: c2sp.org/tlog-tiles, whose full tiles these rows are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ledger.verification.findings import Findings
from ledger.verification.merkle import HASH_BYTES, WIDTH, ReceiptRows, upper_row

LISTED_MAX = 16
"""Differing hashes of one row that are listed."""


@dataclass(frozen=True, slots=True)
class RowSizes:
    """How many receipts the rows must, and may at most, cover."""

    signed: int
    present: int


class TreeFiles:
    """The files of one log's tree.

    Args:
        folder: the log's folder.
        name: how findings name the log.
        rows: the rows computed from the receipts.
        findings: where faults of files and upper rows go; differences of row 1 are kept.
    """

    def __init__(self, folder: Path, name: str, rows: ReceiptRows, findings: Findings) -> None:
        self.first_row = b""
        """Row 1 as it is on disk."""
        self.differing: list[int] = []
        """Places in row 1 at which it is not what follows from the receipts."""
        self._folder = folder / "tree"
        self._name = name
        self._rows = rows
        self._findings = findings

    def compare(self, sizes: RowSizes) -> None:
        """Compare all rows."""
        number, below = 1, b""
        while sizes.signed >= WIDTH**number or (self._folder / str(number)).exists():
            found = self._read(number, sizes)
            places = _differences(found, self._rows.row(number))
            if number == 1:
                self.first_row, self.differing = found, places
            else:
                self._name_upper(number, found, places, upper_row(below))
            number, below = number + 1, found

    def _read(self, number: int, sizes: RowSizes) -> bytes:
        where = f"{self._name} tree/{number}"
        self._findings.count("rows")
        try:
            data = (self._folder / str(number)).read_bytes()
        except OSError:
            self._findings.add("tree_missing", where, None, "a readable file")
            return b""
        count, rest = divmod(len(data), HASH_BYTES)
        least, most = (size // WIDTH**number for size in (sizes.signed, sizes.present))
        is_right = not rest and least <= count <= most
        expected = f"{least * HASH_BYTES} to {most * HASH_BYTES} bytes, whole hashes"
        self._findings.require(is_right, "tree_length", where, len(data), expected)
        self._findings.count("hashes", count)
        return data[: count * HASH_BYTES]

    def _name_upper(self, number: int, found: bytes, places: list[int], above: bytes) -> None:
        """Name the hashes that do not follow from the row below either."""
        altered = [
            place
            for place in places
            if found[place * HASH_BYTES : (place + 1) * HASH_BYTES]
            != above[place * HASH_BYTES : (place + 1) * HASH_BYTES]
        ]
        for place in altered[:LISTED_MAX]:
            self.name_altered(number, place, found)

    def name_altered(self, number: int, place: int, found: bytes) -> None:
        """Name a hash that was altered."""
        where = f"{self._name} tree/{number} hash {place}"
        span = slice(place * HASH_BYTES, (place + 1) * HASH_BYTES)
        self._findings.add("tree_altered", where, found[span], self._rows.row(number)[span])


def _differences(found: bytes, expected: bytes) -> list[int]:
    """Return the places of whole hashes that both have and that differ."""
    length = min(len(found), len(expected))
    if found[:length] == expected[:length]:
        return []
    both = (np.frombuffer(row[:length], np.uint64).reshape(-1, 4) for row in (found, expected))
    left, right = both
    return [int(place) for place in np.flatnonzero((left != right).any(axis=1))]
