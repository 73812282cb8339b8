"""Identities and digests.

Rules kept here:
1. Organisations, datasets, products, schemes, agreements, invoices and batches are named by a
   UUIDv7 (RFC 9562): 16 bytes on chain, the usual text everywhere else. The caller makes the id,
   so a repeated request is recognised. Licences, logs and meters have numbers, as receipts do.
2. A digest is 32 bytes; its text is 0x and 64 lower-case hex digits.
3. A person or a guessable record is never hashed bare: see `ledger.codec.documents`.
"""

from __future__ import annotations

import re
import secrets
import time
from typing import NewType
from uuid import UUID

from ledger.domain.errors import MalformedValueError

OrganisationId = NewType("OrganisationId", UUID)
DatasetId = NewType("DatasetId", UUID)
ProductId = NewType("ProductId", UUID)
SchemeId = NewType("SchemeId", UUID)
AgreementId = NewType("AgreementId", UUID)
InvoiceId = NewType("InvoiceId", UUID)
BatchId = NewType("BatchId", UUID)
ClaimantId = NewType("ClaimantId", UUID)
"""A dataset or an organisation to which a split credits income."""

Digest = NewType("Digest", bytes)

ZERO_DIGEST = Digest(bytes(32))
_HEX32 = re.compile(r"0x[0-9a-f]{64}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def new_id(now_ms: int | None = None) -> UUID:
    """Return a fresh UUIDv7: 48 bits of Unix milliseconds, 74 random bits."""
    millis = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    rand = secrets.randbits(74)
    value = (millis & (2**48 - 1)) << 80 | 0x7 << 76 | (rand >> 62) << 64 | 0b10 << 62
    return UUID(int=value | rand & (2**62 - 1))


def parse_id(text: object, name: str = "id") -> UUID:
    """Return the UUID of its canonical text.

    Raises:
        MalformedValueError: when the text is not 36 characters of a canonical UUID.
    """
    if isinstance(text, UUID):
        return text
    try:
        parsed = UUID(text) if isinstance(text, str) else None
    except ValueError:
        parsed = None
    if parsed is None or str(parsed) != str(text).lower():
        raise MalformedValueError(
            f"{name} must be a UUID such as 0199c0de-0000-7000-8000-000000000000, got {text!r}",
            field=name,
            got=text,
            expected="canonical UUID",
        )
    return parsed


def digest(value: object, name: str = "digest") -> Digest:
    """Return a 32-byte digest given as bytes or as 0x and 64 lower-case hex digits."""
    if isinstance(value, bytes | bytearray | memoryview) and len(value) == 32:
        return Digest(bytes(value))
    if isinstance(value, str) and _HEX32.fullmatch(value):
        return Digest(bytes.fromhex(value[2:]))
    raise MalformedValueError(
        f"{name} must be 32 bytes as 0x and 64 lower-case hex digits, got {value!r}",
        field=name,
        got=value if isinstance(value, str) else repr(value),
        expected="0x + 64 hex digits",
    )


def digest_text(value: bytes) -> str:
    """Return the text of a digest or of any other byte string: 0x and lower-case hex."""
    return "0x" + value.hex()


def address(value: object, name: str = "address") -> str:
    """Return a 20-byte account address as lower-case hex; its checksum is the edge's business."""
    if isinstance(value, str) and _ADDRESS.fullmatch(value):
        return value.lower()
    raise MalformedValueError(
        f"{name} must be 0x and 40 hex digits, got {value!r}",
        field=name,
        got=value,
        expected="0x + 40 hex digits",
    )
