"""An invented history of use: receipts of many licences over months, in the order of their time.

Rules kept here:
1. The same shape gives the same receipts, byte for byte, in every form that they are written in.
2. Every receipt holds against the table of licences: numbers without a gap, running totals, times
   that never go back, terms kept by what is delivered and broken by what is refused.
3. Memory stays that of one block, however long the history.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from ledger.codec.receipts import RECEIPT_DTYPE, RECEIPT_FORMAT
from ledger.domain.calendar import CHINA
from ledger.domain.codes import DeliveryMode, Purpose, ReceiptStatus

BLOCK_RECEIPTS = 1 << 20
FIRST_METER_SEQ = 1
REFUSED_IN = 64
"""One use in so many is refused."""

METER_SCHEMA = pa.schema(
    [
        ("meter_seq", pa.uint64()),
        ("meter_no", pa.uint32()),
        ("licence_no", pa.uint64()),
        ("mode", pa.uint8()),
        ("purpose", pa.uint16()),
        ("used_at_ms", pa.uint64()),
        ("version_no", pa.uint32()),
        ("status", pa.uint32()),
        ("units", pa.uint64()),
        ("records", pa.uint64()),
        ("commitment", pa.binary(32)),
    ]
)
"""What a meter hands in: receipts before the log numbers them."""

Numbers = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """How much history there is, and of what."""

    receipts: int
    licences: int = 10_000
    products: int = 293
    buyers: int = 2_000
    meters: int = 1
    months: int = 12
    first_year: int = 2026
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Licences:
    """The licences as columns; row i is licence i + 1. Products and buyers count from 0."""

    licence_no: Numbers
    product: Numbers
    buyer: Numbers
    meter_no: Numbers
    modes: Numbers
    purpose: Numbers
    valid_from_ms: Numbers
    valid_until_ms: Numbers
    quota_units: Numbers


def licences_of(shape: Shape) -> Licences:
    """Return the licences of a history, all valid for its whole time."""
    random = np.random.default_rng([shape.seed, 0])
    count = shape.licences
    begin_ms, end_ms = _span_ms(shape)
    number = np.arange(1, count + 1, dtype=np.uint64)
    return Licences(
        licence_no=number,
        product=random.integers(0, shape.products, count, np.uint32),
        buyer=random.integers(0, shape.buyers, count, np.uint32),
        meter_no=(1 + number % np.uint64(shape.meters)).astype(np.uint32),
        modes=(1 << random.integers(0, len(DeliveryMode), count)).astype(np.uint8)
        | np.uint8(DeliveryMode.INTERFACE.bit),
        purpose=random.integers(1, len(Purpose) + 1, count).astype(np.uint16),
        valid_from_ms=np.full(count, begin_ms, np.uint64),
        valid_until_ms=np.full(count, end_ms, np.uint64),
        quota_units=np.full(count, 2**62, np.uint64),
    )


def receipt_blocks(shape: Shape, licences: Licences) -> Iterator[Numbers]:
    """Yield the receipts as blocks of `RECEIPT_DTYPE`, oldest first."""
    popularity = _popularity(shape)
    last_seq = np.zeros(shape.licences, np.uint64)
    last_units = np.zeros(shape.licences, np.uint64)
    for first in range(0, shape.receipts, BLOCK_RECEIPTS):
        end = min(first + BLOCK_RECEIPTS, shape.receipts)
        random = np.random.default_rng([shape.seed, 1, first])
        row = np.searchsorted(popularity, random.random(end - first), "right")
        row = np.minimum(row, shape.licences - 1).astype(np.uint32)
        block = _uses(shape, licences, row, random)
        block["used_at_ms"] = _moments(shape, first, end, random)
        _number(block, row, last_seq, last_units)
        yield block


def write_receipts(path: Path, shape: Shape) -> Licences:
    """Write a history as a log's `receipts.bin`; return its licences."""
    licences = licences_of(shape)
    with path.open("wb") as stream:
        for block in receipt_blocks(shape, licences):
            block.tofile(stream)
    return licences


def write_meter_files(folder: Path, shape: Shape) -> Licences:
    """Write a history as its meters' files `<meter_no>-<first meter_seq>.parquet`."""
    licences = licences_of(shape)
    folder.mkdir(parents=True, exist_ok=True)
    following = dict.fromkeys(range(1, shape.meters + 1), FIRST_METER_SEQ)
    for block in receipt_blocks(shape, licences):
        for meter_no, first_seq in following.items():
            own = block[block["meter_no"] == meter_no]
            if len(own):
                name = f"{meter_no}-{first_seq:012d}.parquet"
                pq.write_table(_handed_in(own, first_seq), folder / name, compression="zstd")
                following[meter_no] += len(own)
    return licences


