"""Proofs in trees too large to build: made-up hashes, and the roots that follow from them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from ledger.codec.merkle import HASH_BYTES, node_hash, split


@dataclass(frozen=True, slots=True)
class Extension:
    """A consistency proof and both roots it leads to."""

    old_root: bytes
    new_root: bytes
    proof: list[bytes]


def made_up(count: int) -> list[bytes]:
    """Return hashes of nothing."""
    return [secrets.token_bytes(HASH_BYTES) for _ in range(count)]


def extension(old_size: int, new_size: int) -> Extension:
    """Return a proof as RFC 9162 section 2.1.4.1 splits these trees, of made-up hashes."""
    proof: list[bytes] = []
    old_root, new_root = _roots(old_size, new_size, is_whole=True, proof=proof)
    return Extension(old_root, new_root, proof)


def _roots(old_size: int, size: int, *, is_whole: bool, proof: list[bytes]) -> tuple[bytes, bytes]:
    if old_size == size:
        [shared] = made_up(1)
        proof += [] if is_whole else [shared]
        return shared, shared
    middle = split(size)
    if old_size <= middle:
        old, new = _roots(old_size, middle, is_whole=is_whole, proof=proof)
        proof += made_up(1)
        return old, node_hash(new, proof[-1])
    old, new = _roots(old_size - middle, size - middle, is_whole=False, proof=proof)
    proof += made_up(1)
    return node_hash(proof[-1], old), node_hash(proof[-1], new)
