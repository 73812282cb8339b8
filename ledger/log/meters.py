"""Which numbers of which meter are in the log, so that a meter may send the same twice.

Rules kept here:
1. A number is taken once its receipt is committed; what comes again under it is not read.
2. A number that was refused stays free: the same meter may send it again, mended.
3. Numbers taken lie in half-open ranges, few as long as meters count without gaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from ledger.log.errors import LogMeterGapsError
from ledger.log.values import MeterRange

RANGES_MAX = 1 << 20
"""Ranges of one meter at most; more means that a meter counts at random."""

Numbers = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]


class Meters:
    """Numbers taken, by meter."""

    def __init__(self, taken: Iterable[MeterRange] = ()) -> None:
        self._ranges: dict[int, Numbers] = {}
        for item in taken:
            self.take([item])

    def __iter__(self) -> Iterator[MeterRange]:
        for meter_no, ranges in self._ranges.items():
            for first, end in ranges.tolist():
                yield MeterRange(meter_no, first, end)

    def next_seq(self, meter_no: int) -> int:
        """Return the number after the highest one taken."""
        ranges = self._ranges.get(meter_no)
        return 1 if ranges is None else int(ranges[-1, 1])

    def are_taken(self, meter_no: int, seqs: Numbers) -> Flags:
        """Return which of some numbers are taken."""
        ranges = self._ranges.get(meter_no)
        if ranges is None:
            return np.zeros(len(seqs), bool)
        before = np.searchsorted(ranges[:, 0], seqs, side="right")
        is_taken: Flags = (before > 0) & (seqs < ranges[np.maximum(before, 1) - 1, 1])
        return is_taken

    def take(self, items: Iterable[MeterRange]) -> None:
        """Take ranges of numbers that are free.

        Raises:
            LogMeterGapsError: when a meter's numbers would lie in too many ranges; none is taken.
        """
        by_meter: dict[int, list[tuple[int, int]]] = {}
        for item in items:
            by_meter.setdefault(item.meter_no, []).append((item.first_seq, item.end_seq))
        merged = {meter_no: self._merged(meter_no, new) for meter_no, new in by_meter.items()}
        self._ranges |= merged

    def _merged(self, meter_no: int, new: list[tuple[int, int]]) -> Numbers:
        known = self._ranges.get(meter_no)
        if known is not None and len(new) == 1 and int(known[-1, 1]) == new[0][0]:
            grown = known.copy()
            grown[-1, 1] = new[0][1]
            return grown
        together = np.array(new, np.uint64).reshape(-1, 2)
        if known is not None:
            together = np.concatenate([known, together])
        together = together[np.argsort(together[:, 0], kind="stable")]
        starts = np.append(True, together[1:, 0] != together[:-1, 1])
        ends = np.append(starts[1:], True)
        ranges = np.stack([together[starts, 0], together[ends, 1]], axis=1)
        if len(ranges) > RANGES_MAX:
            raise LogMeterGapsError(
                f"the numbers of meter {meter_no} would lie in {len(ranges)} ranges",
                field="meter_seq",
                got=len(ranges),
                expected=f"at most {RANGES_MAX} ranges",
            )
        return ranges


def ranges_of(meter_no: int, seqs: Numbers) -> list[MeterRange]:
    """Return rising numbers as ranges."""
    if not len(seqs):
        return []
    first, last = int(seqs[0]), int(seqs[-1])
    if last - first + 1 == len(seqs):
        return [MeterRange(meter_no, first, last + 1)]
    breaks = np.flatnonzero(seqs[1:] != seqs[:-1] + np.uint64(1)) + 1
    firsts = seqs[np.append(0, breaks)].tolist()
    lasts = seqs[np.append(breaks - 1, len(seqs) - 1)].tolist()
    return [
        MeterRange(meter_no, first, last + 1) for first, last in zip(firsts, lasts, strict=True)
    ]
