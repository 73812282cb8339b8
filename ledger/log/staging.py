"""From uses to numbered receipts, before they are durable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ledger.codec.canonical import canonical_json
from ledger.codec.digests import sha256
from ledger.codec.receipts import RECEIPT_BYTES, Receipt, commitment
from ledger.log.admission import Admission, LicenceTerms, RowRefusal, admit
from ledger.log.errors import LogClockError, LogUnitsError
from ledger.log.meters import Meters, ranges_of
from ledger.log.rows import UseRows
from ledger.log.salts import LicenceKeys, receipt_salt
from ledger.log.tallies import Tallies
from ledger.log.use_files import use_line
from ledger.log.values import Appended, LicenceTally, MeterBatch, MeterRange, Taken, Use


@dataclass(slots=True)
class Batch:
    """What one write takes to the disk."""

    receipts: bytearray = field(default_factory=bytearray)
    lines: dict[int, list[bytes]] = field(default_factory=dict)
    """Request records by licence."""
    keys: dict[int, bytes] = field(default_factory=dict)
    """Licence keys that are not on disk yet."""
    meters: list[MeterRange] = field(default_factory=list)
    """Meters' numbers taken in, joined where they follow each other."""

    @property
    def count(self) -> int:
        """Receipts in it."""
        return len(self.receipts) // RECEIPT_BYTES

    def take(self, item: MeterRange) -> None:
        """Note numbers of a meter."""
        last = self.meters[-1] if self.meters else None
        if last and (last.meter_no, last.end_seq) == (item.meter_no, item.first_seq):
            self.meters[-1] = MeterRange(item.meter_no, last.first_seq, item.end_seq)
        else:
            self.meters.append(item)


class Stage:
    """Numbers uses and collects the next batch; the caller holds the log's lock."""

    def __init__(
        self, log_no: int, size: int, tallies: Tallies, meters: Meters, keys: LicenceKeys
    ) -> None:
        self._log_no = log_no
        self.size = size
        """Receipts, staged ones included."""
        self.tallies = tallies
        self.meters = meters
        self._keys = keys
        self._batch = Batch()

    def take(self) -> Batch:
        """Return all that waits and begin a new batch."""
        batch, self._batch = self._batch, Batch()
        batch.keys = self._keys.take_fresh()
        return batch

    def add(self, uses: Sequence[Use]) -> list[Appended]:
        """Number uses and put them into the batch, all or none."""
        tallies: dict[int, LicenceTally] = {}
        appended, encoded, lines = [], [], []
        for offset, use in enumerate(uses):
            before = tallies.get(use.licence_no) or self.tallies.get(use.licence_no)
            request = canonical_json(use.request)
            receipt = self._receipt(use, sha256(request), before)
            encoded.append(receipt.encode())
            lines.append(use_line(receipt.licence_seq, request, use.response_digest))
            appended.append(Appended(self.size + offset, receipt))
            tallies[use.licence_no] = LicenceTally(
                receipt.licence_seq, receipt.cumulative_units, receipt.used_at_ms
            )
        for use, line in zip(uses, lines, strict=True):
            self._batch.lines.setdefault(use.licence_no, []).append(line)
        for licence_no, tally in tallies.items():
            self.tallies.put(licence_no, tally)
        self._enter(b"".join(encoded), self._next_numbers(uses))
        return appended

    def add_batches(
        self, batches: Sequence[MeterBatch], terms: LicenceTerms
    ) -> list[Taken | list[RowRefusal]]:
        """Number rows of meters and put them into the batch, each meter batch whole or not at all.

        What a meter sends again is passed over, also within one call.
        """
        now, later = _apart(batches)
        answers = dict(zip(now, self._add_apart([batches[i] for i in now], terms), strict=True))
        if later:
            rest = self.add_batches([batches[i] for i in later], terms)
            answers |= dict(zip(later, rest, strict=True))
        return [answers[number] for number in range(len(batches))]

    def _add_apart(
        self, batches: Sequence[MeterBatch], terms: LicenceTerms
    ) -> list[Taken | list[RowRefusal]]:
        fresh = [self._fresh(batch) for batch in batches]
        refused: dict[int, list[RowRefusal]] = {}
        while True:
            parts = [part for number, part in enumerate(fresh) if number not in refused]
            if not any(len(part.rows) for part in parts):
                admission = None
                break
            admission = admit(UseRows.join([part.rows for part in parts]), self.tallies, terms)
            if not admission.refusals:
                break
            refused |= _by_part(admission.refusals, fresh, refused)
        taken = self._taken(batches, fresh, refused)
        if admission is not None:
            self._enter_admission(admission, (item for item in taken if isinstance(item, Taken)))
        return taken

    def _enter_admission(self, admission: Admission, taken: Iterable[Taken]) -> None:
        # The meters' numbers first: taking them may be refused, and then nothing has moved.
        self._enter(admission.encode(), [item for part in taken for item in part.ranges])
        admission.enter(self.tallies)

    def _fresh(self, batch: MeterBatch) -> MeterBatch:
        """Return the rows whose numbers are free."""
        if len(batch.seqs) and int(batch.seqs[0]) >= self.meters.next_seq(batch.meter_no):
            return batch
        is_taken = self.meters.are_taken(batch.meter_no, batch.seqs)
        if not is_taken.any():
            return batch
        free = ~is_taken
        return MeterBatch(batch.meter_no, batch.seqs[free], batch.rows.where(free))

    def _taken(
        self,
        batches: Sequence[MeterBatch],
        fresh: Sequence[MeterBatch],
        refused: dict[int, list[RowRefusal]],
    ) -> list[Taken | list[RowRefusal]]:
        answers: list[Taken | list[RowRefusal]] = []
        size = self.size
        for number, (batch, part) in enumerate(zip(batches, fresh, strict=True)):
            if number in refused:
                answers.append(refused[number])
                continue
            repeated = len(batch.rows) - len(part.rows)
            ranges = tuple(ranges_of(part.meter_no, part.seqs))
            answers.append(Taken(size, len(part.rows), repeated, ranges))
            size += len(part.rows)
        return answers

    def _next_numbers(self, uses: Sequence[Use]) -> list[MeterRange]:
        """Return the next numbers of the uses' meters: the log counts for meters of its own."""
        counts: dict[int, int] = {}
        for use in uses:
            counts[use.meter_no] = counts.get(use.meter_no, 0) + 1
        ranges = []
        for meter_no, count in counts.items():
            first = self.meters.next_seq(meter_no)
            ranges.append(MeterRange(meter_no, first, first + count))
        return ranges

    def _enter(self, receipts: bytes | bytearray, ranges: Sequence[MeterRange]) -> None:
        self.meters.take(ranges)
        for item in ranges:
            self._batch.take(item)
        self._batch.receipts += receipts
        self.size += len(receipts) // RECEIPT_BYTES

    def _receipt(self, use: Use, request_digest: bytes, before: LicenceTally) -> Receipt:
        _check(use, before)
        seq = before.licence_seq + 1
        salt = receipt_salt(self._keys.key(use.licence_no), self._log_no, seq)
        return Receipt(
            mode=use.mode,
            purpose=use.purpose,
            meter_no=use.meter_no,
            licence_no=use.licence_no,
            licence_seq=seq,
            used_at_ms=use.used_at_ms,
            version_no=use.version_no,
            status=use.status,
            units=use.units,
            cumulative_units=before.cumulative_units + use.units,
            records=use.records,
            commitment=commitment(salt, request_digest, use.response_digest),
        )


