"""What opening a log for writing puts right after a crash."""

from __future__ import annotations

import os

from ledger.codec.receipts import RECEIPT_BYTES, Receipt
from ledger.log.checkpoints import Integrator
from ledger.log.erasure import finish_erasures
from ledger.log.layout import LogLayout, sync_folder
from ledger.log.receipt_file import ReceiptFile
from ledger.log.tallies import read_tallies
from ledger.log.use_files import cut_uses, torn_batch
from ledger.log.values import LicenceTally


def recover(layout: LogLayout, integrator: Integrator) -> dict[int, LicenceTally]:
    """Settle what a crash left behind and return the tallies of all receipts.

    A torn receipt, a batch whose end never arrived and request records without a receipt are
    cut: none of them was acknowledged. Nothing that was signed is cut, and request records only
    when the receipts are found sound.

    Raises:
        LogCorruptError: naming the first receipt that breaks a rule or is not the signed one.
    """
    file = ReceiptFile(layout.receipts)
    _cut_receipts(layout, file.size)
    tallies = read_tallies(file, file.size)
    start = _torn_batch(layout, file)
    if start is not None and start >= integrator.signed_size:
        _cut_receipts(layout, start)
        tallies = read_tallies(file, start)
    integrator.check(file.size)
    finish_erasures(layout)
    for path in layout.uses.glob("*.jsonl"):
        cut_uses(path, tallies.get(int(path.stem), LicenceTally()).licence_seq)
    return tallies


def _cut_receipts(layout: LogLayout, size: int) -> None:
    descriptor = os.open(layout.receipts, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if os.fstat(descriptor).st_size != size * RECEIPT_BYTES:
            os.ftruncate(descriptor, size * RECEIPT_BYTES)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(layout.folder)


def _torn_batch(layout: LogLayout, file: ReceiptFile) -> int | None:
    last = file.size - 1
    if last < 0:
        return None
    return torn_batch(layout, last, Receipt.decode(file.read(last, last + 1)))
