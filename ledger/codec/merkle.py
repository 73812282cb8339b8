"""Merkle trees, proofs and their checks, exactly as RFC 9162 section 2.1 with SHA-256.

Rules kept here:
1. Leaf = SHA-256(0x00 ‖ entry), node = SHA-256(0x01 ‖ left ‖ right), empty tree = SHA-256("").
2. Proof makers ask a `NodeSource` for roots of perfect subtrees only, so they work the same over a
   list in memory, over tiles on disk and over a remote log.
3. Proof checkers are the RFC's loops, share nothing with the makers and raise on any doubt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

from ledger.codec.errors import InvalidProofError, TreeRangeError

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

NodeSource = Callable[[int, int], bytes]
"""(level, index) → root of leaves [index · 2^level, (index + 1) · 2^level)."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry as a leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def hash_leaves(block: bytes | memoryview, entry_bytes: int) -> list[bytes]:
    """Return the leaf hashes of equally long entries that lie one after the other.

    Args:
        block: a whole number of entries.
        entry_bytes: length of each entry.
    """
    prefixed = hashlib.sha256(b"\x00")
    hashed = []
    for start in range(0, len(block), entry_bytes):
        state = prefixed.copy()
        state.update(block[start : start + entry_bytes])
        hashed.append(state.digest())
    return hashed


def parents(row: Sequence[bytes]) -> list[bytes]:
    """Return the hashes one level up of an even or odd row; an odd last one has no parent yet."""
    return [node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)]


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root of a tree of leaf hashes (RFC 9162 section 2.1.1)."""
    return tree_root(len(leaves), node_table(leaves))


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the inclusion proof of leaf `index` in the tree of all given leaf hashes."""
    return inclusion_path(index, len(leaves), node_table(leaves))


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """Return the consistency proof from the first `old_size` leaf hashes to all of them."""
    return consistency_path(old_size, len(leaves), node_table(leaves))


def node_table(leaves: Sequence[bytes]) -> NodeSource:
    """Return a source over leaf hashes in memory; every perfect subtree is hashed once."""
    rows = [list(leaves)]
    while len(rows[-1]) > 1:
        rows.append(parents(rows[-1]))
    return lambda level, index: rows[level][index]


def tree_root(size: int, node: NodeSource) -> bytes:
    """Return the root of the first `size` leaves."""
    return range_root(0, size, node) if size else EMPTY_ROOT


def inclusion_path(index: int, size: int, node: NodeSource) -> list[bytes]:
    """Return the path from leaf `index` to the root of the first `size` leaves, leaf end first.

    Source: RFC 9162 section 2.1.3.1.

    Raises:
        TreeRangeError: unless 0 ≤ index < size.
    """
    if not 0 <= index < size:
        raise TreeRangeError(
            f"leaf {index} is not in a tree of {size}", field="index", got=index, expected=size
        )
    path = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            path.append(range_root(middle, end, node))
            end = middle
        else:
            path.append(range_root(start, middle, node))
            start = middle
    path.reverse()
    return path


def consistency_path(old_size: int, size: int, node: NodeSource) -> list[bytes]:
    """Return the proof that the first `old_size` leaves are a prefix of the first `size`.

    Empty when the sizes are equal, or when the old tree is empty. Source: RFC 9162 section 2.1.4.1.

    Raises:
        TreeRangeError: unless 0 ≤ old_size ≤ size.
    """
    if not 0 <= old_size <= size:
        raise TreeRangeError(
            f"size {old_size} is not within {size}", field="old_size", got=old_size, expected=size
        )
    if old_size in (0, size):
        return []
    path = []
    start, end = 0, size
    while old_size < end:
        middle = start + split(end - start)
        if old_size <= middle:
            path.append(range_root(middle, end, node))
            end = middle
        else:
            path.append(range_root(start, middle, node))
            start = middle
    if start:
        path.append(range_root(start, end, node))
    path.reverse()
    return path