def _apart(batches: Sequence[MeterBatch]) -> tuple[list[int], list[int]]:
    """Return places of batches whose numbers cannot meet, and of those that come after them."""
    spans: dict[int, list[tuple[int, int]]] = {}
    highest: dict[int, int] = {}
    now: list[int] = []
    later: list[int] = []
    for place, batch in enumerate(batches):
        known = spans.setdefault(batch.meter_no, [])
        first, last = (int(batch.seqs[0]), int(batch.seqs[-1])) if len(batch.seqs) else (0, -1)
        # Meters count up, so hardly ever must all spans be compared.
        meets = first <= highest.get(batch.meter_no, -1) and any(
            first <= other_last and other_first <= last for other_first, other_last in known
        )
        (later if meets else now).append(place)
        known.append((first, last))
        highest[batch.meter_no] = max(highest.get(batch.meter_no, -1), last)
    return now, later


def _by_part(
    refusals: Sequence[RowRefusal],
    fresh: Sequence[MeterBatch],
    refused: dict[int, list[RowRefusal]],
) -> dict[int, list[RowRefusal]]:
    """Return refusals of joined rows by the batch they came in, rows counted within it."""
    parts = [number for number in range(len(fresh)) if number not in refused]
    ends = np.cumsum([len(fresh[number].rows) for number in parts])
    found: dict[int, list[RowRefusal]] = {}
    for item in refusals:
        place = int(np.searchsorted(ends, item.row, side="right"))
        first = int(ends[place - 1]) if place else 0
        own = RowRefusal(item.row - first, item.fault, item.field, item.got, item.expected)
        found.setdefault(parts[place], []).append(own)
    return found


def _check(use: Use, before: LicenceTally) -> None:
    if use.used_at_ms < before.last_used_at_ms:
        raise LogClockError(
            f"licence {use.licence_no} was used at {before.last_used_at_ms}, "
            f"after {use.used_at_ms}",
            field="used_at_ms",
            got=use.used_at_ms,
            expected=before.last_used_at_ms,
        )
    if use.status != 0 and use.units != 0:
        raise LogUnitsError(
            f"a use of status {use.status} bills no units, got {use.units}",
            field="units",
            got=use.units,
            expected=0,
        )
