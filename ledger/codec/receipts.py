"""Usage receipts, format 1: 96 bytes, big-endian, no padding.

Rules kept here:
1. The bytes are those of `design.md` section 6; contracts and verifier read the same offsets.
2. Decoding is strict: exactly 96 bytes and a known format, or a typed error.
3. `RECEIPT_DTYPE` is the same layout for arrays, so a batch is read without a loop.

Whether a receipt makes sense (known codes, no gap, sum right) is the log's business.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, fields

import numpy as np

from ledger.codec.canonical import canonical_json
from ledger.codec.errors import ReceiptLengthError, UnknownReceiptFormatError
from ledger.domain.errors import MalformedValueError
from ledger.domain.ids import Digest, digest_text
from ledger.domain.units import UINT16_MAX, UINT32_MAX, UINT64_MAX, require_range

RECEIPT_FORMAT = 1
RECEIPT_BYTES = 96

_LAYOUT = struct.Struct(">BBHIQQQIIQQQ32s")

RECEIPT_DTYPE = np.dtype(
    [
        ("format", "u1"),
        ("mode", "u1"),
        ("purpose", ">u2"),
        ("meter_no", ">u4"),
        ("licence_no", ">u8"),
        ("licence_seq", ">u8"),
        ("used_at_ms", ">u8"),
        ("version_no", ">u4"),
        ("status", ">u4"),
        ("units", ">u8"),
        ("cumulative_units", ">u8"),
        ("records", ">u8"),
        ("commitment", "u1", (32,)),
    ]
)
"""The 96 bytes as a NumPy record; fields keep their big-endian order."""

_FIELD_MAX = {
    "mode": 2**8 - 1,
    "purpose": UINT16_MAX,
    "meter_no": UINT32_MAX,
    "licence_no": UINT64_MAX,
    "licence_seq": UINT64_MAX,
    "used_at_ms": UINT64_MAX,
    "version_no": UINT32_MAX,
    "status": UINT32_MAX,
    "units": UINT64_MAX,
    "cumulative_units": UINT64_MAX,
    "records": UINT64_MAX,
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """One use of a licence, or one refusal."""

    mode: int
    """Delivery mode, `DeliveryMode`."""
    purpose: int
    """Purpose code, `Purpose`."""
    meter_no: int
    licence_no: int
    licence_seq: int
    """1, 2, 3 … without a gap per licence in this log."""
    used_at_ms: int
    """Unix milliseconds, UTC."""
    version_no: int
    """Product version served."""
    status: int
    """`ReceiptStatus`: 0 delivered, else why not."""
    units: int
    """Units in the tariff's basis; 0 unless delivered."""
    cumulative_units: int
    """Running total of the licence in this log, this receipt included."""
    records: int
    """Rows delivered."""
    commitment: bytes
    """32 bytes, see `commitment`."""

    def encode(self) -> bytes:
        """Return the 96 bytes.

        Raises:
            ValueOutOfRangeError: when a number does not fit its field.
            MalformedValueError: when the commitment is not 32 bytes.
        """
        if len(self.commitment) != 32:
            raise MalformedValueError(
                f"commitment must be 32 bytes, got {len(self.commitment)}",
                field="commitment",
                got=len(self.commitment),
                expected=32,
            )
        try:
            return self._pack()
        except struct.error:
            for name, limit in _FIELD_MAX.items():
                require_range(name, getattr(self, name), 0, limit)
            raise

    def _pack(self) -> bytes:
        return _LAYOUT.pack(
            RECEIPT_FORMAT,
            self.mode,
            self.purpose,
            self.meter_no,
            self.licence_no,
            self.licence_seq,
            self.used_at_ms,
            self.version_no,
            self.status,
            self.units,
            self.cumulative_units,
            self.records,
            self.commitment,
        )

    @classmethod
    def decode(cls, data: bytes) -> Receipt:
        """Return the receipt of its 96 bytes.

        Raises:
            ReceiptLengthError: when there are more or fewer than 96 bytes.
            UnknownReceiptFormatError: when the first byte is not 1.
        """
        if len(data) != RECEIPT_BYTES:
            raise ReceiptLengthError(
                f"a receipt has {RECEIPT_BYTES} bytes, got {len(data)}",
                field="receipt",
                got=len(data),
                expected=RECEIPT_BYTES,
            )
        version, *values = _LAYOUT.unpack(data)
        if version != RECEIPT_FORMAT:
            raise UnknownReceiptFormatError(
                f"receipt format must be {RECEIPT_FORMAT}, got {version}",
                field="format",
                got=version,
                expected=RECEIPT_FORMAT,
            )
        return cls(*values)

    def as_dict(self) -> dict[str, int | str]:
        """Return the fields for JSON; the commitment as 0x and hex."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return values | {"commitment": digest_text(self.commitment)}


def commitment(salt: bytes, request_digest: bytes, response_digest: bytes) -> Digest:
    """Return SHA-256(salt ‖ JCS({"request_digest", "response_digest"})), both as 0x and hex.

    Args:
        salt: 32 bytes, kept off chain; destroying it makes the commitment unopenable.
        request_digest: SHA-256 of the request's canonical JSON.
        response_digest: SHA-256 of the delivered bytes; zeros where nothing was delivered.

    Raises:
        MalformedValueError: when one of the three is not 32 bytes.
    """
    parts = {"salt": salt, "request_digest": request_digest, "response_digest": response_digest}
    for name, value in parts.items():
        if len(value) != 32:
            raise MalformedValueError(
                f"{name} must be 32 bytes", field=name, got=len(value), expected=32
            )
    opened = {
        "request_digest": digest_text(request_digest),
        "response_digest": digest_text(response_digest),
    }
    return Digest(hashlib.sha256(salt + canonical_json(opened)).digest())
