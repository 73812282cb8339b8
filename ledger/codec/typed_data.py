"""Typed data to be signed (EIP-712), as every wallet takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_DOMAIN = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)


def typed_message(
    primary_type: str,
    fields: Sequence[tuple[str, str]],
    domain: Mapping[str, Any],
    message: Mapping[str, Any],
) -> dict[str, Any]:
    """Return a full EIP-712 message.

    Args:
        primary_type: name of the struct.
        fields: its members as (name, type), in the contract's order.
        domain: name, version, chainId, verifyingContract.
        message: value by member name.
    """
    return {
        "types": {
            "EIP712Domain": [{"name": name, "type": kind} for name, kind in _DOMAIN],
            primary_type: [{"name": name, "type": kind} for name, kind in fields],
        },
        "primaryType": primary_type,
        "domain": dict(domain),
        "message": dict(message),
    }
