"""Off-chain records and the digests that commit to them.

Rules kept here:
1. The digest is SHA-256(salt ‖ JCS(record)); the salt is 32 random bytes, so a guessable record
   (a name, an amount) cannot be found by trying, and destroying the salt cuts the link. A policy
   of others' making (ODRL) has no salt beside it: it holds a nonce of 32 bytes itself.
2. A document's text is canonical JSON itself, so equal documents are equal files.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ledger.codec.canonical import canonical_json
from ledger.codec.errors import MalformedDocumentError
from ledger.domain.errors import MalformedValueError
from ledger.domain.ids import Digest, digest, digest_text
from ledger.domain.nesting import check_nesting
from ledger.domain.policies import NONCE

SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class Document:
    """A record and the salt that its digest is bound to."""

    record: Mapping[str, Any]
    salt: bytes

    def __post_init__(self) -> None:
        if len(self.salt) != SALT_BYTES and not (self.salt == b"" and _has_nonce(self.record)):
            raise MalformedDocumentError(
                f"salt must be {SALT_BYTES} bytes, got {len(self.salt)}",
                field="salt",
                got=len(self.salt),
                expected=SALT_BYTES,
            )

    @classmethod
    def new(cls, record: Mapping[str, Any]) -> Document:
        """Return a document of a record with a fresh random salt."""
        return cls(record, secrets.token_bytes(SALT_BYTES))

    @property
    def digest(self) -> Digest:
        """SHA-256(salt ‖ JCS(record)), 32 bytes.

        Raises:
            NotCanonicalError: when the record has no canonical form.
        """
        return Digest(hashlib.sha256(self.salt + canonical_json(self.record)).digest())

    def to_json(self) -> str:
        """Return the document as canonical JSON text: record and salt."""
        whole = {"record": dict(self.record), "salt": digest_text(self.salt)}
        return canonical_json(whole).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Document:
        """Return the document of a text made by `to_json` (spacing and key order are free).

        Raises:
            MalformedDocumentError: when the text is not JSON, repeats a key, or is not exactly
                a record (an object) and a salt (0x and 64 hex digits).
            NotCanonicalError: when the record has no canonical form.
        """
        whole = _parse(text)
        if not isinstance(whole, dict) or set(whole) != {"record", "salt"}:
            raise _malformed("expected exactly the members record and salt", "$")
        if not isinstance(whole["record"], dict):
            raise _malformed("record must be an object", "record")
        try:
            salt = b"" if whole["salt"] == "0x" else digest(whole["salt"], "salt")
        except MalformedValueError as error:
            raise _malformed(error.detail, "salt") from error
        canonical_json(whole["record"])
        return cls(whole["record"], salt)


def _has_nonce(record: Mapping[str, Any]) -> bool:
    try:
        return len(digest(record.get(NONCE), NONCE)) == SALT_BYTES
    except MalformedValueError:
        return False


def _parse(text: str | bytes) -> Any:
    try:
        decoded = text if isinstance(text, str) else text.decode("utf-8")
        check_nesting(decoded)
        return json.loads(decoded, object_pairs_hook=_unique)
    except (ValueError, MalformedValueError) as error:
        raise _malformed(f"not JSON: {error}", "$") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _malformed("a key is repeated", "$")
    return members


def _malformed(detail: str, field: str) -> MalformedDocumentError:
    return MalformedDocumentError(
        detail, field=field, expected='{"record": {…}, "salt": "0x" + 64 hex digits}'
    )
