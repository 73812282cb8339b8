"""Very many rows as one commit: all that may enter does, or nothing when anything goes wrong.

Reading and numbering, hashing, and writing go on side by side, some pieces apart, in memory that
does not grow with the file.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ledger.codec.receipts import RECEIPT_BYTES
from ledger.codec.tiles import TILE_WIDTH
from ledger.log.admission import LicenceTerms, RowRefusal, admit
from ledger.log.meter_files import Piece
from ledger.log.meters import Meters, ranges_of
from ledger.log.receipt_file import ReceiptFile
from ledger.log.tallies import Flags, Numbers, Places, Tallies
from ledger.log.tree import TileRoots
from ledger.log.values import MeterRange

PIECES_UNDER_WAY = 4

MeterNos = npt.NDArray[np.uint32]
Refuse = Callable[[list[RowRefusal]], None]
Progress = Callable[[int], None]


@dataclass(slots=True)
class Imported:
    """What became of a file's rows."""

    rows: int = 0
    taken: int = 0
    repeated: int = 0
    """Passed over: their numbers are in the log already."""
    refused: int = 0
    size: int = 0
    """Receipts in the log after it."""


class Bulk:
    """Brings rows behind the last commit of a log; the caller commits, or cuts them off."""

    def __init__(
        self,
        receipts: Path,
        size: int,
        tallies: Tallies,
        meters: Meters,
        terms: LicenceTerms,
    ) -> None:
        self._path = receipts
        self._size = size
        self._tallies = tallies
        self._meters = meters
        self._terms = terms
        first = size - size % TILE_WIDTH
        self._roots = TileRoots(ReceiptFile(receipts).read(first, size))
        self.ranges: list[MeterRange] = []
        self.result = Imported(size=size)

    def run(self, pieces: Iterable[Piece], refuse: Refuse, progress: Progress) -> bytes:
        """Number, write and hash all pieces, durable on return, but not committed.

        Returns:
            The roots of the tiles that became full.
        """
        descriptor = os.open(self._path, os.O_WRONLY)
        try:
            self._run(descriptor, pieces, refuse, progress)
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        return self._roots.roots()

    def _run(
        self, descriptor: int, pieces: Iterable[Piece], refuse: Refuse, progress: Progress
    ) -> None:
        with (
            ThreadPoolExecutor(1) as reader,
            ThreadPoolExecutor(1) as hasher,
            ThreadPoolExecutor(1) as writer,
        ):
            under_way: deque[Future[None]] = deque()
            source = iter(pieces)
            coming = reader.submit(next, source, None)
            while (piece := coming.result()) is not None:
                coming = reader.submit(next, source, None)
                offset = self._size * RECEIPT_BYTES
                receipts = memoryview(self._admit(piece, refuse))
                under_way.append(hasher.submit(self._roots.feed, receipts))
                under_way.append(writer.submit(_write_at, descriptor, receipts, offset))
                while len(under_way) > 2 * PIECES_UNDER_WAY:
                    under_way.popleft().result()
                progress(self.result.rows)
            for waiting in under_way:
                waiting.result()

    def _admit(self, piece: Piece, refuse: Refuse) -> bytearray:
        fresh = self._fresh(piece)
        places, rows, seqs = piece.places, piece.rows, piece.seqs
        if fresh is not None:
            places, rows, seqs = places[fresh], rows.where(fresh), seqs[fresh]
        admission = admit(rows, self._tallies, self._terms)
        refusals = piece.malformed + [_at(item, places) for item in admission.refusals]
        admission.enter(self._tallies)
        taken = seqs if admission.kept is None else seqs[admission.kept]
        self._take(admission.rows.meter_no, taken)
        self._count(piece, len(rows), len(admission.rows), refusals)
        if refusals:
            refuse(sorted(refusals, key=lambda item: item.row))
        return admission.encode()

    def _fresh(self, piece: Piece) -> Places | None:
        """Return places of the rows whose numbers come for the first time; None for all."""
        is_fresh = np.ones(len(piece.seqs), bool)
        for meter_no, own in _by_meter(piece.rows.meter_no):
            seqs = piece.seqs[own]
            fresh = ~self._meters.are_taken(meter_no, seqs)
            if np.any(seqs[1:] <= seqs[:-1]):
                firsts = np.zeros(len(seqs), bool)
                firsts[np.unique(seqs, return_index=True)[1]] = True
                fresh &= firsts
            is_fresh[own] = fresh
        return None if is_fresh.all() else np.flatnonzero(is_fresh)

    def _take(self, meter_nos: MeterNos, seqs: Numbers) -> None:
        for meter_no, own in _by_meter(meter_nos):
            ranges = ranges_of(meter_no, np.sort(seqs[own]))
            self._meters.take(ranges)
            self.ranges += ranges

    def _count(self, piece: Piece, fresh: int, taken: int, refusals: list[RowRefusal]) -> None:
        result = self.result
        result.rows += piece.row_count
        result.repeated += len(piece.seqs) - fresh
        result.refused += len(refusals)
        result.taken += taken
        self._size += taken
        result.size = self._size


def _by_meter(meter_nos: MeterNos) -> Iterable[tuple[int, Flags | slice]]:
    """Return meters with the places of their rows."""
    if not len(meter_nos):
        return []
    if (meter_nos == meter_nos[0]).all():
        return [(int(meter_nos[0]), slice(None))]
    return [(int(meter_no), meter_nos == meter_no) for meter_no in np.unique(meter_nos)]


def _at(refusal: RowRefusal, places: Places) -> RowRefusal:
    row = int(places[refusal.row])
    return RowRefusal(row, refusal.fault, refusal.field, refusal.got, refusal.expected)


def _write_at(descriptor: int, data: memoryview, offset: int) -> None:
    while data:
        written = os.pwrite(descriptor, data, offset)
        data, offset = data[written:], offset + written
