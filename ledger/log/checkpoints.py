"""Integration: tiles and bundles of the new receipts, then the signed note over them."""

from __future__ import annotations

import shutil

from ledger.codec.checkpoints import CheckpointBody, open_checkpoint, read_checkpoint
from ledger.codec.notes import NoteSigner, NoteVerifier
from ledger.codec.receipts import RECEIPT_BYTES
from ledger.codec.tiles import (
    TILE_WIDTH,
    Tile,
    encode_bundle,
    encode_tile,
    new_tiles,
)
from ledger.log.errors import LogClockError, LogCorruptError
from ledger.log.identity import LogIdentity
from ledger.log.layout import LogLayout, replace_file, sync_folder, write_file
from ledger.log.receipt_file import ReceiptFile
from ledger.log.tree import ReceiptTree
from ledger.log.values import Checkpoint


def read_last_checkpoint(layout: LogLayout, vkey: str) -> Checkpoint | None:
    """Return the last checkpoint, its signature checked; None before the first.

    Raises:
        MalformedNoteError, UnverifiedNoteError: when the file is not this log's note.
    """
    try:
        note = layout.checkpoint.read_text()
    except FileNotFoundError:
        return None
    body = open_checkpoint(note, [NoteVerifier.parse(vkey)])
    return _checkpoint(body, note)


def _checkpoint(body: CheckpointBody, note: str) -> Checkpoint:
    return Checkpoint(body.origin, body.size, body.root, body.time_ms or 0, note)


class Integrator:
    """Brings tiles and checkpoint up to the receipts. One at a time per log."""

    def __init__(self, layout: LogLayout, identity: LogIdentity, signer: NoteSigner) -> None:
        self._layout = layout
        self._identity = identity
        self._signer = signer
        self._file = ReceiptFile(layout.receipts)
        self._tree = ReceiptTree(self._file)
        self.last = read_last_checkpoint(layout, identity.vkey)

    @property
    def signed_size(self) -> int:
        """Receipts that the last checkpoint covers."""
        return self.last.size if self.last else 0

    def check(self, size: int) -> None:
        """Check that the first `size` receipts still are those that were signed.

        Raises:
            LogCorruptError: when signed receipts are missing or altered.
        """
        if self.last is None:
            return
        if size < self.last.size:
            raise LogCorruptError(
                f"receipts from {size} on are missing: {self.last.size} were signed",
                field="size",
                got=size,
                expected=self.last.size,
            )
        root = self._tree.root(self.last.size)
        if root != self.last.root:
            index = self._first_altered(self.last.size)
            raise LogCorruptError(
                f"the receipts are not those that were signed; the first altered one is {index}",
                field="root",
                got=root,
                expected=self.last.root,
            )

    def _first_altered(self, size: int) -> int | None:
        for start in range(0, size, TILE_WIDTH):
            width = min(TILE_WIDTH, size - start)
            path = self._layout.tile(Tile(0, start // TILE_WIDTH, width).path)
            signed = path.read_bytes() if path.exists() else b""
            leaves = self._tree.hashes(0, start // TILE_WIDTH, 0, width)
            for offset, leaf in enumerate(leaves):
                if signed[32 * offset : 32 * offset + 32] != leaf:
                    return start + offset
        return None

    def integrate(self, size: int, time_ms: int) -> Checkpoint:
        """Write tiles and bundles up to `size` receipts, then sign and publish.

        Args:
            size: durable receipts; not fewer than the last checkpoint's.
            time_ms: Unix milliseconds of signing.

        Raises:
            LogClockError: when the time lies before the last checkpoint's.
        """
        if self.last is not None and time_ms < self.last.time_ms:
            raise LogClockError(
                f"checkpoint time goes back from {self.last.time_ms} to {time_ms}",
                field="time_ms",
                got=time_ms,
                expected=self.last.time_ms,
            )
        root = self._tree.root(size)
        self._write_tiles(self.signed_size, size)
        extensions = (self._identity.extension,)
        body = CheckpointBody(self._identity.origin, size, root, time_ms, extensions)
        note = body.sign(self._signer)
        replace_file(self._layout.checkpoint, note.encode())
        self.last = _checkpoint(read_checkpoint(note), note)
        return self.last

    def _write_tiles(self, old_size: int, size: int) -> None:
        folders = set()
        for tile in new_tiles(old_size, size):
            hashes = self._tree.hashes(tile.level or 0, tile.index, 0, tile.width)
            folders.add(self._put(tile, encode_tile(hashes)))
            if tile.level == 0:
                bundle = Tile(None, tile.index, tile.width)
                folders.add(self._put(bundle, encode_bundle(self._entries(bundle))))
        parents = {parent for folder in folders for parent in self._up(folder)}
        for folder in sorted(folders | parents, reverse=True):
            sync_folder(self._layout.tile(folder))

    def _up(self, folder: str) -> set[str]:
        parts = folder.split("/")
        return {"/".join(parts[:depth]) for depth in range(len(parts))}

    def _put(self, tile: Tile, data: bytes) -> str:
        path = self._layout.tile(tile.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, data)
        if not tile.is_partial:
            shutil.rmtree(path.with_name(path.name + ".p"), ignore_errors=True)
        return tile.path.rpartition("/")[0]

    def _entries(self, tile: Tile) -> list[bytes]:
        first = tile.index * TILE_WIDTH
        block = self._file.read(first, first + tile.width)
        return [block[at : at + RECEIPT_BYTES] for at in range(0, len(block), RECEIPT_BYTES)]
