"""Keys of organisations: Ethereum keystore v3 files, opened once and never logged."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TypeAlias

from eth_account import Account
from eth_account.signers.local import LocalAccount

from ledger.chain.errors import ChainError

KeyAccount: TypeAlias = LocalAccount
"""An opened key; other layers name it without importing the library."""

SCRYPT_N = 262_144
"""Work factor of new keystores; opening one takes most of a second, so it is done once."""


class KeystoreError(ChainError):
    """A keystore file cannot be read, or its password is wrong."""

    code = "chain.keystore_unreadable"


def new_account() -> LocalAccount:
    """Return an account with a fresh random key."""
    created: LocalAccount = Account.create()
    return created


def account_of(private_key: bytes) -> LocalAccount:
    """Return the account of a private key of 32 bytes."""
    account: LocalAccount = Account.from_key(private_key)
    return account


def address_of(account: LocalAccount) -> str:
    """Return an account's address as the ledger writes it: 0x and lower-case hex."""
    return str(account.address).lower()


def write_keystore(
    path: Path, account: LocalAccount, password: str, *, scrypt_n: int = SCRYPT_N
) -> None:
    """Write an account's key to a new keystore v3 file that only its owner may read.

    Raises:
        KeystoreError: the file exists already; a key is never overwritten.
    """
    content = Account.encrypt(account.key, password, kdf="scrypt", iterations=scrypt_n)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise KeystoreError("the keystore exists already", field="path", got=str(path)) from error
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump(content, stream)


def load_keystore(path: Path, password: str) -> LocalAccount:
    """Return the account in a keystore v3 file.

    Raises:
        KeystoreError: the file is absent or no keystore, or the password is wrong.
    """
    try:
        return account_of(bytes(Account.decrypt(path.read_text("utf-8"), password)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KeystoreError(
            f"{path.name} cannot be opened: {type(error).__name__}", field="path", got=str(path)
        ) from error


def keystore_address(path: Path) -> str:
    """Return the address in a keystore file without opening it.

    Raises:
        KeystoreError: the file is absent or no keystore.
    """
    try:
        return "0x" + str(json.loads(path.read_text("utf-8"))["address"]).lower().removeprefix("0x")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KeystoreError("no keystore", field="path", got=str(path)) from error
