"""Where licences stand, as arrays with a slot for each licence.

Rules kept here:
1. Per licence: licence_seq 1, 2, 3 … without a gap, cumulative_units the exact running sum,
   used_at_ms never going back.
2. A receipt that is no delivery has 0 units.
3. The first receipt that breaks a rule is named by its index in the log.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ledger.codec.receipts import RECEIPT_FORMAT
from ledger.log.errors import LogCorruptError
from ledger.log.receipt_file import ReceiptFile, Receipts
from ledger.log.values import LicenceTally

Numbers = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_TABLE_MAX = 1 << 24
"""Licence numbers below it are looked up in a table; the chain counts them from 1."""
_ONE = np.uint64(1)


class Slots:
    """A slot for each licence number that was ever asked for, in the order of asking."""

    def __init__(self) -> None:
        self._table = np.full(1 << 10, -1, np.int32)
        self._others: dict[int, int] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def find(self, licences: Numbers) -> Places:
        """Return the slot of each licence, -1 where it has none."""
        if not len(licences):
            return np.zeros(0, np.int64)
        if int(licences.max()) < len(self._table):
            return self._table[licences].astype(np.int64)
        found = np.full(len(licences), -1, np.int64)
        small = licences < np.uint64(len(self._table))
        found[small] = self._table[licences[small]]
        for row in np.flatnonzero(~small):
            found[row] = self._others.get(int(licences[row]), -1)
        return found

    def make(self, licences: Numbers) -> Places:
        """Return the slot of each licence, made where it has none."""
        found = self.find(licences)
        missing = found < 0
        if missing.any():
            for licence_no in np.unique(licences[missing]).tolist():
                self._add(licence_no)
            found = self.find(licences)
        return found

    def make_in_order(self, licences: Numbers) -> None:
        """Give licences that have no slot yet the next ones, in the order given."""
        for licence_no in licences.tolist():
            self._add(licence_no)

    def _add(self, licence_no: int) -> None:
        if licence_no >= _TABLE_MAX:
            self._others[licence_no] = self._count
        else:
            if licence_no >= len(self._table):
                size = min(_TABLE_MAX, max(2 * len(self._table), licence_no + 1))
                grown = np.full(size, -1, np.int32)
                grown[: len(self._table)] = self._table
                self._table = grown
            self._table[licence_no] = self._count
        self._count += 1


class Tallies:
    """Where every licence stands in one log."""

    def __init__(self) -> None:
        self._slots = Slots()
        self._numbers = np.zeros(0, np.uint64)
        self.seqs = np.zeros(0, np.uint64)
        self.units = np.zeros(0, np.uint64)
        self.times = np.zeros(0, np.uint64)

    def __len__(self) -> int:
        return len(self._slots)

    def __iter__(self) -> Iterator[tuple[int, LicenceTally]]:
        for slot in np.flatnonzero(self.seqs):
            yield int(self._numbers[slot]), self._at(int(slot))

    def slots(self, licences: Numbers) -> Places:
        """Return the slot of each licence; a licence not seen before stands at zero."""
        known = len(self._slots)
        slots = self._slots.make(licences)
        if len(self._slots) > known:
            self._grow(len(self._slots))
            self._numbers[slots] = licences
        return slots

    def get(self, licence_no: int) -> LicenceTally:
        """Return where a licence stands."""
        slot = int(self._slots.find(np.array([licence_no], np.uint64))[0])
        return LicenceTally() if slot < 0 else self._at(slot)

    def units_of(self, licences: Sequence[int]) -> list[int]:
        """Return the units that licences used; 0 for those not seen before."""
        slots = self._slots.find(np.array(licences, np.uint64))
        used = np.zeros(len(slots), np.uint64)
        is_known = slots >= 0
        used[is_known] = self.units[slots[is_known]]
        return used.tolist()

    def put(self, licence_no: int, tally: LicenceTally) -> None:
        """Set where a licence stands."""
        slot = self.slots(np.array([licence_no], np.uint64))[0]
        self.seqs[slot] = tally.licence_seq
        self.units[slot] = tally.cumulative_units
        self.times[slot] = tally.last_used_at_ms

    def _at(self, slot: int) -> LicenceTally:
        return LicenceTally(int(self.seqs[slot]), int(self.units[slot]), int(self.times[slot]))

    def _grow(self, count: int) -> None:
        known = len(self.seqs)
        if count <= known:
            return
        size = max(count, 2 * known)
        for name in ("_numbers", "seqs", "units", "times"):
            grown = np.zeros(size, np.uint64)
            grown[:known] = getattr(self, name)
            setattr(self, name, grown)


@dataclass(frozen=True, slots=True)
class Grouped:
    """Rows brought together by licence, their order within a licence kept."""

    order: Places
    """Row of each place."""
    slots: Places
    """Slot of each place."""
    heads: Places
    """Place of the first row of each licence."""

    @classmethod
    def by_slot(cls, slots: Places) -> Grouped:
        """Group rows by slot."""
        if not len(slots):
            return cls(slots, slots, slots)
        # Sixteen bits are sorted by counting, several times faster than by comparing.
        key = slots.astype(np.uint16) if int(slots.max()) < 1 << 16 else slots
        order = np.argsort(key, kind="stable")
        ordered = slots[order]
        heads = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        return cls(order, ordered, heads)

    @property
    def tails(self) -> Places:
        """Place of the last row of each licence."""
        return np.append(self.heads[1:], len(self.order)) - 1

    def spread(self, values: Numbers) -> Numbers:
        """Return a value of each licence at all its places."""
        lengths = np.diff(np.append(self.heads, len(self.order)))
        return np.repeat(values, lengths)

    def before(self, values: Numbers, carried: Numbers) -> Numbers:
        """Return the value at the place before, of the same licence.

        Args:
            values: at each place.
            carried: what stood before the first place of each licence.
        """
        shifted = np.empty_like(values)
        shifted[1:] = values[:-1]
        shifted[self.heads] = carried
        return shifted


def read_tallies(
    file: ReceiptFile, size: int, tallies: Tallies | None = None, start: int = 0
) -> Tallies:
    """Return the tallies after `size` receipts, in one pass that holds one block at a time.

    Args:
        file: the receipts.
        size: how many of them.
        tallies: where licences stood after `start` receipts; taken on.
        start: how many were read before.

    Raises:
        LogCorruptError: naming the first receipt that breaks a rule.
    """
    known = Tallies() if tallies is None else tallies
    for first, block in file.blocks(start, size):
        _extend(known, block, first)
    return known


def _extend(tallies: Tallies, block: Receipts, first: int) -> None:
    group = Grouped.by_slot(tallies.slots(_column(block, "licence_no")))
    ordered, slots = block[group.order], group.slots[group.heads]
    seqs, sums, times = (
        _column(ordered, name) for name in ("licence_seq", "cumulative_units", "used_at_ms")
    )
    units, before = _column(ordered, "units"), group.before(sums, tallies.units[slots])
    _refuse_first(
        first + group.order,
        {
            "format": ordered["format"] != RECEIPT_FORMAT,
            "licence_seq": seqs != group.before(seqs, tallies.seqs[slots]) + _ONE,
            "cumulative_units": (sums != before + units) | (sums < before),
            "used_at_ms": times < group.before(times, tallies.times[slots]),
            "units": (ordered["status"] != 0) & (units != 0),
        },
    )
    tails = group.tails
    tallies.seqs[slots], tallies.units[slots] = seqs[tails], sums[tails]
    tallies.times[slots] = times[tails]


def _column(block: Receipts, name: str) -> Numbers:
    return block[name].astype(np.uint64)


def _refuse_first(indices: Places, broken: dict[str, Flags]) -> None:
    found = [(int(indices[bad].min()), field) for field, bad in broken.items() if bad.any()]
    if found:
        index, field = min(found, key=lambda item: item[0])
        raise LogCorruptError(
            f"receipt {index} breaks the rule of {field}",
            field=field,
            got=index,
            expected="a log without gaps, sums right, clocks forward",
        )
