"""The tiles of a log, compared with hashes computed from its receipts.

Source: c2sp.org/tlog-tiles.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ledger.codec.errors import MalformedTileError
from ledger.codec.tiles import TILE_WIDTH, Tile, decode_bundle
from ledger.verification.findings import Findings
from ledger.verification.merkle import perfect_root

_HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Difference:
    """A receipt whose hash or bytes are not those of its tile or bundle."""

    index: int
    path: str
    got: bytes
    """What the tile or bundle holds."""
    expected: bytes
    """What follows from the receipts."""


class TileCheck:
    """Takes the receipts in order and compares each tile as soon as it is full.

    Args:
        folder: the log's folder.
        name: how findings name the log.
        findings: where faults of files and upper tiles go; differences of single receipts are kept
            in `differences`, because who is wrong is known only at the end.
    """

    def __init__(self, folder: Path, name: str, findings: Findings) -> None:
        self.differences: list[Difference] = []
        self._folder = folder
        self._name = name
        self._findings = findings
        self._rows: list[list[bytes]] = [[]]
        self._next: list[int] = [0]
        self._receipts: list[bytes] = []
        self._seen: set[Path] = set()

    def add(self, leaf: bytes, receipt: bytes) -> None:
        """Take the next receipt and its leaf hash."""
        self._receipts.append(receipt)
        self._push(0, leaf)

    def finish(self) -> None:
        """Compare the tiles that are not full, and name files that belong to no tile."""
        for level, row in enumerate(self._rows):
            if row:
                self._compare(level, self._next[level], row)
        self._find_strangers()

    def _push(self, level: int, value: bytes) -> None:
        if level == len(self._rows):
            self._rows.append([])
            self._next.append(0)
        row = self._rows[level]
        row.append(value)
        if len(row) < TILE_WIDTH:
            return
        self._compare(level, self._next[level], row)
        self._rows[level] = []
        self._next[level] += 1
        self._push(level + 1, perfect_root(row))

    def _compare(self, level: int, index: int, row: list[bytes]) -> None:
        tile = Tile(level, index, len(row))
        data = self._read(tile)
        if data is not None:
            self._compare_hashes(tile, data, row)
        self._compare_older(tile, row)
        if level == 0:
            self._compare_bundle(Tile(None, index, len(row)))
            self._receipts = []

    def _read(self, tile: Tile) -> bytes | None:
        path = self._folder / tile.path
        self._seen.add(path)
        self._findings.count("tiles")
        try:
            return path.read_bytes()
        except OSError:
            self._findings.add("tile_missing", f"{self._name} {tile.path}", None, "a readable file")
            return None

    def _compare_hashes(self, tile: Tile, data: bytes, row: list[bytes]) -> None:
        where = f"{self._name} {tile.path}"
        self._findings.same("tile_length", where, len(data), len(row) * _HASH_BYTES)
        for offset, expected in enumerate(row):
            got = data[offset * _HASH_BYTES : (offset + 1) * _HASH_BYTES]
            if got == expected:
                continue
            index = tile.index * TILE_WIDTH + offset
            if tile.level == 0:
                self.differences.append(Difference(index, tile.path, got, expected))
            else:
                self._findings.add("tile_node", f"{where} index {index}", got, expected)

    def _compare_older(self, tile: Tile, row: list[bytes]) -> None:
        """Partial tiles of earlier checkpoints may stay; then they are a beginning of this one."""
        whole = Tile(tile.level, tile.index).path
        for path in sorted((self._folder / f"{whole}.p").glob("*")):
            if path in self._seen or not path.name.isdecimal():
                continue
            self._seen.add(path)
            beginning = b"".join(row[: int(path.name)])
            where = f"{self._name} {path.relative_to(self._folder)}"
            self._findings.same("tile_older", where, path.read_bytes(), beginning)

    def _compare_bundle(self, tile: Tile) -> None:
        data = self._read(tile)
        if data is None:
            return
        where = f"{self._name} {tile.path}"
        try:
            entries = decode_bundle(data)
        except MalformedTileError as error:
            self._findings.add("bundle_malformed", where, str(error), "an entry bundle")
            entries = []
        else:
            self._findings.same("bundle_count", where, len(entries), len(self._receipts))
        first = tile.index * TILE_WIDTH
        for offset, (got, expected) in enumerate(zip(entries, self._receipts, strict=False)):
            if got != expected:
                self.differences.append(Difference(first + offset, tile.path, got, expected))

    def _find_strangers(self) -> None:
        for path in sorted((self._folder / "tile").rglob("*")):
            is_older_bundle = "entries" in path.parts and path.parent.suffix == ".p"
            if path.is_file() and path not in self._seen and not is_older_bundle:
                where = f"{self._name} {path.relative_to(self._folder)}"
                self._findings.add("tile_unexpected", where, "a file", "no such tile")
