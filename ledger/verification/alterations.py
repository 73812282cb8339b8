"""Which receipt was altered: the row of hashes names the run of 256, a search names the receipt.

A changed bit is found without a second copy: the one receipt that leads to the recorded root once
a bit is turned back. Receipts that already break a rule are tried first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ledger.codec.hashing import leaf_hashes
from ledger.codec.receipts import RECEIPT_BYTES
from ledger.verification.merkle import Path, ReadReceipts, climb_all

_NUMBERED = {0, *range(8, 24), *range(40, 56)}
"""Bytes whose change breaks a rule at the receipt itself: format, licence, its running numbers."""
_BITS = [(place, 1 << bit) for place in range(RECEIPT_BYTES) for bit in range(8)]
_OTHER_BITS = [(place, mask) for place, mask in _BITS if place not in _NUMBERED]
_BYTES = [(place, mask) for place in range(RECEIPT_BYTES) for mask in range(1, 256)]
_TRIED_AT_ONCE = 2_048
_SUSPECTS_MAX = 4


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
        suspects: receipts that break a rule; they come first, and every change of one byte is
            tried for a few of them.
    """
    known = sorted(ways, key=lambda way: way[0] not in suspects)
    tries = [(way, _BITS if way[0] in suspects else _OTHER_BITS) for way in known]
    tries += [(way, _BYTES) for way in known[:_SUSPECTS_MAX] if way[0] in suspects]
    for (index, path), changes in tries:
        found = _try(index, path, root, read(index, index + 1), changes)
        if found is not None:
            return found
    return None


def _try(
    index: int, path: Path, root: bytes, receipt: bytes, changes: list[tuple[int, int]]
) -> Alteration | None:
    for start in range(0, len(changes), _TRIED_AT_ONCE):
        others = _changed(receipt, changes[start : start + _TRIED_AT_ONCE])
        roots = climb_all(leaf_hashes(others, RECEIPT_BYTES), path)
        if root in roots:
            at = roots.index(root) * RECEIPT_BYTES
            return Alteration(index, receipt, others[at : at + RECEIPT_BYTES])
    return None


def _changed(receipt: bytes, changes: list[tuple[int, int]]) -> bytes:
    """Return a copy of a receipt for each change of one byte, one after the other."""
    copies = np.tile(np.frombuffer(receipt, np.uint8), (len(changes), 1))
    places, masks = np.array(changes).T
    copies[np.arange(len(changes)), places] ^= masks.astype(np.uint8)
    return copies.tobytes()
