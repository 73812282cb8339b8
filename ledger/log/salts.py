"""Salts of receipts, derived from one destroyable key per licence.

Salt = HMAC-SHA256(licence key, "mdl-salt" ‖ log_no as uint32 ‖ licence_seq as uint64), big-endian.
Destroying 32 bytes makes every commitment of the licence unopenable.
"""

from __future__ import annotations

import hmac
import secrets
import struct

from ledger.log.errors import LogCorruptError
from ledger.log.layout import LogLayout, sync_folder, write_file

KEY_BYTES = 32
_CONTEXT = struct.Struct(">8sIQ")
_LABEL = b"mdl-salt"


def receipt_salt(licence_key: bytes, log_no: int, licence_seq: int) -> bytes:
    """Return the 32-byte salt of a licence's receipt."""
    return hmac.digest(licence_key, _CONTEXT.pack(_LABEL, log_no, licence_seq), "sha256")


def read_licence_key(layout: LogLayout, licence_no: int) -> bytes | None:
    """Return a licence's key, or None when it has none (yet, or any more).

    Raises:
        LogCorruptError: when the file is not 32 bytes.
    """
    try:
        key = layout.key_of(licence_no).read_bytes()
    except FileNotFoundError:
        return None
    if len(key) != KEY_BYTES:
        raise LogCorruptError(
            f"the key of licence {licence_no} has {len(key)} bytes",
            field="key",
            got=len(key),
            expected=KEY_BYTES,
        )
    return key


class LicenceKeys:
    """Keys of the licences; fresh ones wait until `store` makes them durable."""

    def __init__(self, layout: LogLayout) -> None:
        self._layout = layout
        self._known: dict[int, bytes] = {}
        self._fresh: dict[int, bytes] = {}

    def key(self, licence_no: int) -> bytes:
        """Return the licence's key, made now when it has none."""
        key = self._known.get(licence_no)
        if key is None:
            key = read_licence_key(self._layout, licence_no)
            if key is None:
                key = self._fresh[licence_no] = secrets.token_bytes(KEY_BYTES)
            self._known[licence_no] = key
        return key

    def take_fresh(self) -> dict[int, bytes]:
        """Return the keys not on disk yet; they are the caller's to store now."""
        fresh, self._fresh = self._fresh, {}
        return fresh

    def store(self, fresh: dict[int, bytes]) -> None:
        """Make keys durable."""
        for licence_no, key in fresh.items():
            write_file(self._layout.key_of(licence_no), key, 0o600)
        if fresh:
            sync_folder(self._layout.secrets)

    def forget(self, licence_no: int) -> None:
        """Drop the copy in memory of a key that is being destroyed."""
        self._known.pop(licence_no, None)
        self._fresh.pop(licence_no, None)
