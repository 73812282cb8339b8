"""Receipts on disk without a writer: the tests of the columns need numbers, not proofs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from ledger.codec.receipts import RECEIPT_DTYPE, RECEIPT_FORMAT
from ledger.log.columns import ColumnParts, ReceiptColumns
from ledger.log.layout import LogLayout

FIELDS = ("licence_no", "used_at_ms", "mode", "purpose", "status", "units", "records")
JANUARY_MS = 1_767_196_800_000
"""2026-01-01 00:00 in China Standard Time."""


def write_receipts(folder: Path, uses: Iterable[tuple[int, ...]]) -> int:
    """Write a log's receipts from tuples of `FIELDS`; return how many."""
    rows = list(uses)
    block = np.zeros(len(rows), RECEIPT_DTYPE)
    block["format"], block["meter_no"], block["version_no"] = RECEIPT_FORMAT, 4, 1
    for place, name in enumerate(FIELDS):
        block[name] = np.array([row[place] for row in rows], dtype=np.uint64)
    block["commitment"] = np.arange(32, dtype=np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    block.tofile(LogLayout(folder).receipts)
    return len(rows)


def some_uses(count: int) -> list[tuple[int, ...]]:
    """Uses of three licences over a little more than a year, every ninth refused."""
    return [
        (
            1 + number % 3,
            JANUARY_MS + number * 400 * 24 * 3_600_000 // count,
            1 + number % 7,
            1 + number % 5,
            0 if number % 9 else 1,
            number if number % 9 else 0,
            number * 2 if number % 9 else 0,
        )
        for number in range(count)
    ]


def columns_of(folder: Path, segment_receipts: int = 10) -> ReceiptColumns:
    """The columns of a log in small segments."""
    return ReceiptColumns(LogLayout(folder), segment_receipts=segment_receipts)


def read_all(parts: ColumnParts) -> list[dict[str, Any]]:
    """Every receipt of some parts as a plain row, in no particular order."""
    rows: list[dict[str, Any]] = []
    for path in parts.files:
        rows += pq.read_table(path).to_pylist()
    for batch in parts.batches:
        rows += batch.to_pylist()
    return rows
