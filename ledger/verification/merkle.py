"""A Merkle tree of its own: leaves one by one, the root at any moment.

Source: RFC 9162 section 2.1.1; SHA-256, 0x00 before a leaf, 0x01 before two nodes.
"""

from __future__ import annotations

from hashlib import sha256


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node over its two children."""
    return sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: list[bytes]) -> bytes:
    """Return the root over a power of two of hashes."""
    if len(hashes) == 1:
        return hashes[0]
    middle = len(hashes) // 2
    return node_hash(perfect_root(hashes[:middle]), perfect_root(hashes[middle:]))


class GrowingTree:
    """The tree over the leaves so far: only the perfect subtrees on its right edge are kept."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        """Append a leaf's hash."""
        self.size += 1
        width = 1
        while self._edge and self._edge[-1][0] == width:
            leaf = node_hash(self._edge.pop()[1], leaf)
            width *= 2
        self._edge.append((width, leaf))

    def root(self) -> bytes:
        """Return the root over all leaves so far."""
        if not self._edge:
            return sha256(b"").digest()
        root = self._edge[-1][1]
        for _, left in reversed(self._edge[:-1]):
            root = node_hash(left, root)
        return root
