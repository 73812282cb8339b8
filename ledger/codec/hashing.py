"""Hashes of many leaves and nodes at once, by the native kernel or by hashlib.

Rules kept here:
1. Every engine gives the same bytes; the engine decides only how long it takes.
2. Entries are equally long and lie one after the other in any contiguous buffer; what is no whole
   number of them is refused before anything is hashed.
3. The native engines run without the interpreter's lock.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ledger.codec import kernel
from ledger.codec.errors import EntryLengthError, UnknownEngineError
from ledger.codec.kernel import ENTRY_BYTES_MAX, Bytes, Engine
from ledger.codec.merkle import HASH_BYTES, hash_leaves, parents
from ledger.codec.tiles import TILE_WIDTH, tile_root

AUTO = "auto"
HASHLIB = "hashlib"
_NATIVE = {"sha-ni": Engine.SHA, "portable": Engine.PORTABLE}


class _Choice:
    """The engine in use; None before the first use."""

    name: str | None = None


def available_engines() -> tuple[str, ...]:
    """Return the names of the engines that this machine has, the fastest first."""
    library = kernel.load()
    found = library.engines if library else ()
    return (*(name for name, engine in _NATIVE.items() if engine in found), HASHLIB)


def use_engine(name: str = AUTO) -> str:
    """Hash by the named engine from now on, in all threads; `auto` takes the fastest.

    With `hashlib` no native code runs, so the kernel's totals filter is off too.

    Returns:
        The engine's name.

    Raises:
        UnknownEngineError: when this machine does not have it.
    """
    available = available_engines()
    if name != AUTO and name not in available:
        raise UnknownEngineError(
            f"no hashing engine {name!r} here, only {', '.join(available)}",
            field="engine",
            got=name,
            expected=[AUTO, *available],
        )
    _Choice.name = available[0] if name == AUTO else name
    kernel.switch(_Choice.name != HASHLIB)
    return _Choice.name


def engine() -> str:
    """Return the name of the engine in use: `sha-ni`, `portable` or `hashlib`."""
    return _Choice.name or use_engine()


def leaf_hashes(entries: Any, entry_bytes: int) -> bytes:
    """Return the leaf hash of each entry, one after the other.

    Raises:
        EntryLengthError: when the buffer is not a whole number of entries.
    """
    data = _whole(entries, entry_bytes, "entries")
    native = _native(entry_bytes)
    if native is not None and len(data):
        return native[0].leaf_hashes(native[1], data, entry_bytes)
    return b"".join(hash_leaves(data.data, entry_bytes or 1))


def tile_roots(entries: Any, entry_bytes: int) -> bytes:
    """Return the root of each full tile of 256 entries, one after the other.

    Raises:
        EntryLengthError: when the buffer is not a whole number of tiles.
    """
    data = _whole(entries, entry_bytes * TILE_WIDTH, "entries")
    native = _native(entry_bytes)
    if native is not None and len(data):
        return native[0].tile_roots(native[1], data, entry_bytes, TILE_WIDTH)
    view, step = data.data, entry_bytes * TILE_WIDTH or 1
    tiles = (view[start : start + step] for start in range(0, len(view), step))
    return b"".join(tile_root(hash_leaves(tile, entry_bytes)) for tile in tiles)


def node_roots(hashes: Any) -> bytes:
    """Return the root of each run of 256 hashes, one after the other.

    Raises:
        EntryLengthError: when the buffer is not a whole number of such runs.
    """
    data = _whole(hashes, HASH_BYTES * TILE_WIDTH, "hashes")
    native = _native()
    if native is not None and len(data):
        return native[0].node_roots(native[1], data, TILE_WIDTH)
    row = _split(data)
    runs = (row[start : start + TILE_WIDTH] for start in range(0, len(row), TILE_WIDTH))
    return b"".join(tile_root(run) for run in runs)


def tile_nodes(hashes: Any) -> bytes:
    """Return all complete nodes over the hashes of a tile, level by level, the hashes first.

    n hashes give n + n//2 + n//4 + … hashes.

    Raises:
        EntryLengthError: when the buffer is not at most 256 whole hashes.
    """
    data = _whole(hashes, HASH_BYTES, "hashes")
    count = len(data) // HASH_BYTES
    if count > TILE_WIDTH:
        raise _length("hashes", len(data), f"at most {TILE_WIDTH} hashes of {HASH_BYTES} bytes")
    native = _native()
    if native is not None and count:
        nodes = sum(count >> level for level in range(count.bit_length()))
        return native[0].tile_nodes(native[1], data, nodes)
    row, found = _split(data), []
    while row:
        found += row
        row = parents(row)
    return b"".join(found)


def _native(entry_bytes: int = HASH_BYTES) -> tuple[kernel.Kernel, Engine] | None:
    """Return library and engine; None where hashlib is to do it, as it does for long entries."""
    number = _NATIVE.get(engine()) if entry_bytes <= ENTRY_BYTES_MAX else None
    library = None if number is None else kernel.load()
    return None if number is None or library is None else (library, number)


def _whole(data: Any, unit_bytes: int, field: str) -> Bytes:
    """Return a buffer as bytes; refuse one that is no whole number of units."""
    try:
        found = np.frombuffer(data, np.uint8)
    except (BufferError, ValueError) as error:
        raise _length(field, "a scattered buffer", "a contiguous one") from error
    if len(found) % unit_bytes if unit_bytes > 0 else len(found):
        raise _length(field, len(found), f"a multiple of {unit_bytes} bytes")
    return found


def _split(data: Bytes) -> list[bytes]:
    text = data.tobytes()
    return [text[start : start + HASH_BYTES] for start in range(0, len(text), HASH_BYTES)]


def _length(field: str, got: object, expected: str) -> EntryLengthError:
    return EntryLengthError(
        f"{field} must be {expected}, got {got}", field=field, got=got, expected=expected
    )
