"""Running totals per licence, checked over arrays.

Rules kept here:
1. Per licence: licence_seq 1, 2, 3 … without a gap, cumulative_units the exact running sum,
   used_at_ms never going back.
2. A receipt that is no delivery has 0 units.
3. The first receipt that breaks a rule is named by its index in the log.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ledger.codec.receipts import RECEIPT_FORMAT
from ledger.log.errors import LogCorruptError
from ledger.log.receipt_file import ReceiptFile, Receipts
from ledger.log.values import LicenceTally

Numbers = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
_ONE = np.uint64(1)


def read_tallies(file: ReceiptFile, size: int) -> dict[int, LicenceTally]:
    """Return the tallies after `size` receipts, in one pass that holds one block at a time.

    Raises:
        LogCorruptError: naming the first receipt that breaks a rule.
    """
    known: dict[int, LicenceTally] = {}
    for first, block in file.blocks(0, size):
        _extend(known, block, first)
    return known


def _extend(tallies: dict[int, LicenceTally], block: Receipts, first: int) -> None:
    licences = _column(block, "licence_no")
    order = np.argsort(licences, kind="stable")
    ordered = block[order]
    heads = np.flatnonzero(np.diff(licences[order], prepend=licences[order[0]] ^ _ONE))
    before = [tallies.get(int(no), LicenceTally()) for no in licences[order[heads]]]
    seqs = _Column(ordered, "licence_seq", heads, [tally.licence_seq for tally in before])
    sums = _Column(ordered, "cumulative_units", heads, [tally.cumulative_units for tally in before])
    times = _Column(ordered, "used_at_ms", heads, [tally.last_used_at_ms for tally in before])
    units = _column(ordered, "units")
    _refuse_first(
        first + order,
        {
            "format": ordered["format"] != RECEIPT_FORMAT,
            "licence_seq": seqs.now != seqs.before + _ONE,
            "cumulative_units": (sums.now != sums.before + units) | (sums.now < sums.before),
            "used_at_ms": times.now < times.before,
            "units": (ordered["status"] != 0) & (units != 0),
        },
    )
    tails = np.append(heads[1:], len(block)) - 1
    for row in tails:
        tallies[int(ordered["licence_no"][row])] = LicenceTally(
            int(seqs.now[row]), int(sums.now[row]), int(times.now[row])
        )


class _Column:
    """One field of receipts grouped by licence, beside its value in the receipt before."""

    def __init__(
        self, ordered: Receipts, name: str, heads: npt.NDArray[np.intp], carried: list[int]
    ) -> None:
        self.now = _column(ordered, name)
        self.before = np.roll(self.now, 1)
        self.before[heads] = np.array(carried, np.uint64)


def _column(block: Receipts, name: str) -> Numbers:
    return block[name].astype(np.uint64)


def _refuse_first(indices: npt.NDArray[np.intp], broken: dict[str, Flags]) -> None:
    found = [(int(indices[bad].min()), field) for field, bad in broken.items() if bad.any()]
    if found:
        index, field = min(found, key=lambda item: item[0])
        raise LogCorruptError(
            f"receipt {index} breaks the rule of {field}",
            field=field,
            got=index,
            expected="a log without gaps, sums right, clocks forward",
        )
