"""Uses by column: what a meter sends in bulk, and how it becomes receipts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from ledger.codec.receipts import RECEIPT_BYTES, RECEIPT_DTYPE, RECEIPT_FORMAT
from ledger.log.errors import LogRowsError

Column = npt.NDArray[np.uint64]
_WORDS = RECEIPT_BYTES // 8
_COMMITMENT_WORDS = 4


@dataclass(frozen=True, slots=True)
class UseRows:
    """Uses of one or more licences in their order; all columns equally long, native integers.

    The receipt's fields of the same names, without those that the log assigns. The commitment is
    the meter's own: it keeps salts and request records, and answers for them.
    """

    meter_no: npt.NDArray[np.uint32]
    licence_no: npt.NDArray[np.uint64]
    mode: npt.NDArray[np.uint8]
    purpose: npt.NDArray[np.uint16]
    used_at_ms: npt.NDArray[np.uint64]
    version_no: npt.NDArray[np.uint32]
    status: npt.NDArray[np.uint32]
    units: npt.NDArray[np.uint64]
    records: npt.NDArray[np.uint64]
    commitment: npt.NDArray[np.uint64]
    """n x 4 words, in the order of the bytes as they lie in memory."""

    def __len__(self) -> int:
        return len(self.licence_no)

    def where(self, wanted: npt.NDArray[np.generic]) -> UseRows:
        """Return the rows that a mask or a list of places names."""
        return UseRows(*(getattr(self, field.name)[wanted] for field in fields(self)))

    def part(self, first: int, end: int) -> UseRows:
        """Return rows [first, end), sharing memory."""
        return UseRows(*(getattr(self, field.name)[first:end] for field in fields(self)))

    @classmethod
    def join(cls, parts: Sequence[UseRows]) -> UseRows:
        """Return rows one after the other."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            *(
                np.concatenate([getattr(part, field.name) for part in parts])
                for field in fields(cls)
            )
        )

    @classmethod
    def decode(cls, data: bytes | memoryview) -> UseRows:
        """Return the rows of receipts whose licence_seq and cumulative_units are still zero.

        Raises:
            LogRowsError: when they are not whole receipts of format 1, or are numbered already.
        """
        if len(data) % RECEIPT_BYTES:
            raise _malformed("length", len(data), f"a multiple of {RECEIPT_BYTES} bytes")
        block = np.frombuffer(data, RECEIPT_DTYPE)
        words = np.frombuffer(data, np.uint64).reshape(-1, _WORDS)
        expectations = {"format": RECEIPT_FORMAT, "licence_seq": 0, "cumulative_units": 0}
        for name, expected in expectations.items():
            wrong = np.flatnonzero(block[name] != expected)
            if len(wrong):
                row = int(wrong[0])
                raise _malformed(f"{name} of row {row}", int(block[name][row]), expected)
        columns = [
            block[field.name].astype(block[field.name].dtype.newbyteorder("="))
            for field in fields(cls)
            if field.name != "commitment"
        ]
        columns.append(np.ascontiguousarray(words[:, -_COMMITMENT_WORDS:]))
        return cls(*columns)

    def encode(self, licence_seq: Column, cumulative_units: Column) -> bytearray:
        """Return the receipts' bytes under the numbers that the log assigned."""
        receipts = bytearray(len(self) * RECEIPT_BYTES)
        words = np.frombuffer(receipts, ">u8").reshape(-1, _WORDS)
        first = np.uint64(RECEIPT_FORMAT << 56) | (self.mode.astype(np.uint64) << np.uint64(48))
        first |= self.purpose.astype(np.uint64) << np.uint64(32)
        words[:, 0] = first | self.meter_no.astype(np.uint64)
        words[:, 1] = self.licence_no
        words[:, 2] = licence_seq
        words[:, 3] = self.used_at_ms
        words[:, 4] = (self.version_no.astype(np.uint64) << np.uint64(32)) | self.status.astype(
            np.uint64
        )
        words[:, 5] = self.units
        words[:, 6] = cumulative_units
        words[:, 7] = self.records
        words.view(np.uint64)[:, -_COMMITMENT_WORDS:] = self.commitment
        return receipts


def _malformed(field: str, got: object, expected: object) -> LogRowsError:
    return LogRowsError(f"rows are malformed: {field}", field=field, got=got, expected=expected)
