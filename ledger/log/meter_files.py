"""Files in which meters hand in uses: Parquet, Arrow IPC, or a JSON object a line.

Rules kept here:
1. The kind is told by the file's first bytes, never by its name; JSON may be gzip or zstd.
2. Columns or members are exactly `meter_seq` and the fields of `UseRows`; a commitment is 32 bytes,
   in JSON `0x` and 64 hex digits.
3. A row that is no use in form is named and left out; a file that is not of these kinds, or lacks a
   column, is refused whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from ledger.log.admission import RowFault, RowRefusal
from ledger.log.errors import LogRowsError
from ledger.log.rows import UseRows
from ledger.log.tallies import Flags

PIECE_ROWS = 1 << 16
"""Rows at once: their columns fit the second cache."""
SEQ_MAX = 2**53 - 1
"""Largest number of a meter, so that every reader of JSON sees the same."""
_COMMITMENT_BYTES = 32
WIDTHS: dict[str, type[np.unsignedinteger[Any]]] = {
    "meter_seq": np.uint64,
    "meter_no": np.uint32,
    "licence_no": np.uint64,
    "mode": np.uint8,
    "purpose": np.uint16,
    "used_at_ms": np.uint64,
    "version_no": np.uint32,
    "status": np.uint32,
    "units": np.uint64,
    "records": np.uint64,
}
NAMES = (*WIDTHS, "commitment")


@dataclass(frozen=True, slots=True)
class Piece:
    """Successive rows of a file, without those that are malformed."""

    row_count: int
    """Rows read, malformed ones included."""
    places: npt.NDArray[np.int64]
    """Place in the file of each row, from 0."""
    seqs: npt.NDArray[np.uint64]
    rows: UseRows
    malformed: list[RowRefusal]

    def of_meters_from(self, lowest: int) -> Piece:
        """Return the rows of meters from a number on; those of lower ones are malformed."""
        is_lower = self.rows.meter_no < lowest
        if not is_lower.any():
            return self
        expected = f"{lowest} … {np.iinfo(np.uint32).max}"
        refused = [
            RowRefusal(place, RowFault.MALFORMED, "meter_no", meter_no, expected)
            for place, meter_no in zip(
                self.places[is_lower].tolist(), self.rows.meter_no[is_lower].tolist(), strict=True
            )
        ]
        malformed = sorted([*self.malformed, *refused], key=lambda refusal: refusal.row)
        keep = ~is_lower
        rows = self.rows.where(keep)
        return Piece(self.row_count, self.places[keep], self.seqs[keep], rows, malformed)

    def runs(self, rows_max: int) -> Iterator[tuple[int, int]]:
        """Yield places [first, end) of rows of one meter whose numbers follow each other."""
        breaks = self.seqs[1:] != self.seqs[:-1] + np.uint64(1)
        breaks |= self.rows.meter_no[1:] != self.rows.meter_no[:-1]
        edges = [0, *(np.flatnonzero(breaks) + 1).tolist(), len(self.seqs)]
        for first, end in pairwise(edges):
            for start in range(first, end, rows_max):
                yield start, min(start + rows_max, end)


@contextmanager
def open_meter_file(path: Path) -> Iterator[tuple[int | None, Iterator[Piece]]]:
    """Yield how many rows a file has, where that is known before, and its pieces.

    Raises:
        LogRowsError: when it cannot be read or is not of a known kind.
    """
    try:
        with path.open("rb") as stream:
            magic = stream.read(6)
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
        if magic.startswith(b"PAR1"):
            with pq.ParquetFile(path, memory_map=True) as file:
                _require_columns(file.schema_arrow)
                batches = file.iter_batches(PIECE_ROWS, columns=list(NAMES))
                yield file.metadata.num_rows, _pieces(batches)
        elif magic == b"ARROW1":
            with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as reader:
                _require_columns(reader.schema)
                batches = (reader.get_batch(i) for i in range(reader.num_record_batches))
                yield None, _pieces(batches)
        else:
            with pa.input_stream(str(path), compression=_compression(magic)) as stream:
                yield None, _json_pieces(stream)
    except (OSError, pa.ArrowException) as error:
        raise LogRowsError(
            f"{path.name} cannot be read: {error}",
            field="file",
            got=path.name,
            expected="Parquet, Arrow IPC or a JSON object a line",
        ) from error


def _compression(magic: bytes) -> str | None:
    if magic.startswith(b"\x1f\x8b"):
        return "gzip"
    return "zstd" if magic.startswith(b"\x28\xb5\x2f\xfd") else None


def _require_columns(schema: pa.Schema) -> None:
    for name in NAMES:
        if name not in schema.names:
            raise _column_error(name, None, "a column of this name")
        kind = schema.field(name).type
        if name == "commitment":
            if kind not in (pa.binary(_COMMITMENT_BYTES), pa.binary(), pa.large_binary()):
                raise _column_error(name, str(kind), "binary of 32 bytes")
        elif not pa.types.is_integer(kind):
            raise _column_error(name, str(kind), "integers")


def _column_error(name: str, got: object, expected: str) -> LogRowsError:
    return LogRowsError(f"column {name}: {expected}", field=name, got=got, expected=expected)


def _pieces(batches: Iterator[pa.RecordBatch]) -> Iterator[Piece]:
    first = 0
    for batch in batches:
        yield _piece_of(batch, first)
        first += batch.num_rows


def _piece_of(batch: pa.RecordBatch, first: int) -> Piece:
    columns: dict[str, Any] = {}
    faults: dict[str, Flags] = {}
    for name, width in WIDTHS.items():
        columns[name], faults[name] = _integers(batch.column(name), width)
    faults["meter_seq"] |= (columns["meter_seq"] == 0) | (columns["meter_seq"] > SEQ_MAX)
    columns["commitment"], faults["commitment"] = _commitments(batch.column("commitment"))
    return _piece(
        first, batch.num_rows, columns, faults, lambda name, row: batch[name][row].as_py()
    )


def _integers(column: pa.Array, width: type[np.unsignedinteger[Any]]) -> tuple[Any, Flags]:
    """Return values in their width and where there is none that fits."""
    is_null = np.zeros(len(column), bool)
    if column.null_count:
        is_null = column.is_null().to_numpy(zero_copy_only=False)
        column = column.fill_null(0)
    values = column.to_numpy(zero_copy_only=False)
    if values.dtype == width:
        return values, is_null
    return values.astype(width), is_null | (values < 0) | (values > np.iinfo(width).max)


def _commitments(column: pa.Array) -> tuple[Any, Flags]:
    is_wrong = np.zeros(len(column), bool)
    if not pa.types.is_fixed_size_binary(column.type):
        whole = [value.as_py() for value in column]
        is_wrong = np.array([value is None or len(value) != _COMMITMENT_BYTES for value in whole])
        whole = [
            bytes(_COMMITMENT_BYTES) if bad else value
            for value, bad in zip(whole, is_wrong, strict=True)
        ]
        return np.frombuffer(b"".join(whole), np.uint64).reshape(-1, 4), is_wrong
    if column.null_count:
        is_wrong = column.is_null().to_numpy(zero_copy_only=False)
    words = np.frombuffer(column.buffers()[1], np.uint64)
    return words[4 * column.offset : 4 * (column.offset + len(column))].reshape(-1, 4), is_wrong


def _piece(
    first: int, count: int, columns: dict[str, Any], faults: dict[str, Flags], value_of: Any
) -> Piece:
    is_bad = np.logical_or.reduce(list(faults.values()))
    malformed = []
    for row in np.flatnonzero(is_bad).tolist():
        name = next(name for name, broken in faults.items() if broken[row])
        got = value_of(name, row)
        got = f"{len(got)} bytes" if isinstance(got, bytes) else got
        expected = "32 bytes" if name == "commitment" else _range_text(name)
        malformed.append(RowRefusal(first + row, RowFault.MALFORMED, name, got, expected))
    places = np.arange(first, first + count)
    seqs = columns.pop("meter_seq")
    rows = UseRows(**columns)
    if malformed:
        places, seqs, rows = places[~is_bad], seqs[~is_bad], rows.where(~is_bad)
    return Piece(count, places, seqs, rows, malformed)


def _range_text(name: str) -> str:
    if name == "meter_seq":
        return f"1 … {SEQ_MAX}"
    return f"0 … {np.iinfo(WIDTHS[name]).max}"


class UseLine(msgspec.Struct, forbid_unknown_fields=True):
    """One use as a JSON object."""

    meter_seq: int
    meter_no: int
    licence_no: int
    mode: int
    purpose: int
    used_at_ms: int
    version_no: int
    status: int
    units: int
    records: int
    commitment: str


_LINE = msgspec.json.Decoder(UseLine)


def _json_pieces(stream: Any) -> Iterator[Piece]:
    first, pending = 0, b""
    while True:
        block = stream.read(1 << 24)
        lines = (pending + block).split(b"\n")
        pending = b"" if not block else lines.pop()
        if not block and lines == [b""]:
            return
        if not block and not lines[-1]:
            lines.pop()
        for start in range(0, len(lines), PIECE_ROWS):
            part = lines[start : start + PIECE_ROWS]
            yield _json_piece(part, first)
            first += len(part)
        if not block:
            return


def _json_piece(lines: list[bytes], first: int) -> Piece:
    good: list[UseLine] = []
    places: list[int] = []
    malformed: list[RowRefusal] = []
    for place, line in enumerate(lines, first):
        found = _use_line(line, place)
        if isinstance(found, UseLine):
            good.append(found)
            places.append(place)
        else:
            malformed.append(found)
    columns = {
        name: np.fromiter((getattr(use, name) for use in good), width, len(good))
        for name, width in WIDTHS.items()
    }
    words = b"".join(bytes.fromhex(use.commitment[2:]) for use in good)
    seqs = columns.pop("meter_seq")
    rows = UseRows(**columns, commitment=np.frombuffer(words, np.uint64).reshape(-1, 4))
    return Piece(len(lines), np.array(places, np.int64), seqs, rows, malformed)


def quotes_of(kind: type[msgspec.Struct]) -> int:
    """Return how many quotation marks a use has in JSON, its commitment being the only text.

    The decoder takes the last of repeated members; each member more has two marks more, so
    counting tells it at no cost.
    """
    return 2 * len(kind.__struct_fields__) + 2


_LINE_QUOTES = quotes_of(UseLine)


def _use_line(line: bytes, place: int) -> UseLine | RowRefusal:
    expected = "a use as a JSON object"
    try:
        use = _LINE.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return RowRefusal(place, RowFault.MALFORMED, "row", str(error), expected)
    for name, width in WIDTHS.items():
        lowest, highest = (1, SEQ_MAX) if name == "meter_seq" else (0, int(np.iinfo(width).max))
        value = getattr(use, name)
        if not lowest <= value <= highest:
            return RowRefusal(place, RowFault.MALFORMED, name, value, f"{lowest} … {highest}")
    if not _is_digest(use.commitment):
        expected = "0x and 64 lower-case hex digits"
        return RowRefusal(place, RowFault.MALFORMED, "commitment", use.commitment[:80], expected)
    if line.count(b'"') != _LINE_QUOTES:
        return RowRefusal(place, RowFault.MALFORMED, "row", "a repeated member", expected)
    return use


def _is_digest(text: str) -> bool:
    if len(text) != 2 + 2 * _COMMITMENT_BYTES or not text.startswith("0x"):
        return False
    return all(digit in "0123456789abcdef" for digit in text[2:])


assert set(NAMES) == {"meter_seq", *(field.name for field in fields(UseRows))}
