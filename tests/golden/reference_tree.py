"""RFC 9162 section 2.1 word for word: slow, recursive, sharing no code with the product."""

from __future__ import annotations

import hashlib
from functools import cache


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


class Ranges:
    """The same recursions over ranges of one list, each range hashed once: for many sizes."""

    def __init__(self, leaves: list[bytes]) -> None:
        self._leaves = leaves
        self.mth = cache(self._mth)

    def _mth(self, start: int, end: int) -> bytes:
        """MTH(D[start:end])."""
        if end == start:
            return hashlib.sha256().digest()
        if end - start == 1:
            return self._leaves[start]
        k = start + largest_power_below(end - start)
        return hashlib.sha256(b"\x01" + self.mth(start, k) + self.mth(k, end)).digest()

    def path(self, index: int, start: int, end: int) -> list[bytes]:
        """PATH(index - start, D[start:end])."""
        if end - start == 1:
            return []
        k = start + largest_power_below(end - start)
        if index < k:
            return [*self.path(index, start, k), self.mth(k, end)]
        return [*self.path(index, k, end), self.mth(start, k)]

    def proof(self, old_end: int, start: int, end: int, *, complete: bool = True) -> list[bytes]:
        """SUBPROOF(old_end - start, D[start:end], complete)."""
        if old_end == end:
            return [] if complete else [self.mth(start, end)]
        k = start + largest_power_below(end - start)
        if old_end <= k:
            return [*self.proof(old_end, start, k, complete=complete), self.mth(k, end)]
        return [*self.proof(old_end, k, end, complete=False), self.mth(start, k)]
