"""C2SP tiles: a Merkle tree and its entries as immutable files of 256.

Rules kept here:
1. Paths, widths and contents as c2sp.org/tlog-tiles: a tile of level L holds hashes of height 8·L.
2. A partial tile has 1 … 255 hashes and never feeds the level above.
3. An entry bundle holds the entries of one level-0 tile, each after its uint16 length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ledger.codec.errors import MalformedTileError
from ledger.codec.merkle import HASH_BYTES, parents

TILE_WIDTH = 256
TILE_HEIGHT = 8
LEVEL_MAX = 63
ENTRY_BYTES_MAX = 2**16 - 1

_PATH = re.compile(
    r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """Which tile: `level` None for an entry bundle; `width` 256 unless partial."""

    level: int | None
    index: int
    width: int = TILE_WIDTH

    @property
    def is_partial(self) -> bool:
        """Whether the tile is not yet full."""
        return self.width < TILE_WIDTH

    @property
    def path(self) -> str:
        """The path below the log's prefix, e.g. `tile/0/x001/x234/067.p/12`."""
        kind = "entries" if self.level is None else str(self.level)
        partial = f".p/{self.width}" if self.is_partial else ""
        return f"tile/{kind}/{index_path(self.index)}{partial}"

    @classmethod
    def parse(cls, path: str) -> Tile:
        """Return the tile of a path.

        Raises:
            MalformedTileError: when the path is not exactly of the C2SP form.
        """
        match = _PATH.fullmatch(path)
        if match is None:
            raise _malformed(f"not a tile path: {path!r}", path)
        kind, index, width = match.groups()
        level = None if kind == "entries" else int(kind)
        tile = cls(level, int(index.replace("x", "").replace("/", "")), int(width or TILE_WIDTH))
        if tile.path != path or (level or 0) > LEVEL_MAX:
            raise _malformed(f"not the one path of a tile: {path!r}", path)
        return tile


def index_path(index: int) -> str:
    """Return a tile index in groups of three digits: 1234067 → `x001/x234/067`."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    return "/".join(reversed(groups))


def tile_width(level: int, index: int, size: int) -> int:
    """Return how many hashes tile (level, index) has in a tree of `size` leaves: 0 … 256."""
    whole = (size >> (TILE_HEIGHT * level)) - index * TILE_WIDTH
    return min(max(whole, 0), TILE_WIDTH)


def new_tiles(old_size: int, size: int) -> Iterator[Tile]:
    """Yield the hash tiles that a tree of `size` has and a tree of `old_size` had not, level 0 up.

    A tile that grew is yielded with its new width.
    """
    level = 0
    while size >> (TILE_HEIGHT * level):
        old_count, count = old_size >> (TILE_HEIGHT * level), size >> (TILE_HEIGHT * level)
        if count > old_count:
            for index in range(old_count // TILE_WIDTH, (count - 1) // TILE_WIDTH + 1):
                yield Tile(level, index, tile_width(level, index, size))
        level += 1


def tile_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root of a power of two of hashes, such as a full tile."""
    row = list(hashes)
    if not row or len(row) & (len(row) - 1):
        raise _malformed("only a power of two of hashes has one root", len(row))
    while len(row) > 1:
        row = parents(row)
    return row[0]


def encode_tile(hashes: Sequence[bytes]) -> bytes:
    """Return the content of a tile: its hashes, one after the other."""
    return b"".join(hashes)


def decode_tile(data: bytes) -> list[bytes]:
    """Return the hashes of a tile's content.

    Raises:
        MalformedTileError: unless it is 1 … 256 whole hashes.
    """
    count, rest = divmod(len(data), HASH_BYTES)
    if rest or not 1 <= count <= TILE_WIDTH:
        raise _malformed(f"a tile is 1 … 256 hashes of {HASH_BYTES} bytes", len(data))
    return [data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES)]


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return the content of an entry bundle.

    Raises:
        MalformedTileError: for an entry longer than 65,535 bytes.
    """
    for entry in entries:
        if len(entry) > ENTRY_BYTES_MAX:
            raise _malformed(f"an entry has at most {ENTRY_BYTES_MAX} bytes", len(entry))
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(data: bytes) -> list[bytes]:
    """Return the entries of a bundle.

    Raises:
        MalformedTileError: when a length runs past the end, or there are more than 256 entries.
    """
    entries, position = [], 0
    while position < len(data):
        start = position + 2
        position = start + int.from_bytes(data[start - 2 : start], "big")
        if start > len(data) or position > len(data):
            raise _malformed("an entry runs past the end of its bundle", len(data))
        entries.append(data[start:position])
    if len(entries) > TILE_WIDTH:
        raise _malformed(f"a bundle has at most {TILE_WIDTH} entries", len(entries))
    return entries


def _malformed(detail: str, got: object) -> MalformedTileError:
    return MalformedTileError(detail, field="tile", got=got, expected="c2sp.org/tlog-tiles")
