"""Reading `receipts.bin`: single receipts, blocks of bytes, blocks as arrays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ledger.codec.receipts import RECEIPT_BYTES, RECEIPT_DTYPE
from ledger.log.errors import LogRangeError

BLOCK_RECEIPTS = 1 << 16
"""Receipts read at once by scans: 6 MiB."""

Receipts = npt.NDArray[np.void]


class ReceiptFile:
    """The receipts on disk; holds no open file, so a writer may grow it meanwhile."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def size(self) -> int:
        """Whole receipts in the file."""
        try:
            return self._path.stat().st_size // RECEIPT_BYTES
        except FileNotFoundError:
            return 0

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes of receipts [start, end).

        Raises:
            LogRangeError: when the file does not hold them all.
        """
        size = self.size
        if not 0 <= start <= end <= size:
            raise LogRangeError(
                f"receipts {start} … {end - 1} are not all in a log of {size}",
                field="index",
                got=end - 1,
                expected=size,
            )
        if start == end:
            return b""
        with self._path.open("rb") as stream:
            stream.seek(start * RECEIPT_BYTES)
            return stream.read((end - start) * RECEIPT_BYTES)

    def array(self, start: int, end: int) -> Receipts:
        """Return receipts [start, end) as records of `RECEIPT_DTYPE`."""
        return np.frombuffer(self.read(start, end), RECEIPT_DTYPE)

    def blocks(self, start: int, end: int) -> Iterator[tuple[int, Receipts]]:
        """Yield (index of the first, records) of successive blocks."""
        for first in range(start, end, BLOCK_RECEIPTS):
            yield first, self.array(first, min(first + BLOCK_RECEIPTS, end))

    def blocks_backwards(self, end: int) -> Iterator[tuple[int, Receipts]]:
        """Yield the same from the end to the beginning."""
        for last in range(end, 0, -BLOCK_RECEIPTS):
            first = max(last - BLOCK_RECEIPTS, 0)
            yield first, self.array(first, last)
