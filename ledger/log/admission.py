"""Which rows of a meter enter the log, and under which numbers.

Rules kept here:
1. A row is refused with its first fault: an unknown code or licence, units of a refusal, a delivery
   outside its licence's validity, modes, purpose or quota or while it was suspended, a clock that
   goes back.
2. A refused row counts for nothing: it takes no number, no quota and does not move the clock.
3. Order within a licence decides. It is walked row by row only where a clock or a quota breaks; all
   other licences are numbered at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from ledger.domain.codes import DeliveryMode, Purpose, ReceiptStatus
from ledger.domain.units import UINT64_MAX
from ledger.log.rows import UseRows
from ledger.log.tallies import Flags, Grouped, Numbers, Places, Slots, Tallies

_DELIVERED = int(ReceiptStatus.DELIVERED)
Pause = tuple[int, int, int]
"""Licence, from, until."""


class RowFault(IntEnum):
    """Why a row was refused."""

    MALFORMED = 1
    MODE_UNKNOWN = 2
    PURPOSE_UNKNOWN = 3
    STATUS_UNKNOWN = 4
    UNITS_OF_REFUSAL = 5
    LICENCE_UNKNOWN = 6
    OUTSIDE_VALIDITY = 7
    MODE_NOT_GRANTED = 8
    PURPOSE_NOT_GRANTED = 9
    CLOCK_BACK = 10
    QUOTA_EXCEEDED = 11
    LICENCE_SUSPENDED = 12

    @property
    def code(self) -> str:
        """The stable code, as errors have it."""
        return f"row.{self.name.lower()}"


_FIELDS = {
    RowFault.MODE_UNKNOWN: "mode",
    RowFault.PURPOSE_UNKNOWN: "purpose",
    RowFault.STATUS_UNKNOWN: "status",
    RowFault.UNITS_OF_REFUSAL: "units",
    RowFault.LICENCE_UNKNOWN: "licence_no",
    RowFault.OUTSIDE_VALIDITY: "used_at_ms",
    RowFault.MODE_NOT_GRANTED: "mode",
    RowFault.PURPOSE_NOT_GRANTED: "purpose",
    RowFault.CLOCK_BACK: "used_at_ms",
    RowFault.QUOTA_EXCEEDED: "units",
    RowFault.LICENCE_SUSPENDED: "used_at_ms",
}


@dataclass(frozen=True, slots=True)
class RowRefusal:
    """One refused row."""

    row: int
    """Its place among the rows given, from 0."""
    fault: RowFault
    field: str
    got: Any
    expected: Any

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        told = {"row": self.row, "code": self.fault.code, "field": self.field}
        return told | {"got": self.got, "expected": self.expected}


class LicenceTerms:
    """What licences grant, as projected; one row each.

    Args:
        licence_no: licences, each once.
        modes: bitmap of delivery modes.
        purpose: the one purpose.
        valid_from_ms: Unix milliseconds, included.
        valid_until_ms: Unix milliseconds, excluded.
        quota_units: what may be used in this log.
        pauses: suspensions that were lifted: licence, from (included) and until (excluded) in Unix
            milliseconds.
    """

    def __init__(
        self,
        licence_no: npt.ArrayLike,
        modes: npt.ArrayLike,
        purpose: npt.ArrayLike,
        valid_from_ms: npt.ArrayLike,
        valid_until_ms: npt.ArrayLike,
        quota_units: npt.ArrayLike,
        pauses: Iterable[Pause] = (),
    ) -> None:
        self._slots = Slots()
        self._slots.make_in_order(np.asarray(licence_no, np.uint64))
        self.modes = np.asarray(modes, np.uint32)
        self.purpose = np.asarray(purpose, np.uint16)
        self.valid_from_ms = np.asarray(valid_from_ms, np.uint64)
        self.valid_until_ms = np.asarray(valid_until_ms, np.uint64)
        self.quota_units = np.asarray(quota_units, np.uint64)
        self.pauses: dict[int, list[tuple[int, int]]] = {}
        for no, from_ms, until_ms in pauses:
            place = int(self.places(np.array([no], np.uint64))[0])
            self.pauses.setdefault(place, []).append((from_ms, until_ms))

    def __len__(self) -> int:
        return len(self._slots)

    def places(self, licences: Numbers) -> Places:
        """Return the row of each licence, -1 where it is unknown."""
        return self._slots.find(licences)

    def paused(self, places: Places, time_ms: Numbers) -> Flags:
        """Return which uses lie in a suspension of their licence."""
        found = np.zeros(len(places), bool)
        for place in self.pauses.keys() & set(np.unique(places).tolist()) if self.pauses else ():
            own = places == place
            for from_ms, until_ms in self.pauses[place]:
                found |= own & (time_ms >= from_ms) & (time_ms < until_ms)
        return found


@dataclass(frozen=True, slots=True)
class Admission:
    """Rows that may enter, numbered, and those that may not. Nothing is entered yet."""

    rows: UseRows
    kept: Places | None
    """Places of `rows` among the rows given; None when all were kept."""
    licence_seq: Numbers
    cumulative_units: Numbers
    refusals: list[RowRefusal]
    _slots: Places
    _ends: tuple[Numbers, Numbers, Numbers]

    def encode(self, buffer: bytearray | None = None) -> memoryview:
        """Return the receipts' bytes, in a buffer if one is given that is long enough."""
        return self.rows.encode(self.licence_seq, self.cumulative_units, buffer)

    def enter(self, tallies: Tallies) -> None:
        """Move the tallies, which must be those that the admission was made from."""
        tallies.seqs[self._slots], tallies.units[self._slots], tallies.times[self._slots] = (
            self._ends
        )


