"""What opening a log for writing puts right after a crash."""

from __future__ import annotations

import os
from pathlib import Path

from ledger.codec.receipts import RECEIPT_BYTES
from ledger.log.books import Books, read_books
from ledger.log.checkpoints import Integrator
from ledger.log.erasure import finish_erasures
from ledger.log.layout import LogLayout, sync_folder
from ledger.log.snapshot import read_snapshot
from ledger.log.use_files import cut_uses


def recover(layout: LogLayout, integrator: Integrator) -> Books:
    """Settle what a crash left behind and return where the log stands.

    Receipts without a commit and request records without a receipt are cut: none of them was
    acknowledged. Nothing that was committed or signed is cut, and nothing at all unless commits,
    receipts and the last checkpoint agree.

    Raises:
        LogCorruptError: naming the first receipt that breaks a rule or is not the signed one.
    """
    start = read_snapshot(layout)
    since = start.size
    books = read_books(layout, start)
    integrator.check(books.size, since)
    _cut(layout.commits, books.commits.size_bytes)
    _cut(layout.receipts, books.size * RECEIPT_BYTES)
    sync_folder(layout.folder)
    finish_erasures(layout)
    for path in layout.uses.glob("*.jsonl"):
        cut_uses(path, books.tallies.get(int(path.stem)).licence_seq)
    return books


def _cut(path: Path, size_bytes: int) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if os.fstat(descriptor).st_size != size_bytes:
            os.ftruncate(descriptor, size_bytes)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
