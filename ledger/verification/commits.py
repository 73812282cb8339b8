"""The commits of a log: what was acknowledged, and which meters' numbers were taken in.

Rules kept here:
1. Every line is sealed over the line before it; sizes never shrink.
2. No number of a meter is taken in twice.
3. Every receipt has a number of its meter, one that the gateway appended included: the writer gives
   it the meter's next one. So a meter has as many numbers as receipts.
   That holds for each line as well: it takes in as many numbers as it commits receipts.
4. The last line covers all receipts.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ledger.domain.units import UINT32_MAX
from ledger.verification.findings import Findings
from ledger.verification.sealed import number, unseal

Numbers = npt.NDArray[np.uint64]
_LISTED_MAX = 100
_SUM_MARK = b'"sum":"'
_TAIL_BYTES = 64
"""More than the sum takes at the end of a line."""


class Commits:
    """The lines of one log's file of commits, up to the first that is not right.

    Args:
        path: the file; a missing one holds no lines.
        name: how findings name the log.
        findings: where faults go.
    """

    def __init__(self, path: Path, name: str, findings: Findings) -> None:
        self.size = 0
        """Receipts that the last line covers."""
        self.is_sound = True
        """Whether every line is what was written."""
        self._path = path
        self._name = f"{name} commits"
        self._findings = findings
        self._sizes = array("Q")
        self._ends = array("Q")
        self._ranges = array("Q")
        self._counts = array("Q")
        self._read()

    @property
    def is_empty(self) -> bool:
        """Whether there is no line at all."""
        return not self._sizes

    def size_at(self, end_bytes: int) -> int | None:
        """Return the size of the line that ends at a byte of the file; None when none does."""
        ends = np.frombuffer(self._ends, np.uint64)
        line = int(np.searchsorted(ends, end_bytes))
        is_end = line < len(ends) and int(ends[line]) == end_bytes
        if not is_end:
            return None if end_bytes else 0
        return int(self._sizes[line])

    def sum_at(self, end_bytes: int) -> str:
        """Return the sum of the line that ends at a byte of the file."""
        if end_bytes == 0:
            return ""
        with self._path.open("rb") as stream:
            stream.seek(max(0, end_bytes - _TAIL_BYTES))
            return _sum_in(stream.read(min(end_bytes, _TAIL_BYTES)))

    def taken(self, size: int | None = None) -> dict[int, list[list[int]]]:
        """Return the numbers taken in up to a size, by meter, as few half-open ranges."""
        meters, firsts, ends = self._sorted(size)
        if not len(meters):
            return {}
        is_new = np.append(True, (meters[1:] != meters[:-1]) | (firsts[1:] != ends[:-1]))
        heads = np.flatnonzero(is_new)
        tails = np.append(heads[1:], len(meters)) - 1
        found: dict[int, list[list[int]]] = {}
        for head, tail in zip(heads.tolist(), tails.tolist(), strict=True):
            found.setdefault(int(meters[head]), []).append([int(firsts[head]), int(ends[tail])])
        return found

    def compare_meters(self, receipts: Mapping[int, int]) -> None:
        """Compare the numbers taken in with the receipts of each meter."""
        meters, firsts, ends = self._sorted(None)
        self._refuse_overlaps(meters, firsts, ends)
        counts: Counter[int] = Counter()
        for meter_no, ranges in self.taken().items():
            counts[meter_no] = sum(end - first for first, end in ranges)
        wrong = [no for no in sorted({*counts, *receipts}) if counts[no] != receipts.get(no, 0)]
        for meter_no in wrong[:_LISTED_MAX]:
            where = f"{self._name}, meter {meter_no}"
            got, expected = counts[meter_no], receipts.get(meter_no, 0)
            self._findings.add("meter_numbers", where, got, expected)

    def _refuse_overlaps(self, meters: Numbers, firsts: Numbers, ends: Numbers) -> None:
        is_twice = (meters[1:] == meters[:-1]) & (firsts[1:] < ends[:-1])
        for place in np.flatnonzero(is_twice)[:_LISTED_MAX].tolist():
            where = f"{self._name}, meter {int(meters[place + 1])}"
            got, expected = int(firsts[place + 1]), int(ends[place])
            self._findings.add("meter_number_twice", where, got, f"at least {expected}")

    def _sorted(self, size: int | None) -> tuple[Numbers, Numbers, Numbers]:
        """Return meters, firsts and ends of the ranges in the order of meters and numbers."""
        ranges = np.frombuffer(self._ranges, np.uint64).reshape(-1, 3)
        if size is not None:
            counts = np.frombuffer(self._counts, np.uint64).astype(np.int64)
            sizes = np.frombuffer(self._sizes, np.uint64)
            ranges = ranges[: int(counts[sizes <= np.uint64(size)].sum())]
        ordered = ranges[np.lexsort((ranges[:, 1], ranges[:, 0]))]
        return ordered[:, 0], ordered[:, 1], ordered[:, 2]

    def _read(self) -> None:
        before, end_bytes = "", 0
        try:
            stream = self._path.open("rb")
        except OSError:
            return
        with stream:
            for line_no, line in enumerate(stream, start=1):
                members = unseal(line, before)
                where = f"{self._name} line {line_no}"
                if members is None or not self._take(members, where):
                    self._findings.add("commit_altered", where, line[:200], "a sealed line")
                    self.is_sound = False
                    return
                before, end_bytes = _sum_in(line), end_bytes + len(line)
                self._ends.append(end_bytes)
                self._findings.count("commits")

    def _take(self, members: dict[str, Any], where: str) -> bool:
        """Take a line; return whether its members are those of a commit that may follow."""
        try:
            size = number(members.pop("size"))
            ranges = [[number(value) for value in item] for item in members.pop("meters")]
        except (KeyError, TypeError, ValueError):
            return False
        if members or size < self.size or not all(_is_range(item) for item in ranges):
            return False
        for item in ranges:
            self._ranges.extend(item)
        count = sum(end - first for _, first, end in ranges)
        self._findings.same("commit_count", where, count, size - self.size)
        self._sizes.append(size)
        self._counts.append(len(ranges))
        self.size = size
        return True


def _sum_in(line: bytes) -> str:
    """Return the sum at the end of a line; it is the last member by name."""
    return line.rpartition(_SUM_MARK)[2][:-3].decode("ascii", "replace")


def _is_range(item: list[int]) -> bool:
    return len(item) == 3 and item[0] <= UINT32_MAX and item[1] < item[2]
