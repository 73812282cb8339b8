"""The Merkle tree over the receipts, without holding the leaves.

Two sources of the same hashes: `ReceiptTree` hashes `receipts.bin` itself and keeps only roots of
full tiles; `TileTree` reads the tiles on disk and hashes receipts only where there is no tile.
"""

from __future__ import annotations

from functools import lru_cache

from ledger.codec.merkle import hash_leaves, tree_root
from ledger.codec.receipts import RECEIPT_BYTES
from ledger.codec.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, decode_tile, tile_root
from ledger.log.layout import LogLayout
from ledger.log.receipt_file import BLOCK_RECEIPTS, ReceiptFile

_TILE_BYTES = TILE_WIDTH * RECEIPT_BYTES


class ReceiptTree:
    """Tree computed from the receipts; costs 32 bytes in memory a tile of 256."""

    def __init__(self, file: ReceiptFile) -> None:
        self._file = file
        self._rows: list[list[bytes]] = [[]]
        """Row k: roots of full tiles of level k, which are the hashes of level k + 1."""

    def extend(self, size: int) -> None:
        """Hash what is needed to answer for the first `size` receipts."""
        full = size - size % TILE_WIDTH
        for start in range(len(self._rows[0]) * TILE_WIDTH, full, BLOCK_RECEIPTS):
            block = memoryview(self._file.read(start, min(start + BLOCK_RECEIPTS, full)))
            for offset in range(0, len(block), _TILE_BYTES):
                leaves = hash_leaves(block[offset : offset + _TILE_BYTES], RECEIPT_BYTES)
                self._push(tile_root(leaves))

    def _push(self, digest: bytes) -> None:
        level = 0
        self._rows[0].append(digest)
        while len(self._rows[level]) % TILE_WIDTH == 0:
            if len(self._rows) == level + 1:
                self._rows.append([])
            self._rows[level + 1].append(tile_root(self._rows[level][-TILE_WIDTH:]))
            level += 1

    def hashes(self, level: int, index: int, start: int, count: int) -> list[bytes]:
        """Return `count` hashes of tile (level, index) from position `start` on."""
        first = index * TILE_WIDTH + start
        if level:
            return self._rows[level - 1][first : first + count]
        return hash_leaves(self._file.read(first, first + count), RECEIPT_BYTES)

    def node(self, level: int, index: int) -> bytes:
        """Return the root of leaves [index · 2^level, (index + 1) · 2^level)."""
        height, span = divmod(level, TILE_HEIGHT)
        tile, start = divmod(index << span, TILE_WIDTH)
        return tile_root(self.hashes(height, tile, start, 1 << span))

    def root(self, size: int) -> bytes:
        """Return the root of the first `size` receipts."""
        self.extend(size)
        return tree_root(size, self.node)


class TileTree:
    """Tree read from full tiles; what lies beyond them is hashed from the receipts.

    A full tile never changes, so it may be cached for ever.
    """

    def __init__(self, layout: LogLayout, file: ReceiptFile) -> None:
        self._layout = layout
        self._file = file
        self._full = lru_cache(maxsize=256)(self._full_tile)
        self._root_of_full = lru_cache(maxsize=1 << 14)(self._full_root)

    def node(self, level: int, index: int) -> bytes:
        """Return the root of leaves [index · 2^level, (index + 1) · 2^level)."""
        height, span = divmod(level, TILE_HEIGHT)
        tile, start = divmod(index << span, TILE_WIDTH)
        return tile_root(self._hashes(height, tile, start, 1 << span))

    def _hashes(self, level: int, index: int, start: int, count: int) -> list[bytes]:
        first = index * TILE_WIDTH
        if ((first + TILE_WIDTH) << (TILE_HEIGHT * level)) <= self._file.size:
            return self._full(level, index)[start : start + count]
        return self._compute(level, first + start, count)

    def _full_tile(self, level: int, index: int) -> list[bytes]:
        path = self._layout.tile(Tile(level, index).path)
        if path.exists():
            return decode_tile(path.read_bytes())
        return self._compute(level, index * TILE_WIDTH, TILE_WIDTH)

    def _compute(self, level: int, first: int, count: int) -> list[bytes]:
        if level == 0:
            return hash_leaves(self._file.read(first, first + count), RECEIPT_BYTES)
        return [self._root_of_full(level - 1, first + step) for step in range(count)]

    def _full_root(self, level: int, index: int) -> bytes:
        return tile_root(self._full(level, index))
