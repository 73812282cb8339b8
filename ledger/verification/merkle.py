"""A Merkle tree of the verifier's own: rows of hashes over the receipts, roots of any size.

Rules kept here:
1. Leaf = SHA-256(0x00 ‖ receipt), node = SHA-256(0x01 ‖ left ‖ right), trees as RFC 9162
   section 2.1.1.
2. Row 0 are the leaves, which are not kept; hash i of row k is the root over the receipts
   [i · 256^k, (i + 1) · 256^k). Only full runs have a hash: 26 MiB for 210 million receipts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from ledger.codec.hashing import HASHLIB, engine, leaf_hashes, node_roots, tile_nodes
from ledger.codec.receipts import RECEIPT_BYTES

HASH_BYTES = 32
WIDTH = 256
"""Hashes of one row that make one of the next."""

ReadReceipts = Callable[[int, int], bytes]
"""(first, end) → the bytes of these receipts."""
Path = list[tuple[bool, bytes]]
"""Hashes beside the way from a leaf to a root, each with whether it stands on the left."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node over its two children."""
    return sha256(b"\x01" + left + right).digest()


def climb(leaf: bytes, path: Path) -> bytes:
    """Return the root to which a leaf's hash leads."""
    for is_left, beside in path:
        leaf = node_hash(beside, leaf) if is_left else node_hash(leaf, beside)
    return leaf


def climb_all(leaves: bytes, path: Path) -> list[bytes]:
    """Return the roots to which leaves' hashes lead that stand at one place in turn."""
    if engine() == HASHLIB:
        return [
            climb(leaves[at : at + HASH_BYTES], path) for at in range(0, len(leaves), HASH_BYTES)
        ]
    hashes = np.frombuffer(leaves, np.uint8).reshape(-1, HASH_BYTES)
    for is_left, beside in path:
        pairs = np.empty((len(hashes), 2, HASH_BYTES), np.uint8)
        pairs[:, int(not is_left)] = np.frombuffer(beside, np.uint8)
        pairs[:, int(is_left)] = hashes
        hashes = np.frombuffer(_parents(pairs), np.uint8).reshape(-1, HASH_BYTES)
    return [row.tobytes() for row in hashes]


def _parents(pairs: npt.NDArray[np.uint8]) -> bytes:
    """Return the node over each pair; the engine computes them a tile at a time."""
    found = []
    for start in range(0, len(pairs), WIDTH // 2):
        some = pairs[start : start + WIDTH // 2]
        nodes = tile_nodes(some.tobytes())
        found.append(nodes[some.nbytes : some.nbytes + some.nbytes // 2])
    return b"".join(found)


def upper_row(row: bytes) -> bytes:
    """Return the row above: one hash for each full run of 256."""
    whole = len(row) - len(row) % (WIDTH * HASH_BYTES)
    return node_roots(memoryview(row)[:whole])


class ReceiptRows:
    """The tree over the receipts, as rows.

    Args:
        read: gives receipts again, for the few leaves that a root needs one by one.
    """

    def __init__(self, read: ReadReceipts) -> None:
        self._read = read
        self._first = bytearray()
        self._rows: list[bytes] = []
        self._upper_peaks = lru_cache(maxsize=1 << 12)(self._peaks)

    def add(self, roots: bytes) -> None:
        """Take the roots of the next full runs of 256 receipts."""
        self._first += roots

    def finish(self) -> None:
        """Compute the upper rows."""
        self._rows = [bytes(self._first)]
        while len(self._rows[-1]) >= WIDTH * HASH_BYTES:
            self._rows.append(upper_row(self._rows[-1]))

    def row(self, number: int) -> bytes:
        """Return row `number`, from 1 on; empty where there is none."""
        return self._rows[number - 1] if number <= len(self._rows) else b""

    def root(self, size: int) -> bytes:
        """Return the root over the first `size` receipts."""
        peaks = self._all_peaks(size)
        return _folded(peaks) if peaks else sha256(b"").digest()

    def ways_in_run(self, first: int) -> list[tuple[int, Path]]:
        """Return each receipt of a full run with its way to the root over the run."""
        nodes = self._nodes(0, first, first + WIDTH)
        return [(first + at, _way(nodes, WIDTH, at, 8)) for at in range(WIDTH)]

    def ways_at_end(self, size: int) -> list[tuple[int, Path]]:
        """Return each receipt of the last, partial run with its way to the root over `size`."""
        first, width = size - size % WIDTH, size % WIDTH
        nodes, peaks = self._nodes(0, first, size), self._all_peaks(size)
        ways = []
        for height in [bit for bit in range(8) if width >> bit & 1]:
            below = (width & ((1 << height) - 1)).bit_count()
            right = [(False, _folded(peaks[:below]))] if below else []
            beside = right + [(True, peak) for peak in peaks[below + 1 :]]
            end = width >> height << height
            for at in range(end - (1 << height), end):
                ways.append((first + at, _way(nodes, width, at, height) + beside))
        return sorted(ways)

    def _all_peaks(self, size: int) -> list[bytes]:
        """Return the roots of the perfect subtrees of a tree, the rightmost first."""
        peaks: list[bytes] = []
        number, count = 0, size
        while count:
            peaks += self._upper_peaks(number, count) if number else self._peaks(0, count)
            number, count = number + 1, count // WIDTH
        return peaks

    def _peaks(self, number: int, count: int) -> list[bytes]:
        width = count % WIDTH
        if not width:
            return []
        nodes = self._nodes(number, count - width, count)
        return [
            _node(nodes, width, bit, (width >> bit) - 1) for bit in range(8) if width >> bit & 1
        ]

    def _nodes(self, number: int, first: int, end: int) -> bytes:
        if number == 0:
            return tile_nodes(leaf_hashes(self._read(first, end), RECEIPT_BYTES))
        return tile_nodes(self._rows[number - 1][first * HASH_BYTES : end * HASH_BYTES])


def _node(nodes: bytes, width: int, level: int, index: int) -> bytes:
    """Return a node of a tile's nodes, which lie level by level, those of the tile first."""
    at = sum(width >> below for below in range(level)) + index
    return nodes[at * HASH_BYTES : (at + 1) * HASH_BYTES]


def _folded(peaks: list[bytes]) -> bytes:
    """Return the root over perfect subtrees that lie side by side, the rightmost first."""
    root = peaks[0]
    for peak in peaks[1:]:
        root = node_hash(peak, root)
    return root


def _way(nodes: bytes, width: int, offset: int, height: int) -> Path:
    return [
        (bool(offset >> level & 1), _node(nodes, width, level, offset >> level ^ 1))
        for level in range(height)
    ]
