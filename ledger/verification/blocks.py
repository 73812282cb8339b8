"""One pass over the receipts of a log: read ahead, hashed beside it, handed out in order.

Rules kept here:
1. Two threads read ahead, two hash, the caller takes the blocks in the order of the log; the
   native engine of `ledger.codec.hashing` holds no interpreter lock meanwhile.
2. Where the system lets us, receipts come from the disk and not by way of its cache: copying them
   there takes a third of a core, and what the disk holds is what is audited.
3. Memory does not grow with the log: a few blocks are in use, each one again and again.
4. What is appended meanwhile waits for the next pass.
"""

from __future__ import annotations

import mmap
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from ledger.codec.hashing import tile_roots
from ledger.codec.receipts import RECEIPT_BYTES
from ledger.verification.merkle import WIDTH

BLOCK_RECEIPTS = 1 << 14
"""Receipts of one block: 1.5 MiB, which stay in the processor's cache from reading to checking."""
_BLOCKS = 16
_READERS = 2
_HASHERS = 2


@dataclass(frozen=True, slots=True)
class Block:
    """Receipts one after the other; the bytes are valid until the next block is taken."""

    first: int
    """Index of the first receipt."""
    receipts: memoryview
    roots: bytes
    """Roots over its full runs of 256 receipts."""

    @property
    def end(self) -> int:
        """Index behind the last receipt."""
        return self.first + len(self.receipts) // RECEIPT_BYTES


def read_blocks(path: Path, size: int) -> Iterator[Block]:
    """Yield the first `size` receipts of a file, fewer when it is cut meanwhile."""
    with ExitStack() as stack:
        file = _File(path, stack)
        readers = stack.enter_context(ThreadPoolExecutor(_READERS, thread_name_prefix="audit-read"))
        hashers = stack.enter_context(ThreadPoolExecutor(_HASHERS, thread_name_prefix="audit-hash"))
        count = min(_BLOCKS, -(-size // BLOCK_RECEIPTS))
        # Memory of its own pages, as reading past the cache wants it.
        free = [mmap.mmap(-1, BLOCK_RECEIPTS * RECEIPT_BYTES) for _ in range(count)]
        waiting: deque[tuple[mmap.mmap, Future[Block]]] = deque()
        firsts = iter(range(0, size, BLOCK_RECEIPTS))
        while True:
            while free and (first := next(firsts, None)) is not None:
                buffer = free.pop()
                count = min(BLOCK_RECEIPTS, size - first)
                read = readers.submit(file.fill, buffer, first, count)
                waiting.append((buffer, hashers.submit(_hash, read, first)))
            if not waiting:
                return
            buffer, hashed = waiting.popleft()
            yield hashed.result()
            free.append(buffer)


def read_receipts(path: Path, first: int, end: int) -> bytes:
    """Return the bytes of receipts [first, end), fewer where the file ends before."""
    with path.open("rb") as stream:
        stream.seek(first * RECEIPT_BYTES)
        return stream.read((end - first) * RECEIPT_BYTES)


class _File:
    """The receipts, read past the system's cache where that is possible."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self._plain = os.open(path, os.O_RDONLY)
        stack.callback(os.close, self._plain)
        self._direct: int | None = None
        with suppress(OSError, AttributeError):
            self._direct = os.open(path, os.O_RDONLY | os.O_DIRECT)
            stack.callback(os.close, self._direct)

    def fill(self, buffer: mmap.mmap, first: int, count: int) -> memoryview:
        """Return receipts from `first` on, read into a buffer; fewer where the file ends."""
        view = memoryview(buffer)[: count * RECEIPT_BYTES]
        done = self._read_direct(buffer, first * RECEIPT_BYTES)
        while done < len(view):
            got = os.preadv(self._plain, [view[done:]], first * RECEIPT_BYTES + done)
            if not got:
                break
            done += got
        done = min(done, len(view))
        return view[: done - done % RECEIPT_BYTES]

    def _read_direct(self, buffer: mmap.mmap, offset: int) -> int:
        """Return how many bytes came past the cache; 0 where that does not work."""
        if self._direct is None:
            return 0
        try:
            return os.preadv(self._direct, [buffer], offset)
        except OSError:
            return 0


def _hash(read: Future[memoryview], first: int) -> Block:
    receipts = read.result()
    run_bytes = WIDTH * RECEIPT_BYTES
    whole = receipts[: len(receipts) - len(receipts) % run_bytes]
    return Block(first, receipts, tile_roots(whole, RECEIPT_BYTES) if len(whole) else b"")
