"""Who was altered, the receipts or the tree: decided by the roots that others hold.

Rules kept here:
1. Anchors on chain and the signed checkpoint are references. The largest one that agrees proves
   all receipts before it.
2. A hash of row 1 over proven receipts was altered itself. Where references disagree, the receipts
   were; the altered one is searched, see `ledger.verification.alterations`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.verification.alterations import Alteration, find_alteration
from ledger.verification.findings import Findings
from ledger.verification.merkle import HASH_BYTES, WIDTH, Path, ReadReceipts, ReceiptRows
from ledger.verification.tree_files import LISTED_MAX, TreeFiles

_SEARCHES_MAX = 4
"""Runs in which an altered receipt is searched; one costs up to a second."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A root that somebody holds."""

    code: str
    """Code of the finding when it disagrees."""
    where: str
    size: int
    root: bytes


class LogEvidence:
    """Judges one log.

    Args:
        name: how findings name the log.
        rows: the rows computed from the receipts.
        size: how many receipts these are.
        read: gives receipts.
        findings: where faults go.
    """

    def __init__(
        self, name: str, rows: ReceiptRows, size: int, read: ReadReceipts, findings: Findings
    ) -> None:
        self.alterations: list[Alteration] = []
        """Receipts that were altered, with what they were."""
        self._name = name
        self._rows = rows
        self._size = size
        self._read = read
        self._findings = findings
        self._proven = 0
        self._failing: list[Reference] = []
        self._searches = 0

    def compare(self, references: list[Reference]) -> None:
        """Compare the references with the roots that follow from the receipts."""
        failing = []
        for reference in references:
            if reference.size > self._size:
                self._findings.add("receipts_missing", reference.where, self._size, reference.size)
                continue
            root = self._rows.root(reference.size)
            where = f"{reference.where}, size {reference.size}"
            if self._findings.same(reference.code, where, reference.root, root):
                self._proven = max(self._proven, reference.size)
            else:
                failing.append(reference)
        failing.sort(key=lambda reference: reference.size)
        self._failing = [item for item in failing if item.size > self._proven]

    def judge(self, files: TreeFiles, suspects: set[int]) -> None:
        """Name what was altered.

        Args:
            files: the tree's files, already compared.
            suspects: receipts that break a rule, tried first.
        """
        for place in files.differing[:LISTED_MAX]:
            if (place + 1) * WIDTH <= self._proven:
                files.name_altered(1, place, files.first_row)
            else:
                self._judge_run(place, files, suspects)
        more = len(files.differing) - LISTED_MAX
        if more > 0:
            self._findings.add("tree_more", f"{self._name} tree/1", more, 0)
        if self._failing and not self.alterations:
            self._judge_end(self._failing[0], suspects)

    def _judge_run(self, place: int, files: TreeFiles, suspects: set[int]) -> None:
        first, end = place * WIDTH, (place + 1) * WIDTH
        span = slice(place * HASH_BYTES, (place + 1) * HASH_BYTES)
        got, expected = self._rows.row(1)[span], files.first_row[span]
        if self._search(self._rows.ways_in_run(first), expected, suspects, "tree/1"):
            return
        is_disproved = any(item.size > first for item in self._failing)
        code = "receipts_altered" if is_disproved else "tree_differs"
        where = f"{self._name} receipts {first} … {end - 1} (tree/1)"
        self._findings.add(code, where, got, expected)

    def _judge_end(self, reference: Reference, suspects: set[int]) -> None:
        """Search the receipts behind the last full run of the first root that disagrees."""
        ways = [way for way in self._rows.ways_at_end(reference.size) if way[0] >= self._proven]
        self._search(ways, reference.root, suspects, f"size {reference.size}")

    def _search(
        self, ways: list[tuple[int, Path]], root: bytes, suspects: set[int], against: str
    ) -> bool:
        self._searches += 1
        if self._searches > _SEARCHES_MAX:
            return False
        found = find_alteration(ways, root, self._read, suspects)
        if found is None:
            return False
        self.alterations.append(found)
        where = f"{self._name} receipt {found.index} licence {found.licence_no} ({against})"
        self._findings.add("receipt_altered", where, found.got, found.expected)
        return True
