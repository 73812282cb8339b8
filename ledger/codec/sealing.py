"""Records that only a key of their own opens: destroying the key destroys every copy.

AES-256-GCM (NIST SP 800-38D): a nonce of 12 random bytes, then ciphertext and tag. What a record
belongs to is bound to it, so that no record can stand in another's place.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.codec.errors import CodecError

KEY_BYTES = 32
_NONCE_BYTES = 12


class SealedRecordError(CodecError):
    """A sealed record does not open: another key, another owner, or altered bytes."""

    code = "codec.sealed_record"


def new_record_key() -> bytes:
    """Return a fresh random key for one record."""
    return secrets.token_bytes(KEY_BYTES)


def seal_record(key: bytes, record: bytes, owner: bytes) -> bytes:
    """Return the sealed bytes of a record that belongs to `owner`."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, record, owner)


def open_record(key: bytes, sealed: bytes, owner: bytes) -> bytes:
    """Return the record in sealed bytes.

    Raises:
        SealedRecordError: key or owner are others, or a byte was changed.
    """
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], owner)
    except (InvalidTag, ValueError) as error:
        raise SealedRecordError("the sealed record does not open", field="sealed") from error
