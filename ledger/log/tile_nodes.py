"""Nodes of one tree by its tiles, each read once: for whoever asks for many, from left to right."""

from __future__ import annotations

from functools import lru_cache

from ledger.codec import hashing
from ledger.codec.merkle import HASH_BYTES, NodeSource
from ledger.codec.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, tile_width
from ledger.log.errors import LogRangeError
from ledger.log.reader import LogReader

_TILES_KEPT = 256
"""Tiles kept in memory: 16 KiB each."""


def tile_nodes(reader: LogReader, size: int) -> NodeSource:
    """Return the nodes over the first `size` receipts of a log; one beyond them is refused."""

    @lru_cache(maxsize=_TILES_KEPT)
    def nodes_of(height: int, tile: int) -> tuple[int, bytes]:
        width = tile_width(height, tile, size)
        hashes = reader.tile(Tile(height, tile, width), size) if width else None
        if hashes is None:
            raise LogRangeError(
                f"tile {tile} is not in a log of {size}", field="tile", got=tile, expected=size
            )
        return width, hashing.tile_nodes(hashes)

    def node(level: int, index: int) -> bytes:
        height, span = divmod(level, TILE_HEIGHT)
        tile, place = divmod(index, TILE_WIDTH >> span)
        width, nodes = nodes_of(height, tile)
        at = HASH_BYTES * (sum(width >> row for row in range(span)) + place)
        return nodes[at : at + HASH_BYTES]

    return node
