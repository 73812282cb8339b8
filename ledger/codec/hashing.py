"""Temporary: hashlib only."""

from hashlib import sha256


def leaf_hashes(entries, entry_bytes):
    v = memoryview(entries)
    return b"".join(
        sha256(b"\x00" + v[i : i + entry_bytes]).digest() for i in range(0, len(v), entry_bytes)
    )


def _up(h):
    return b"".join(sha256(b"\x01" + h[i : i + 64]).digest() for i in range(0, len(h) - 63, 64))


def node_roots(hashes):
    h = bytes(hashes)
    for _ in range(8):
        h = _up(h)
    return h


def tile_roots(entries, entry_bytes):
    return node_roots(leaf_hashes(entries, entry_bytes))


def tile_nodes(hashes):
    h = bytes(hashes)
    out = h
    while len(h) >= 64:
        h = _up(h)
        out += h
    return out