def admit(rows: UseRows, tallies: Tallies, terms: LicenceTerms) -> Admission:
    """Return which rows may enter after what the tallies hold; changes nothing that counts."""
    places = terms.places(rows.licence_no)
    faults = _static_faults(rows, places, terms)
    refusals = _told(rows, faults, places, terms)
    kept: Places | None = None
    if refusals:
        kept = np.flatnonzero(faults == 0)
        rows, places = rows.where(kept), places[kept]
    plan = _Plan.make(rows, tallies)
    walked = plan.walk_broken(rows, terms.quota_units, places)
    if walked:
        refusals += [_moved(item, kept) for item in walked]
        refusals.sort(key=lambda item: item.row)
        stay = np.ones(len(rows), bool)
        stay[[item.row for item in walked]] = False
        rows = rows.where(stay)
        kept = np.flatnonzero(stay) if kept is None else kept[stay]
        plan = _Plan.make(rows, tallies)
    return plan.admission(rows, kept, refusals)


def _static_faults(rows: UseRows, places: Places, terms: LicenceTerms) -> npt.NDArray[np.uint8]:
    """Return the first fault of each row that its order does not decide; 0 for none."""
    if not len(terms):
        return np.full(len(rows), RowFault.LICENCE_UNKNOWN, np.uint8)
    delivered = rows.status == _DELIVERED
    safe = np.where(places < 0, 0, places)
    time = rows.used_at_ms
    outside = (time < terms.valid_from_ms[safe]) | (time >= terms.valid_until_ms[safe])
    # A mode beyond the table is a fault already, so the shift stays below the width.
    bit = (np.maximum(rows.mode, 1) - 1).astype(np.uint32) & np.uint32(31)
    not_granted = (terms.modes[safe] >> bit) & np.uint32(1) == 0
    checks: Mapping[RowFault, Flags] = {
        RowFault.MODE_UNKNOWN: _unknown(rows.mode, DeliveryMode),
        RowFault.PURPOSE_UNKNOWN: _unknown(rows.purpose, Purpose),
        RowFault.STATUS_UNKNOWN: _unknown(rows.status, ReceiptStatus),
        RowFault.UNITS_OF_REFUSAL: ~delivered & (rows.units != 0),
        RowFault.LICENCE_UNKNOWN: places < 0,
        RowFault.OUTSIDE_VALIDITY: delivered & outside,
        RowFault.MODE_NOT_GRANTED: delivered & not_granted,
        RowFault.PURPOSE_NOT_GRANTED: delivered & (rows.purpose != terms.purpose[safe]),
        RowFault.LICENCE_SUSPENDED: delivered & terms.paused(places, time),
    }
    faults = np.zeros(len(rows), np.uint8)
    for fault, broken in checks.items():
        if broken.any():
            faults[broken & (faults == 0)] = fault
    return faults


def _unknown(values: npt.NDArray[Any], codes: type[IntEnum]) -> Flags:
    """Return which values are no codes."""
    if not values.any() and 0 in set(codes):
        return np.zeros(len(values), bool)
    table = np.ones(max(codes) + 2, bool)
    table[list(codes)] = False
    unknown: Flags = table[np.minimum(values, len(table) - 1)]
    return unknown


def _told(
    rows: UseRows, faults: npt.NDArray[np.uint8], places: Places, terms: LicenceTerms
) -> list[RowRefusal]:
    refusals = []
    for row in np.flatnonzero(faults).tolist():
        fault = RowFault(int(faults[row]))
        field = _FIELDS[fault]
        got = int(getattr(rows, field)[row])
        refusals.append(
            RowRefusal(row, fault, field, got, _expected(fault, int(places[row]), terms))
        )
    return refusals


