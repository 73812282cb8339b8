"""Keystores on this machine, by name; each organisation keeps its own."""

from __future__ import annotations

import re
from pathlib import Path

from ledger.chain.keys import (
    SCRYPT_N,
    KeyAccount,
    KeystoreError,
    keystore_address,
    load_keystore,
    new_account,
    write_keystore,
)
from ledger.domain.errors import MalformedValueError

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class Wallet:
    """A folder of keystore v3 files, `<name>.json`; opened keys stay in memory."""

    def __init__(self, folder: Path, *, scrypt_n: int = SCRYPT_N) -> None:
        self._folder = folder
        self._scrypt_n = scrypt_n
        self._open: dict[str, KeyAccount] = {}

    def create(self, name: str, password: str) -> KeyAccount:
        """Make a new key and its keystore.

        Raises:
            KeystoreError: the name is taken.
        """
        account = new_account()
        write_keystore(self._path(name), account, password, scrypt_n=self._scrypt_n)
        self._open[name] = account
        return account

    def open(self, name: str, password: str) -> KeyAccount:
        """Open a keystore, once.

        Raises:
            KeystoreError: it is absent, or the password is wrong.
        """
        if name not in self._open:
            self._open[name] = load_keystore(self._path(name), password)
        return self._open[name]

    def holds(self, address: str) -> bool:
        """Whether a keystore of an account is here: its member's signing is delegated."""
        return address.lower() in self.names().values()

    def unlock(self, address: str, password: str) -> KeyAccount:
        """Open the keystore of an account for this once; the key is not kept open.

        Raises:
            KeystoreError: there is none here, or the password is wrong.
        """
        for name, held in self.names().items():
            if held == address.lower():
                return load_keystore(self._path(name), password)
        raise KeystoreError("no keystore of this account is here", field="address", got=address)

    def names(self) -> dict[str, str]:
        """Return the address of each keystore by its name."""
        files = sorted(self._folder.glob("*.json")) if self._folder.exists() else []
        return {file.stem: keystore_address(file) for file in files}

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise MalformedValueError(
                f"a key's name is lower-case letters, digits and hyphens, got {name!r}",
                field="name",
                got=name,
                expected="[a-z0-9-], at most 63 characters",
            )
        return self._folder / f"{name}.json"
