"""RFC 9162 section 2.1 word for word: slow, recursive, sharing no code with the product."""

from __future__ import annotations

import hashlib


def mth(leaves: list[bytes]) -> bytes:
    """Merkle Tree Hash of leaf hashes (the 0x00 prefix is already in them)."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = largest_power_below(len(leaves))
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D_n)."""
    if len(leaves) == 1:
        return []
    k = largest_power_below(len(leaves))
    if index < k:
        return [*path(index, leaves[:k]), mth(leaves[k:])]
    return [*path(index - k, leaves[k:]), mth(leaves[:k])]


def proof(old_size: int, leaves: list[bytes]) -> list[bytes]:
    """PROOF(m, D_n)."""
    return subproof(old_size, leaves, complete=True)


def subproof(old_size: int, leaves: list[bytes], *, complete: bool) -> list[bytes]:
    """SUBPROOF(m, D_n, b)."""
    if old_size == len(leaves):
        return [] if complete else [mth(leaves)]
    k = largest_power_below(len(leaves))
    if old_size <= k:
        return [*subproof(old_size, leaves[:k], complete=complete), mth(leaves[k:])]
    return [*subproof(old_size - k, leaves[k:], complete=False), mth(leaves[:k])]


def largest_power_below(width: int) -> int:
    """The largest power of two smaller than a width of two or more."""
    k = 1
    while k * 2 < width:
        k *= 2
    return k
