"""Secrets of the service itself: its relayer's key, governance's key, the salt of bank lines.

They lie in files that only the owner may read. Organisations' keys are not among them: those are
keystores, see `wallet`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from ledger.app.documents import write_durably

SECRET_BYTES = 32


class Secrets:
    """A folder of 32-byte secrets, each made on first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str) -> bytes:
        """Return a secret, made now when it does not exist."""
        path = self._folder / name
        if not path.exists():
            write_durably(path, secrets.token_hex(SECRET_BYTES).encode(), mode=0o600)
        return bytes.fromhex(path.read_text("ascii"))

    def salt_for(self, name: str, text: str) -> bytes:
        """Return a salt that is always the same for the same text, and guessable by nobody.

        So a bank's line has one digest however often it is read, and the chain can refuse a
        second use of it, though its content could be guessed.
        """
        return hmac.new(self.get(name), text.encode(), hashlib.sha256).digest()
