"""Erasure of personal information: a licence's key and request records.

The receipts and every proof stay as they are; they only can no longer be opened. Receipts of the
same licence that come later get a new key and can be opened.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from ledger.log.books import read_books
from ledger.log.layout import LogLayout, replace_file, sync_folder
from ledger.log.lock import hold_lock
from ledger.log.sealed import seal
from ledger.log.snapshot import read_snapshot


def erase_licence(folder: Path, licence_no: int) -> None:
    """Destroy a licence's key and request records in a log that no writer has open.

    Beside a live writer use `LogWriter.erase`. Erasing twice is the same as once.

    Raises:
        LogBusyError: when a writer has the log.
    """
    layout = LogLayout(folder)
    with hold_lock(layout.lock):
        books = read_books(layout, read_snapshot(layout))
        destroy(layout, licence_no, books.tallies.get(licence_no).licence_seq)


def destroy(layout: LogLayout, licence_no: int, through_seq: int) -> None:
    """Destroy key and records of a licence whose last receipt is `through_seq`.

    The intent is durable first, so an interrupted erasure is finished by `finish_erasures`.
    """
    trace = {
        "erased_at_ms": time.time_ns() // 1_000_000,
        "licence_no": licence_no,
        "through_seq": through_seq,
    }
    replace_file(layout.erasing(licence_no), seal(trace))
    _finish(layout, licence_no)


def finish_erasures(layout: LogLayout) -> None:
    """Finish what a crash interrupted."""
    for path in layout.secrets.glob("*.erasing"):
        _finish(layout, int(path.stem))


def _finish(layout: LogLayout, licence_no: int) -> None:
    for path in (layout.key_of(licence_no), layout.uses_of(licence_no)):
        _shred(path)
        sync_folder(path.parent)
    layout.erasing(licence_no).replace(layout.erased(licence_no))
    sync_folder(layout.secrets)


def _shred(path: Path) -> None:
    if not path.exists():
        return
    with path.open("r+b") as stream:
        stream.write(bytes(path.stat().st_size))
        stream.flush()
        os.fsync(stream.fileno())
    path.unlink()
