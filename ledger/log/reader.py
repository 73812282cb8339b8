"""Reading a log: receipts, tallies, roots and proofs, beside a live writer.

Takes no lock and writes nothing. Receipts may arrive between two calls; whoever needs one state
passes its `size`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ledger.codec.merkle import consistency_path, inclusion_path
from ledger.codec.receipts import RECEIPT_BYTES, Receipt
from ledger.codec.tiles import TILE_HEIGHT, Tile, encode_bundle, tile_width
from ledger.log.books import read_books
from ledger.log.checkpoints import read_last_checkpoint
from ledger.log.commits import committed_size
from ledger.log.errors import LogRangeError
from ledger.log.identity import read_identity
from ledger.log.layout import LogLayout
from ledger.log.receipt_file import ReceiptFile, Receipts
from ledger.log.snapshot import read_snapshot
from ledger.log.tallies import Tallies, read_tallies
from ledger.log.tree import TileTree
from ledger.log.use_files import open_receipt
from ledger.log.values import Checkpoint, LicenceTally


class LogReader:
    """Reader of one log on disk; safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        """Read who the log is.

        Raises:
            LogMissingError: when the folder holds no log.
        """
        self._layout = LogLayout(Path(folder))
        self._identity = read_identity(self._layout)
        self._file = ReceiptFile(self._layout.receipts)
        self._tree = TileTree(self._layout, self._file)

    @property
    def origin(self) -> str:
        """The log's name in checkpoints."""
        return self._identity.origin

    @property
    def log_no(self) -> int:
        """The log's number on chain."""
        return self._identity.log_no

    @property
    def size(self) -> int:
        """Committed receipts."""
        return committed_size(self._layout.commits)

    def vkey(self) -> str:
        """Return the verifier key of the checkpoints."""
        return self._identity.vkey

    def checkpoint(self) -> Checkpoint | None:
        """Return the last signed checkpoint, signature checked; None before the first.

        Raises:
            MalformedNoteError, UnverifiedNoteError: when the file is not this log's note.
        """
        return read_last_checkpoint(self._layout, self._identity.vkey)

    def receipt(self, index: int) -> Receipt:
        """Return one receipt.

        Raises:
            LogRangeError: when the log has no such index.
        """
        return Receipt.decode(self.receipt_bytes(index))

    def receipt_bytes(self, index: int) -> bytes:
        """Return the 96 bytes of one receipt.

        Raises:
            LogRangeError: when the log has no such index.
        """
        self._size(index + 1)
        return self._file.read(index, index + 1)

    def root(self, size: int) -> bytes:
        """Return the root of the first `size` receipts.

        Raises:
            LogRangeError: when the log is smaller.
        """
        return self._tree.root(self._size(size))

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """Return the RFC 9162 path of a receipt in the first `size`, read from the tiles.

        Raises:
            LogRangeError: when the log is smaller.
            TreeRangeError: unless index < size.
        """
        return inclusion_path(index, size, self._tree.nodes(self._size(size)))

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """Return the RFC 9162 proof that the first `old` receipts begin the first `new`.

        Raises:
            LogRangeError: when the log is smaller.
            TreeRangeError: unless 0 ≤ old ≤ new.
        """
        return consistency_path(old, new, self._tree.nodes(self._size(new)))

    def tile(self, tile: Tile, size: int) -> bytes | None:
        """Return a C2SP tile or entry bundle of the tree of `size` receipts; None beyond it.

        Raises:
            LogRangeError: when the log is smaller.
        """
        level = tile.level or 0
        if tile.width > tile_width(level, tile.index, self._size(size)):
            return None
        first = tile.index << TILE_HEIGHT
        if tile.level is not None:
            return self._tree.hashes(level, first, tile.width)
        block = self._file.read(first, first + tile.width)
        return encode_bundle(
            [block[at : at + RECEIPT_BYTES] for at in range(0, len(block), RECEIPT_BYTES)]
        )

    def latest(
        self, licence_no: int, *, size: int | None = None, before_ms: int | None = None
    ) -> tuple[int, Receipt] | None:
        """Return index and receipt of a licence's last use.

        Args:
            licence_no: the licence.
            size: only among the first `size` receipts.
            before_ms: only uses earlier than this moment (Unix milliseconds).
        """
        for first, block in self._file.blocks_backwards(self._size(size)):
            found = block["licence_no"] == licence_no
            if before_ms is not None:
                found &= block["used_at_ms"] < before_ms
            rows = np.flatnonzero(found)
            if rows.size:
                return _numbered(first, block, int(rows[-1]))
        return None

    def last_uses(
        self, licence_nos: Collection[int], size: int | None = None
    ) -> dict[int, tuple[int, Receipt]]:
        """Return index and receipt of the last use of each of many licences, read in one go.

        Args:
            licence_nos: the licences; those without a use are left out.
            size: only among the first `size` receipts.
        """
        missing = np.unique(np.fromiter(licence_nos, np.uint64, len(licence_nos)))
        found: dict[int, tuple[int, Receipt]] = {}
        for first, block in self._file.blocks_backwards(self._size(size)):
            if not missing.size:
                break
            backwards = block["licence_no"][::-1].astype(np.uint64)
            numbers, places = np.unique(backwards, return_index=True)
            wanted = np.isin(numbers, missing, assume_unique=True)
            for number, place in zip(numbers[wanted], places[wanted], strict=True):
                found[int(number)] = _numbered(first, block, len(block) - 1 - int(place))
            missing = np.setdiff1d(missing, numbers, assume_unique=True)
        return found

    def tally(self, licence_no: int) -> LicenceTally:
        """Return where a licence stands, without reading what the snapshot covers.

        Raises:
            LogCorruptError: naming the first receipt that breaks a rule.
        """
        return read_books(self._layout, read_snapshot(self._layout)).tallies.get(licence_no)

    def tallies(self, size: int | None = None) -> dict[int, LicenceTally]:
        """Return where every licence stands after `size` receipts, all rules checked.

        Raises:
            LogCorruptError: naming the first receipt that breaks a rule.
        """
        tallies: Tallies = read_tallies(self._file, self._size(size))
        return dict(tallies)

    def receipts(
        self, licence_no: int | None = None, *, start: int = 0, size: int | None = None
    ) -> Iterator[tuple[int, Receipt]]:
        """Yield (index, receipt) in order, of one licence or of all.

        Args:
            licence_no: only this licence.
            start: first index.
            size: only among the first `size` receipts; those on disk now by default.
        """
        for first, block in self._file.blocks(start, self._size(size)):
            wanted = np.ones(len(block), bool)
            if licence_no is not None:
                wanted = block["licence_no"] == licence_no
            for row in np.flatnonzero(wanted):
                yield _numbered(first, block, int(row))

    def opening(self, index: int) -> dict[str, Any]:
        """Return request, request_digest, response_digest and salt (0x hex) of one receipt.

        Raises:
            LogErasedError: when they were destroyed.
            LogCorruptError: when they are missing or do not open the commitment.
            LogRangeError: when the log has no such index.
        """
        return open_receipt(self._layout, self.log_no, index, self.receipt(index))

    def _size(self, size: int | None) -> int:
        have = self.size
        if size is not None and not 0 <= size <= have:
            raise LogRangeError(
                f"size {size} is not within a log of {have}",
                field="size",
                got=size,
                expected=have,
            )
        return have if size is None else size


def _numbered(first: int, block: Receipts, row: int) -> tuple[int, Receipt]:
    return first + row, Receipt.decode(block[row : row + 1].tobytes())