def root_of_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Return the root that an inclusion proof leads to.

    Source: RFC 9162 section 2.1.3.2.

    Raises:
        InvalidProofError: when the proof is too long or too short, or index is not below size.
    """
    if not 0 <= index < size:
        raise _invalid("index", index, f"0 … {size - 1}")
    _check_widths("leaf", [leaf])
    _check_widths("proof", proof)
    position, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise _invalid("proof", len(proof), "fewer hashes")
        if position & 1 or position == last:
            result = node_hash(sibling, result)
            while position & 1 == 0 and position:
                position, last = position >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise _invalid("proof", len(proof), "more hashes")
    return result


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root_hash: bytes
) -> None:
    """Check that a leaf hash is at `index` in the tree of `size` leaves with the given root.

    Raises:
        InvalidProofError: when it is not shown to be.
    """
    got = root_of_inclusion(leaf, index, size, proof)
    if got != root_hash:
        raise _invalid("root", got, root_hash)


def verify_consistency(
    old_size: int, size: int, old_root: bytes, root_hash: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of `old_size` leaves is a prefix of the tree of `size` leaves.

    Source: RFC 9162 section 2.1.4.2; equal sizes and an empty old tree need an empty proof.

    Raises:
        InvalidProofError: when it is not shown to be.
    """
    if not 0 <= old_size <= size:
        raise _invalid("old_size", old_size, f"0 … {size}")
    _check_widths("root", [old_root, root_hash])
    _check_widths("proof", proof)
    if old_size in (0, size):
        _verify_trivial(old_size, size, old_root, root_hash, proof)
        return
    old_got, got = _roots_of_consistency(old_size, size, old_root, proof)
    if old_got != old_root:
        raise _invalid("old_root", old_got, old_root)
    if got != root_hash:
        raise _invalid("root", got, root_hash)


def _verify_trivial(
    old_size: int, size: int, old_root: bytes, root_hash: bytes, proof: Sequence[bytes]
) -> None:
    if proof:
        raise _invalid("proof", len(proof), "an empty proof")
    if old_size == 0 and old_root != EMPTY_ROOT:
        raise _invalid("old_root", old_root, EMPTY_ROOT)
    if old_size == size and old_root != root_hash:
        raise _invalid("root", root_hash, old_root)


def _roots_of_consistency(
    old_size: int, size: int, old_root: bytes, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if not proof:
        raise _invalid("proof", 0, "at least one hash")
    position, last = old_size - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old_got = got = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise _invalid("proof", len(proof), "fewer hashes")
        if position & 1 or position == last:
            old_got, got = node_hash(sibling, old_got), node_hash(sibling, got)
            while position & 1 == 0 and position:
                position, last = position >> 1, last >> 1
        else:
            got = node_hash(got, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise _invalid("proof", len(proof), "more hashes")
    return old_got, got


class Frontier:
    """The compact range [0, size): one hash per set bit of the size, largest subtree first.

    Appending costs O(1) hashes on average and the root O(log n), without the leaves.
    """

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if size < 0 or len(hashes) != size.bit_count():
            raise TreeRangeError(
                f"a tree of {size} has {max(size, 0).bit_count()} frontier hashes",
                field="hashes",
                got=len(hashes),
                expected=max(size, 0).bit_count(),
            )
        self._size = size
        self._hashes = list(hashes)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """Roots of the perfect subtrees, left to right."""
        return tuple(self._hashes)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash on the right."""
        carry, size = leaf, self._size
        while size & 1:
            carry, size = node_hash(self._hashes.pop(), carry), size >> 1
        self._hashes.append(carry)
        self._size += 1

    def root(self) -> bytes:
        """Return the root of all leaves so far."""
        return fold(self._hashes) if self._hashes else EMPTY_ROOT


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root of adjacent perfect subtrees given left to right, largest first."""
    result = hashes[-1]
    for left in reversed(hashes[:-1]):
        result = node_hash(left, result)
    return result


def perfect_subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield (level, index) of the perfect subtrees that make up leaves [start, end), left first.

    `start` must be a multiple of the largest power of two that is at most end - start, as it is
    for every subtree of an RFC 9162 tree.
    """
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def range_root(start: int, end: int, node: NodeSource) -> bytes:
    """Return the root of leaves [start, end), which must be a subtree of an RFC 9162 tree."""
    return fold([node(level, index) for level, index in perfect_subtrees(start, end)])


def split(width: int) -> int:
    """Return the largest power of two smaller than a width of at least 2."""
    return 1 << ((width - 1).bit_length() - 1)


def _check_widths(field: str, hashes: Sequence[bytes]) -> None:
    for item in hashes:
        if len(item) != HASH_BYTES:
            raise _invalid(field, len(item), f"hashes of {HASH_BYTES} bytes")


def _invalid(field: str, got: object, expected: object) -> InvalidProofError:
    return InvalidProofError(
        f"proof fails at {field}: got {_text(got)}, expected {_text(expected)}",
        field=field,
        got=got,
        expected=expected,
    )


def _text(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
