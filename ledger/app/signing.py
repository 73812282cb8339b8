"""Signatures by a key at hand, for people who submit over HTTP."""

from __future__ import annotations

from typing import Any

from ledger.chain.forwarder import sign_typed_data
from ledger.chain.keys import KeyAccount, address_of, new_account
from ledger.domain.ids import digest_text

__all__ = ["KeyAccount", "address_of", "new_account", "sign_message"]


def sign_message(account: KeyAccount, typed_data: dict[str, Any]) -> str:
    """Return the signature of an EIP-712 message as 0x and hex."""
    return digest_text(sign_typed_data(account, typed_data))
