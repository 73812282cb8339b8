"""One proof for many leaves of a tree: the roots of the subtrees that hold none of them.

Rules kept here:
1. The tree is split as RFC 9162 section 2.1.1 splits it; the hashes stand left to right.
2. Every hash is used exactly once, so a proof of n leaves has no second form.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import itemgetter

from ledger.codec.errors import InvalidProofError, TreeRangeError
from ledger.codec.merkle import HASH_BYTES, NodeSource, node_hash, range_root, split


def multiproof(indices: Sequence[int], size: int, node: NodeSource) -> list[bytes]:
    """Return the hashes that lead from some leaves to the root of the first `size`.

    Args:
        indices: which leaves, ascending; at least one.
        size: leaves of the tree.
        node: roots of perfect subtrees; asked from left to right.

    Raises:
        TreeRangeError: unless the indices ascend within the tree.
    """
    _check_indices(indices, size)
    return list(_missing(indices, 0, size, node))


def root_of_multiproof(
    leaves: Sequence[bytes], indices: Sequence[int], size: int, proof: Sequence[bytes]
) -> bytes:
    """Return the root to which leaf hashes at their indices and a proof lead.

    Raises:
        TreeRangeError: unless the indices ascend within the tree.
        InvalidProofError: when hashes are missing, left over or not of 32 bytes.
    """
    _check_indices(indices, size)
    if len(leaves) != len(indices):
        raise _invalid("leaves", len(leaves), len(indices))
    if any(len(item) != HASH_BYTES for item in proof):
        raise _invalid("proof", "another length", f"hashes of {HASH_BYTES} bytes")
    rest = iter(proof)
    result = _root(list(zip(indices, leaves, strict=True)), 0, size, rest)
    left_over = sum(1 for _ in rest)
    if left_over:
        raise _invalid("proof", len(proof), len(proof) - left_over)
    return result


def _missing(indices: Sequence[int], start: int, end: int, node: NodeSource) -> Iterator[bytes]:
    """Yield the roots of the largest subtrees of [start, end) without a leaf of ours."""
    if not indices:
        yield range_root(start, end, node)
    elif end - start > 1:
        middle = start + split(end - start)
        cut = bisect_left(indices, middle)
        yield from _missing(indices[:cut], start, middle, node)
        yield from _missing(indices[cut:], middle, end, node)


def _root(
    leaves: Sequence[tuple[int, bytes]], start: int, end: int, proof: Iterator[bytes]
) -> bytes:
    if not leaves:
        item = next(proof, None)
        if item is None:
            raise _invalid("proof", "its end", "one more hash")
        return item
    if end - start == 1:
        return leaves[0][1]
    middle = start + split(end - start)
    cut = bisect_left(leaves, middle, key=itemgetter(0))
    left = _root(leaves[:cut], start, middle, proof)
    return node_hash(left, _root(leaves[cut:], middle, end, proof))


def _check_indices(indices: Sequence[int], size: int) -> None:
    ascending = all(low < high for low, high in pairwise(indices))
    if not indices or not ascending or indices[0] < 0 or indices[-1] >= size:
        raise TreeRangeError(
            f"the leaves must ascend within a tree of {size}",
            field="indices",
            got=[*indices[:1], *indices[-1:]],
            expected=size,
        )


def _invalid(field: str, got: object, expected: object) -> InvalidProofError:
    return InvalidProofError(
        f"proof fails at {field}: got {got}, expected {expected}",
        field=field,
        got=got,
        expected=expected,
    )