def _span_ms(shape: Shape) -> tuple[int, int]:
    years, month = divmod(shape.months, 12)
    begin = datetime(shape.first_year, 1, 1, tzinfo=CHINA)
    end = datetime(shape.first_year + years, 1 + month, 1, tzinfo=CHINA)
    return int(begin.timestamp()) * 1_000, int(end.timestamp()) * 1_000


def _popularity(shape: Shape) -> Numbers:
    """Return the running shares of the licences: Zipf's, in an order of their own."""
    random = np.random.default_rng([shape.seed, 2])
    weights = random.permutation(1 / np.arange(1, shape.licences + 1))
    running: Numbers = np.cumsum(weights / weights.sum())
    return running


def _uses(shape: Shape, licences: Licences, row: Numbers, random: np.random.Generator) -> Numbers:
    """Return receipts without time and running numbers."""
    count = len(row)
    block = np.zeros(count, RECEIPT_DTYPE)
    is_refused = random.integers(0, REFUSED_IN, count) == 0
    is_broken = is_refused & (random.integers(0, 2, count) == 0)
    granted = licences.purpose[row]
    delivered = np.where(is_refused, 0, random.integers(1, 1_000, count))
    per_call = licences.product[row] % 2 == 0
    block["format"] = RECEIPT_FORMAT
    block["mode"] = _modes(licences.modes[row], random)
    block["purpose"] = np.where(is_broken, granted % len(Purpose) + 1, granted)
    block["meter_no"] = licences.meter_no[row]
    block["licence_no"] = licences.licence_no[row]
    block["version_no"] = 1 + licences.product[row] % 4
    block["status"] = np.where(
        is_broken,
        ReceiptStatus.PURPOSE_NOT_GRANTED,
        np.where(is_refused, ReceiptStatus.FAILED, ReceiptStatus.DELIVERED),
    )
    block["records"] = delivered
    block["units"] = np.where(per_call, np.minimum(delivered, 1), delivered)
    block["commitment"] = np.frombuffer(random.bytes(32 * count), np.uint8).reshape(count, 32)
    return block


def _modes(granted: Numbers, random: np.random.Generator) -> Numbers:
    """Return the interface mostly, else the other mode that a licence may grant."""
    other = granted & ~np.uint8(DeliveryMode.INTERFACE.bit)
    is_other = (other != 0) & (random.integers(0, 4, len(granted)) == 0)
    number = np.log2(np.maximum(other, 1)).astype(np.uint8) + 1
    return np.where(is_other, number, np.uint8(DeliveryMode.INTERFACE))


def _moments(shape: Shape, first: int, end: int, random: np.random.Generator) -> Numbers:
    """Return the Unix milliseconds of uses [first, end): never going back, spread evenly."""
    begin_ms, end_ms = _span_ms(shape)
    step_ms = (end_ms - begin_ms) / shape.receipts
    places = np.arange(first, end) + random.random(end - first)
    return (begin_ms + places * step_ms).astype(np.uint64).clip(max=end_ms - 1)


def _number(block: Numbers, row: Numbers, last_seq: Numbers, last_units: Numbers) -> None:
    """Put in each licence's running number and total, and keep where they stand."""
    order = np.argsort(row, kind="stable")
    ordered, units = row[order], block["units"][order].astype(np.uint64)
    begins = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    counts = np.diff(np.r_[begins, len(order)])
    running = np.cumsum(units)
    before = np.repeat(running[begins] - units[begins], counts)
    seq = np.arange(len(order)) - np.repeat(begins, counts) + 1
    seq = seq.astype(np.uint64) + last_seq[ordered]
    total = running - before + last_units[ordered]
    block["licence_seq"][order] = seq
    block["cumulative_units"][order] = total
    lasts = begins + counts - 1
    last_seq[ordered[lasts]] = seq[lasts]
    last_units[ordered[lasts]] = total[lasts]


def _handed_in(receipts: Numbers, first_seq: int) -> pa.Table:
    """Return a meter's receipts with its own numbers instead of the log's."""
    columns = {"meter_seq": np.arange(first_seq, first_seq + len(receipts), dtype=np.uint64)}
    for field in METER_SCHEMA:
        if field.name in RECEIPT_DTYPE.names and field.name != "commitment":
            columns[field.name] = receipts[field.name].astype(field.type.to_pandas_dtype())
    commitments = pa.py_buffer(np.ascontiguousarray(receipts["commitment"]))
    arrays = {name: pa.array(values) for name, values in columns.items()}
    arrays["commitment"] = pa.Array.from_buffers(pa.binary(32), len(receipts), [None, commitments])
    return pa.table([arrays[name] for name in METER_SCHEMA.names], schema=METER_SCHEMA)
