"""Running totals over all receipts of a log: a quick filter first, the rules where it stops.

Rules kept here:
1. The filter of `ledger.codec.kernel` only passes what is plainly right and stops before the rest.
   About a receipt at which it stops `ReceiptRules` decide; the filter resumes behind it from the
   state that they adopt. Where there is no kernel, the rules decide about every receipt.
2. Both ways give the same findings and the same sums.
3. `LISTED_MAX` bad receipts are listed one by one, what comes after them is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ledger.codec import kernel
from ledger.codec.receipts import RECEIPT_DTYPE
from ledger.domain.units import UINT64_MAX
from ledger.verification.blocks import Block
from ledger.verification.findings import Findings
from ledger.verification.log_figures import Tally
from ledger.verification.receipts import PURPOSES, ReceiptRules
from ledger.verification.sold import Licence

LISTED_MAX = 1_000
_LICENCE_AT = slice(8, 16)
_METERS_COUNTED_MAX = 1 << 20
"""Meters up to this number are counted by place, which is quicker than by sorting."""

Receipts = npt.NDArray[np.void]


class Totals:
    """Takes the receipts of a log in their order.

    Args:
        name: how findings name the log.
        licences: licences by number, as granted on chain; None when only the log is at hand.
        findings: where faults go.
        marks: sizes at which the state is kept, for `state_at`.
    """

    def __init__(
        self,
        name: str,
        licences: Mapping[int, Licence] | None,
        findings: Findings,
        marks: Collection[int] = (),
    ) -> None:
        self.bad: dict[int, int | None] = {}
        """The bad receipts that are listed, by index: the licence, where it can be read."""
        self.meters: Counter[int] = Counter()
        """Receipts by meter."""
        self._name = name
        self._findings = findings
        self._rules = ReceiptRules(name, licences)
        self._accounts = _Accounts(licences or {})
        self._marks = sorted(marks)
        self._states: dict[int, dict[int, Tally]] = {}
        self._unlisted = 0
        self._keep(0)

    def take(self, block: Block) -> None:
        """Check the next receipts."""
        receipts = np.frombuffer(block.receipts, RECEIPT_DTYPE)
        self._findings.count("receipts", len(receipts))
        self._count_meters(receipts["meter_no"])
        at = 0
        for mark in [mark for mark in self._marks if block.first < mark <= block.end]:
            self._pass(receipts[at : mark - block.first], block.first + at)
            at = mark - block.first
            self._keep(mark)
        self._pass(receipts[at:], block.first + at)

    def finish(self) -> None:
        """Say how many bad receipts were not listed."""
        if self._unlisted:
            self._findings.add("receipts_more", self._name, self._unlisted, 0)

    def tallies(self) -> dict[int, Tally]:
        """Return where every licence stands."""
        return self._rules.tallies | self._accounts.tallies()

    def state_at(self, mark: int) -> dict[int, Tally] | None:
        """Return where every licence stood at a mark; None when there are fewer receipts."""
        return self._states.get(mark)

    def _keep(self, size: int) -> None:
        if size in self._marks:
            self._states[size] = _copies(self.tallies())

    def _count_meters(self, meters: npt.NDArray[np.uint32]) -> None:
        if len(meters) and (meters == meters[0]).all():
            self.meters[int(meters[0])] += len(meters)
            return
        native = meters.astype(np.uint32)
        if len(native) and int(native.max()) < _METERS_COUNTED_MAX:
            counts = np.bincount(native)
            found = np.flatnonzero(counts)
            numbers, times = found.tolist(), counts[found].tolist()
        else:
            both = np.unique(native, return_counts=True)
            numbers, times = (column.tolist() for column in both)
        for number, count in zip(numbers, times, strict=True):
            self.meters[number] += count

    def _pass(self, receipts: Receipts, first: int) -> None:
        at = 0
        while at < len(receipts):
            at += self._accounts.filter(receipts[at:])
            if at < len(receipts):
                self._decide(first + at, receipts[at].tobytes())
                at += 1

    def _decide(self, index: int, data: bytes) -> None:
        licence_no = int.from_bytes(data[_LICENCE_AT], "big")
        found = Findings()
        tally = self._accounts.load(licence_no)
        if tally is not None:
            self._rules.tallies[licence_no] = tally
        named = self._rules.check(index, data, found)
        if tally is not None:
            self._accounts.store(licence_no, tally)
        if not found.items:
            return
        if len(self.bad) == LISTED_MAX:
            self._unlisted += 1
            return
        self.bad[index] = named
        self._findings.items += found.items


class _Accounts:
    """The states of granted licences, in the form in which the kernel keeps them."""

    def __init__(self, licences: Mapping[int, Licence]) -> None:
        self._numbers = sorted(licences)
        self._rows: npt.NDArray[np.void] = np.zeros(len(licences), kernel.ACCOUNT_DTYPE)
        self._slots = np.full(max(self._numbers, default=0) + 1, kernel.NO_SLOT, np.uint32)
        self._skipped: dict[int, int] = {}
        self._is_native = bool(licences) and kernel.load() is not None
        for slot, number in enumerate(self._numbers):
            self._slots[number] = slot
            self._set_terms(slot, licences[number])

    def _set_terms(self, slot: int, licence: Licence) -> None:
        """Put a licence's terms into its row; what no receipt may name, no receipt passes."""
        is_known = licence.purpose in PURPOSES
        values: dict[str, int] = {
            "modes": licence.modes if is_known else 0,
            "purpose": licence.purpose,
            "valid_from_ms": min(licence.valid_from * 1000, UINT64_MAX),
            "valid_until_ms": min(licence.valid_until_max * 1000, UINT64_MAX),
        }
        for name, value in values.items():
            self._rows[name][slot] = value

    def filter(self, receipts: Receipts) -> int:
        """Return how many receipts from the first on are plainly right, and take them in."""
        if not self._is_native:
            return 0
        passed = kernel.check_receipts(receipts, self._slots, self._rows)
        return 0 if passed is None else int(passed[0])

    def load(self, licence_no: int) -> Tally | None:
        """Return where a licence stands; None when the kernel does not keep it."""
        slot = self._slot(licence_no)
        if slot is None:
            return None
        row = self._rows[slot]
        return _tally(row, self._skipped.get(licence_no, 0))

    def store(self, licence_no: int, tally: Tally) -> None:
        """Set where a licence stands."""
        slot = self._slot(licence_no)
        if slot is None:
            return
        self._skipped[licence_no] = tally.skipped
        values = {"licence_seq": tally.seq, "cumulative_units": tally.units}
        values |= {"used_at_ms": tally.used_at_ms, "refusals": tally.refusals}
        values["records"] = tally.records & UINT64_MAX
        for name, value in values.items():
            self._rows[name][slot] = value

    def tallies(self) -> dict[int, Tally]:
        """Return where the kept licences stand that were used."""
        if not self._is_native:
            return {}
        found = {
            number: _tally(self._rows[slot], self._skipped.get(number, 0))
            for slot, number in enumerate(self._numbers)
        }
        return {number: tally for number, tally in found.items() if tally.seq or tally.skipped}

    def _slot(self, licence_no: int) -> int | None:
        if not self._is_native or licence_no >= len(self._slots):
            return None
        slot = int(self._slots[licence_no])
        return None if slot == kernel.NO_SLOT else slot


def _tally(row: Any, skipped: int) -> Tally:
    return Tally(
        seq=int(row["licence_seq"]),
        units=int(row["cumulative_units"]),
        used_at_ms=int(row["used_at_ms"]),
        records=int(row["records"]),
        refusals=int(row["refusals"]),
        skipped=skipped,
    )


def _copies(tallies: Mapping[int, Tally]) -> dict[int, Tally]:
    return {number: replace(tally) for number, tally in tallies.items()}