def _expected(fault: RowFault, place: int, terms: LicenceTerms) -> Any:
    if fault == RowFault.OUTSIDE_VALIDITY:
        return [int(terms.valid_from_ms[place]), int(terms.valid_until_ms[place])]
    if fault == RowFault.LICENCE_SUSPENDED:
        return [f"outside {start} … {end}" for start, end in terms.pauses[place]]
    if fault == RowFault.MODE_NOT_GRANTED:
        return [mode for mode in DeliveryMode if int(terms.modes[place]) & mode.bit]
    if fault == RowFault.PURPOSE_NOT_GRANTED:
        return int(terms.purpose[place])
    if fault == RowFault.UNITS_OF_REFUSAL:
        return 0
    return "a granted licence" if fault == RowFault.LICENCE_UNKNOWN else "a known code"


def _moved(refusal: RowRefusal, kept: Places | None) -> RowRefusal:
    row = refusal.row if kept is None else int(kept[refusal.row])
    return RowRefusal(row, refusal.fault, refusal.field, refusal.got, refusal.expected)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Numbers that rows would get if all of them entered; places are grouped by licence."""

    group: Grouped
    licences: Places
    """Slot of each licence."""
    before: tuple[Numbers, Numbers, Numbers]
    """licence_seq, units and time of each licence before its first row."""
    seqs: Numbers
    sums: Numbers
    times: Numbers

    @classmethod
    def make(cls, rows: UseRows, tallies: Tallies) -> _Plan:
        group = Grouped.by_slot(tallies.slots(rows.licence_no))
        licences = group.slots[group.heads]
        before = (tallies.seqs[licences], tallies.units[licences], tallies.times[licences])
        place = np.arange(len(rows), dtype=np.uint64)
        units = rows.units[group.order]
        running = np.cumsum(units, dtype=np.uint64)
        seq_base = before[0] + np.uint64(1) - place[group.heads]
        # Wraps around where it must: a licence's own sum stays below 2^64, its quota does.
        sum_base = before[1] + units[group.heads] - running[group.heads]
        return cls(
            group,
            licences,
            before,
            place + group.spread(seq_base),
            running + group.spread(sum_base),
            rows.used_at_ms[group.order],
        )

    def walk_broken(self, rows: UseRows, quota_units: Numbers, places: Places) -> list[RowRefusal]:
        """Return the rows that a clock or a quota refuses.

        Args:
            rows: all of the plan.
            quota_units: of every licence in the terms.
            places: place of each row's licence in the terms.
        """
        if not len(rows):
            return []
        quotas = quota_units[places[self.group.order[self.group.heads]]]
        refused: list[RowRefusal] = []
        ends = self.group.tails + 1
        for number in np.flatnonzero(self._broken(rows, quotas)).tolist():
            order = self.group.order[self.group.heads[number] : ends[number]]
            used, last = int(self.before[1][number]), int(self.before[2][number])
            refused += _walk(rows, order, int(quotas[number]), used, last)
        return refused

    def _broken(self, rows: UseRows, quotas: Numbers) -> Flags:
        """Return for each licence whether its clock or its quota breaks somewhere."""
        group = self.group
        back = np.logical_or.reduceat(
            self.times < group.before(self.times, self.before[2]), group.heads
        )
        # Sums are exact as long as nothing can pass uint64.
        if int(rows.units.max()) * len(rows) + int(self.before[1].max()) > UINT64_MAX:
            return np.ones(len(group.heads), bool)
        over: Flags = self.sums[group.tails] > quotas
        return over | back

    def admission(
        self, rows: UseRows, kept: Places | None, refusals: list[RowRefusal]
    ) -> Admission:
        """Return the numbers in the order of the rows."""
        licence_seq, cumulative_units = np.empty_like(self.seqs), np.empty_like(self.sums)
        licence_seq[self.group.order] = self.seqs
        cumulative_units[self.group.order] = self.sums
        tails = self.group.tails if len(rows) else self.group.heads
        ends = (self.seqs[tails], self.sums[tails], self.times[tails])
        return Admission(rows, kept, licence_seq, cumulative_units, refusals, self.licences, ends)


def _walk(rows: UseRows, order: Places, quota: int, used: int, last: int) -> list[RowRefusal]:
    refused = []
    columns = (order, rows.used_at_ms[order], rows.units[order])
    for row, time, units in zip(*(column.tolist() for column in columns), strict=True):
        if time < last:
            refused.append(RowRefusal(row, RowFault.CLOCK_BACK, "used_at_ms", time, last))
        elif used + units > quota:
            refused.append(RowRefusal(row, RowFault.QUOTA_EXCEEDED, "units", units, quota - used))
        else:
            used, last = used + units, time
    return refused
