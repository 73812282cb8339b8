"""The Merkle tree over the receipts, without holding the leaves.

The hashes of tiles from level 1 on lie in `tree/`; level 0 is hashed from the receipts when it is
asked for, and so is what no file holds yet.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from ledger.codec import hashing
from ledger.codec.merkle import HASH_BYTES, NodeSource, tree_root
from ledger.codec.receipts import RECEIPT_BYTES
from ledger.codec.tiles import TILE_HEIGHT, TILE_WIDTH, tile_root
from ledger.log.layout import LogLayout, sync_folder, write_all
from ledger.log.receipt_file import ReceiptFile

_TILES_KEPT = 512
"""Tiles whose nodes are kept in memory: 16 KiB each."""
_NODES_KEPT = 1 << 12
"""Nodes of tiles that are not full yet."""


class HashFile:
    """The hashes of one level, one after the other."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def count(self) -> int:
        """Return how many whole hashes it has."""
        try:
            return self._path.stat().st_size // HASH_BYTES
        except FileNotFoundError:
            return 0

    def read(self, first: int, count: int) -> bytes:
        """Return the bytes of as many of the hashes asked for as there are."""
        try:
            with self._path.open("rb", buffering=0) as stream:
                stream.seek(first * HASH_BYTES)
                data = stream.read(count * HASH_BYTES)
        except FileNotFoundError:
            return b""
        return data[: len(data) - len(data) % HASH_BYTES]

    def replace_from(self, first: int, hashes: bytes) -> None:
        """Put hashes at a place, the last ones of the file; durable on return."""
        self._path.parent.mkdir(exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.ftruncate(descriptor, first * HASH_BYTES)
            os.lseek(descriptor, 0, os.SEEK_END)
            write_all(descriptor, hashes)
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)


class TileTree:
    """Nodes of the tree, by the files; safe to share between threads.

    A node never changes once all receipts below it are committed, so it may be kept for ever.
    """

    def __init__(self, layout: LogLayout, file: ReceiptFile) -> None:
        self._layout = layout
        self._file = file
        self._full_nodes = lru_cache(maxsize=_TILES_KEPT)(self._tile_nodes)
        self._edge_node = lru_cache(maxsize=_NODES_KEPT)(self._run_root)

    def root(self, size: int) -> bytes:
        """Return the root of the first `size` receipts."""
        return tree_root(size, self.nodes(size))

    def nodes(self, size: int) -> NodeSource:
        """Return the nodes over the first `size` receipts, which must be committed."""

        def node(level: int, index: int) -> bytes:
            height, span = divmod(level, TILE_HEIGHT)
            tile, start = divmod(index << span, TILE_WIDTH)
            if ((tile + 1) * TILE_WIDTH) << (TILE_HEIGHT * height) > size:
                return self._edge_node(height, tile * TILE_WIDTH + start, 1 << span)
            # Above the 256 hashes of a tile lie 128 nodes, then 64, and so on.
            place = (2 * TILE_WIDTH - ((2 * TILE_WIDTH) >> span) + (start >> span)) * HASH_BYTES
            return self._full_nodes(height, tile)[place : place + HASH_BYTES]

        return node

    def hashes(self, level: int, first: int, count: int) -> bytes:
        """Return hashes of a level's tiles; the receipts below them must be there."""
        if level == 0:
            return hashing.leaf_hashes(self._file.read(first, first + count), RECEIPT_BYTES)
        found = HashFile(self._layout.hashes(level)).read(first, count)
        done = len(found) // HASH_BYTES
        if done == count:
            return found
        return found + self._below(level, first + done, count - done)

    def _below(self, level: int, first: int, count: int) -> bytes:
        """Return hashes of a level, made from the level below."""
        start, end = first * TILE_WIDTH, (first + count) * TILE_WIDTH
        if level == 1:
            return hashing.tile_roots(self._file.read(start, end), RECEIPT_BYTES)
        return hashing.node_roots(self.hashes(level - 1, start, end - start))

    def _tile_nodes(self, level: int, tile: int) -> bytes:
        """Return the nodes of a full tile, from its hashes up to its root."""
        return hashing.tile_nodes(self.hashes(level, tile * TILE_WIDTH, TILE_WIDTH))

    def _run_root(self, level: int, first: int, count: int) -> bytes:
        """Return the root over a power of two of a tile's hashes."""
        return tile_root(split_hashes(self.hashes(level, first, count)))


def split_hashes(hashes: bytes) -> list[bytes]:
    """Return hashes that lie one after the other as a list."""
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]


class TileRoots:
    """Roots of full tiles while receipts pass by, in pieces of any length."""

    def __init__(self, pending: bytes) -> None:
        """Begin behind the receipts of a tile that is not full, given whole."""
        self._pending = pending
        self._roots = bytearray()

    def feed(self, receipts: memoryview) -> None:
        """Take the next receipts."""
        tile_bytes = TILE_WIDTH * RECEIPT_BYTES
        start = 0
        if self._pending:
            start = min(tile_bytes - len(self._pending), len(receipts))
            self._pending += receipts[:start]
            if len(self._pending) < tile_bytes:
                return
            self._roots += hashing.tile_roots(self._pending, RECEIPT_BYTES)
        end = len(receipts) - (len(receipts) - start) % tile_bytes
        self._roots += hashing.tile_roots(receipts[start:end], RECEIPT_BYTES)
        self._pending = bytes(receipts[end:])

    def roots(self) -> bytes:
        """Return the roots of all tiles that became full."""
        return bytes(self._roots)


def grow_tree(
    layout: LogLayout, old_size: int, size: int, roots_of: Callable[[int, int], bytes]
) -> None:
    """Bring the files of hashes from one size to another; durable on return.

    Args:
        layout: the log.
        old_size: what the files are known to be right for; what lies beyond is written again.
        size: receipts that they shall cover.
        roots_of: (first, end) → roots of these full tiles of receipts.
    """
    level, first, end = 1, old_size // TILE_WIDTH, size // TILE_WIDTH
    while end:
        file = HashFile(layout.hashes(level))
        known = file.count()
        first = min(first, known)
        if first < end or known > end:
            below = HashFile(layout.hashes(level - 1))
            new = roots_of(first, end) if level == 1 else _parents(below, first, end)
            file.replace_from(first, new)
        level, first, end = level + 1, first // TILE_WIDTH, end // TILE_WIDTH
    if layout.tree.exists():
        sync_folder(layout.tree)
    sync_folder(layout.folder)


def _parents(below: HashFile, first: int, end: int) -> bytes:
    return hashing.node_roots(below.read(first * TILE_WIDTH, (end - first) * TILE_WIDTH))
