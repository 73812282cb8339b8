"""The receipts by column: a copy of `receipts.bin` from which use is summed.

```
columns/<first index, 12 digits>.parquet   receipts [first, first + 2^22), without commitment,
                                           licence_seq and cumulative_units; plus period_id
columns/SHA256SUMS                         one line per file, as `sha256sum -c` reads it
columns/lock                               held by whoever seals
```

Rules kept here:
1. `receipts.bin` is the truth. The copy is disposable: a deleted folder is sealed again, to the
   same bytes.
2. Only committed receipts are sealed; the caller says how many there are.
3. A file counts once it is listed in `SHA256SUMS`, which happens after it is durable under its own
   name, and as long as its bytes are those listed. Anything else is read from `receipts.bin`, so
   sealing may stop at any instant and a damaged file changes no sum.
4. `period_id` is the month yyyymm in Asia/Shanghai. Moments after the year 9999 count as 9999-12.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from ledger.codec.receipts import RECEIPT_DTYPE
from ledger.domain.calendar import CHINA_OFFSET_SECONDS
from ledger.log.layout import LogLayout, replace_file, sync_folder
from ledger.log.lock import hold_lock
from ledger.log.receipt_file import ReceiptFile, Receipts

SEGMENT_RECEIPTS = 1 << 22
ROW_GROUP_RECEIPTS = 1 << 19
SEALING_THREADS = 2
SUMS = "SHA256SUMS"

COLUMNS = pa.schema(
    [
        pa.field("meter_no", pa.uint32(), nullable=False),
        pa.field("licence_no", pa.uint64(), nullable=False),
        pa.field("period_id", pa.uint32(), nullable=False),
        pa.field("used_at_ms", pa.uint64(), nullable=False),
        pa.field("mode", pa.uint8(), nullable=False),
        pa.field("purpose", pa.uint16(), nullable=False),
        pa.field("version_no", pa.uint32(), nullable=False),
        pa.field("status", pa.uint32(), nullable=False),
        pa.field("units", pa.uint64(), nullable=False),
        pa.field("records", pa.uint64(), nullable=False),
    ]
)
"""The columns of a receipt, sealed or not."""

_DELTA = "used_at_ms"
_LAST_MS = 253_402_271_999_999
"""The last millisecond of the year 9999 in China Standard Time."""
_LINE = re.compile(r"([0-9a-f]{64})  (\d{12}\.parquet)")


@dataclass(frozen=True, slots=True)
class ColumnParts:
    """Receipts of one log, each once."""

    files: tuple[Path, ...]
    """Sealed segments."""
    batches: Iterator[pa.RecordBatch]
    """The rest, read from `receipts.bin` as it is taken; once."""


class ReceiptColumns:
    """The columnar copy of one log."""

    def __init__(self, layout: LogLayout, *, segment_receipts: int = SEGMENT_RECEIPTS) -> None:
        self._folder = layout.columns
        self._file = ReceiptFile(layout.receipts)
        self._segment = segment_receipts

    def seal(self, size: int) -> int:
        """Seal the full segments among the first `size` receipts; return how many were missing.

        Raises:
            LogBusyError: another caller seals this log.
            LogRangeError: the log holds fewer receipts.
        """
        if not self._missing(size):
            return 0
        self._folder.mkdir(exist_ok=True)
        with hold_lock(self._folder / "lock"):
            for stale in self._folder.glob("*.new"):
                stale.unlink()
            missing = self._missing(size)
            with ThreadPoolExecutor(SEALING_THREADS) as pool:
                for first, digest in zip(missing, pool.map(self._write, missing), strict=True):
                    self._list(_name(first), digest)
        return len(missing)

    def parts(self, size: int) -> ColumnParts:
        """Return the first `size` receipts: what is sealed as files, the rest as batches.

        Both are decided at once, so that a segment sealed meanwhile is neither lost nor doubled.
        """
        missing = self._missing(size)
        whole = size - size % self._segment
        ranges = [(first, first + self._segment) for first in missing]
        return ColumnParts(
            files=tuple(self._path(first) for first in self._firsts(size) if first not in missing),
            batches=self._batches([*ranges, (whole, size)]),
        )

    def _batches(self, ranges: list[tuple[int, int]]) -> Iterator[pa.RecordBatch]:
        for first, end in ranges:
            for _, receipts in self._file.blocks(first, end):
                yield receipt_columns(receipts)

    def _firsts(self, size: int) -> range:
        return range(0, size - self._segment + 1, self._segment)

    def _missing(self, size: int) -> list[int]:
        return [first for first in self._firsts(size) if not self._is_sealed(first)]

    def _path(self, first: int) -> Path:
        return self._folder / _name(first)

    def _is_sealed(self, first: int) -> bool:
        path, expected = self._path(first), self._sums().get(_name(first))
        try:
            return (
                expected is not None
                and _digest_now(path) == expected
                and pq.read_metadata(path).num_rows == self._segment
            )
        except FileNotFoundError:
            return False

    def _sums(self) -> dict[str, str]:
        try:
            text = (self._folder / SUMS).read_text("ascii")
        except FileNotFoundError:
            return {}
        lines = (_LINE.fullmatch(line) for line in text.splitlines())
        return {line[2]: line[1] for line in lines if line}

    def _list(self, name: str, digest: str) -> None:
        sums = self._sums() | {name: digest}
        text = "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))
        replace_file(self._folder / SUMS, text.encode("ascii"))

    def _write(self, first: int) -> str:
        """Write one segment, durable under its name; return its SHA-256."""
        path = self._path(first)
        fresh = path.with_name(path.name + ".new")
        blocks = self._file.blocks(first, first + self._segment)
        batches = (receipt_columns(receipts) for _, receipts in blocks)
        with pq.ParquetWriter(
            fresh,
            COLUMNS,
            compression="zstd",
            compression_level=1,
            use_dictionary=[name for name in COLUMNS.names if name != _DELTA],
            column_encoding={_DELTA: "DELTA_BINARY_PACKED"},
            write_page_checksum=True,
        ) as writer:
            for table in _row_groups(batches):
                writer.write_table(table, ROW_GROUP_RECEIPTS)
        _sync(fresh)
        digest = _digest_now(fresh)
        fresh.replace(path)
        sync_folder(self._folder)
        return digest


def receipt_columns(receipts: Receipts) -> pa.RecordBatch:
    """Return receipts of `RECEIPT_DTYPE` as `COLUMNS`."""
    arrays: dict[str, npt.NDArray[Any]] = {
        name: receipts[name].astype(RECEIPT_DTYPE[name].newbyteorder("="))
        for name in COLUMNS.names
        if name != "period_id"
    }
    arrays["period_id"] = _periods(arrays["used_at_ms"])
    return pa.record_batch([arrays[name] for name in COLUMNS.names], schema=COLUMNS)


def _periods(used_at_ms: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the months yyyymm of Unix milliseconds."""
    known = np.minimum(used_at_ms, np.uint64(_LAST_MS)).astype(np.int64)
    local = (known + CHINA_OFFSET_SECONDS * 1_000).astype("datetime64[ms]")
    years, months = np.divmod(local.astype("datetime64[M]").astype(np.int64), 12)
    periods: npt.NDArray[Any] = (1970 + years) * 100 + months + 1
    return periods.astype(np.uint32)


def _row_groups(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Gather batches to row groups."""
    gathered: list[pa.RecordBatch] = []
    for batch in batches:
        gathered.append(batch)
        if sum(map(len, gathered)) >= ROW_GROUP_RECEIPTS:
            yield pa.Table.from_batches(gathered)
            gathered = []
    if gathered:
        yield pa.Table.from_batches(gathered)


def _name(first: int) -> str:
    return f"{first:012d}.parquet"


def _digest_now(path: Path) -> str:
    found = path.stat()
    return _digest(path, (found.st_ino, found.st_size, found.st_mtime_ns))


@lru_cache(maxsize=1 << 12)
def _digest(path: Path, _stamp: tuple[int, int, int]) -> str:
    """Return the SHA-256 of a file, computed once for each state that it is in."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
