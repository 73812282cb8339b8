"""Integration: hashes of the new receipts, then the signed note over them."""

from __future__ import annotations

import time
from collections.abc import Callable

from ledger.codec import hashing
from ledger.codec.checkpoints import CheckpointBody, open_checkpoint, read_checkpoint
from ledger.codec.merkle import HASH_BYTES
from ledger.codec.notes import NoteSigner, NoteVerifier
from ledger.codec.receipts import RECEIPT_BYTES
from ledger.codec.tiles import TILE_WIDTH
from ledger.log.errors import LogClockError, LogCorruptError
from ledger.log.identity import LogIdentity
from ledger.log.layout import LogLayout, replace_file
from ledger.log.receipt_file import ReceiptFile
from ledger.log.tree import TileTree, grow_tree
from ledger.log.values import Checkpoint

_TILES_AT_ONCE = 1 << 10
"""Tiles whose receipts are read at once: 24 MiB."""


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


Clock = Callable[[], int]
"""Returns now in Unix milliseconds."""


def machine_ms() -> int:
    """Return this machine's time in Unix milliseconds."""
    return time.time_ns() // 1_000_000


class Integrator:
    """Brings hashes and checkpoint up to the receipts. One at a time per log."""

    def __init__(
        self, layout: LogLayout, identity: LogIdentity, signer: NoteSigner, now_ms: Clock
    ) -> None:
        self._now_ms = now_ms
        self._layout = layout
        self._identity = identity
        self._signer = signer
        self._file = ReceiptFile(layout.receipts)
        self._tree = TileTree(layout, self._file)
        self.last = read_last_checkpoint(layout, identity.vkey)

    @property
    def signed_size(self) -> int:
        """Receipts that the last checkpoint covers."""
        return self.last.size if self.last else 0

    def check(self, size: int, since: int) -> None:
        """Check that the receipts still are those that were signed.

        Args:
            size: receipts that were committed.
            since: receipts before it are known by their hashes only; the audit reads them all.

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
        altered = self._first_altered(since, self.last.size)
        root = self._tree.root(self.last.size)
        if altered is not None or root != self.last.root:
            raise LogCorruptError(
                "the receipts are not those that were signed; the first altered one is "
                f"{'not known' if altered is None else f'at {altered} or up to 255 behind it'}",
                field="root",
                got=root,
                expected=self.last.root,
            )

    def _first_altered(self, since: int, size: int) -> int | None:
        """Return the first receipt of the first full tile whose hash is not the kept one."""
        for first in range(since // TILE_WIDTH, size // TILE_WIDTH, _TILES_AT_ONCE):
            end = min(first + _TILES_AT_ONCE, size // TILE_WIDTH)
            found, kept = self._roots(first, end), self._tree.hashes(1, first, end - first)
            if found != kept:
                at = next(at for at, (a, b) in enumerate(zip(found, kept, strict=True)) if a != b)
                return (first + at // HASH_BYTES) * TILE_WIDTH
        return None

    def integrate(
        self, size: int, time_ms: int | None = None, known_roots: tuple[int, bytes] | None = None
    ) -> Checkpoint:
        """Write the hashes of up to `size` receipts, then sign and publish.

        Args:
            size: committed receipts; not fewer than the last checkpoint's.
            time_ms: Unix milliseconds of signing; now by default, never before the last.
            known_roots: size of the log before its last tiles, and the roots of all tiles that
                became full since.

        Raises:
            LogClockError: when a given time lies before the last checkpoint's.
        """
        if time_ms is None:
            time_ms = max(self._now_ms(), self.last.time_ms if self.last else 0)
        if self.last is not None and time_ms < self.last.time_ms:
            raise LogClockError(
                f"checkpoint time goes back from {self.last.time_ms} to {time_ms}",
                field="time_ms",
                got=time_ms,
                expected=self.last.time_ms,
            )
        grow_tree(self._layout, self.signed_size, size, self._roots_of(known_roots))
        root = self._tree.root(size)
        extensions = (self._identity.extension,)
        body = CheckpointBody(self._identity.origin, size, root, time_ms, extensions)
        note = body.sign(self._signer)
        replace_file(self._layout.checkpoint, note.encode())
        self.last = _checkpoint(read_checkpoint(note), note)
        return self.last

    def _roots_of(self, known_roots: tuple[int, bytes] | None) -> Callable[[int, int], bytes]:
        """Return (first, end) → roots of these full tiles, hashed where they are not known."""
        if known_roots is None:
            return self._all_roots
        known, roots = known_roots[0] // TILE_WIDTH, known_roots[1]

        def roots_of(first: int, end: int) -> bytes:
            if first < known:
                return self._all_roots(first, known) + roots_of(known, end)
            return roots[(first - known) * HASH_BYTES : (end - known) * HASH_BYTES]

        return roots_of

    def _all_roots(self, first: int, end: int) -> bytes:
        spans = range(first, end, _TILES_AT_ONCE)
        return b"".join(self._roots(at, min(at + _TILES_AT_ONCE, end)) for at in spans)

    def _roots(self, first: int, end: int) -> bytes:
        receipts = self._file.read(first * TILE_WIDTH, end * TILE_WIDTH)
        return hashing.tile_roots(receipts, RECEIPT_BYTES)
