"""One pass over the receipts of a log: read ahead, hashed beside it, handed out in order.

Rules kept here:
1. One thread reads ahead, two hash, the caller takes the blocks in the order of the log; the
   native engine of `ledger.codec.hashing` holds no interpreter lock meanwhile.
2. Memory does not grow with the log: a few blocks are in use, each one again and again.
3. What is appended meanwhile waits for the next pass.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ledger.codec.hashing import tile_roots
from ledger.codec.receipts import RECEIPT_BYTES
from ledger.verification.merkle import WIDTH

BLOCK_RECEIPTS = 1 << 14
"""Receipts of one block: 1.5 MiB, which stay in the processor's cache from reading to checking."""
_BLOCKS = 12
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
        descriptor = os.open(path, os.O_RDONLY)
        stack.callback(os.close, descriptor)
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        reader = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="audit-read"))
        hashers = stack.enter_context(ThreadPoolExecutor(_HASHERS, thread_name_prefix="audit-hash"))
        count = min(_BLOCKS, -(-size // BLOCK_RECEIPTS))
        free = [bytearray(min(size, BLOCK_RECEIPTS) * RECEIPT_BYTES) for _ in range(count)]
        waiting: deque[tuple[bytearray, Future[Block]]] = deque()
        firsts = iter(range(0, size, BLOCK_RECEIPTS))
        while True:
            while free and (first := next(firsts, None)) is not None:
                buffer = free.pop()
                count = min(BLOCK_RECEIPTS, size - first)
                view = memoryview(buffer)[: count * RECEIPT_BYTES]
                read = reader.submit(_fill, descriptor, view, first)
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


def _fill(descriptor: int, view: memoryview, first: int) -> memoryview:
    done = 0
    while done < len(view):
        count = os.preadv(descriptor, [view[done:]], first * RECEIPT_BYTES + done)
        if not count:
            break
        done += count
    return view[: done - done % RECEIPT_BYTES]


def _hash(read: Future[memoryview], first: int) -> Block:
    receipts = read.result()
    run_bytes = WIDTH * RECEIPT_BYTES
    whole = receipts[: len(receipts) - len(receipts) % run_bytes]
    return Block(first, receipts, tile_roots(whole, RECEIPT_BYTES) if len(whole) else b"")
