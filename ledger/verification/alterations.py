"""Which receipt was altered: the row of hashes names the run of 256, a search names the receipt.

A changed bit is found without a second copy: the one receipt that leads to the recorded root once
a bit is turned back. Receipts that already break a rule are tried first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ledger.codec.receipts import RECEIPT_BYTES
from ledger.verification.merkle import Path, ReadReceipts, climb, leaf_hash

_BITS = tuple(1 << bit for bit in range(8))
_BYTES = tuple(range(1, 256))


@dataclass(frozen=True, slots=True)
class Alteration:
    """A receipt as it is and as it was signed."""

    index: int
    got: bytes
    expected: bytes

    @property
    def licence_no(self) -> int:
        """Licence of the receipt that was signed."""
        return int.from_bytes(self.expected[8:16], "big")


def find_alteration(
    ways: Iterable[tuple[int, Path]], root: bytes, read: ReadReceipts, suspects: set[int]
) -> Alteration | None:
    """Return the one receipt whose change explains a root; None when more was changed.

    Args:
        ways: receipts in question, each with its way to the root.
        root: the root that was recorded.
        read: gives receipts.
        suspects: receipts that break a rule; for them every change of one byte is tried.
    """
    known = list(ways)
    for index, path in known:
        if index in suspects:
            found = _try(index, path, root, read(index, index + 1), _BYTES)
            if found is not None:
                return found
    for index, path in known:
        if index not in suspects:
            found = _try(index, path, root, read(index, index + 1), _BITS)
            if found is not None:
                return found
    return None


def _try(
    index: int, path: Path, root: bytes, receipt: bytes, masks: tuple[int, ...]
) -> Alteration | None:
    for other in _changed(receipt, masks):
        if climb(leaf_hash(other), path) == root:
            return Alteration(index, receipt, other)
    return None


def _changed(receipt: bytes, masks: tuple[int, ...]) -> Iterator[bytes]:
    for place in range(min(len(receipt), RECEIPT_BYTES)):
        for mask in masks:
            changed = bytearray(receipt)
            changed[place] ^= mask
            yield bytes(changed)
