"""The native library `kernel.c` through cffi: finding it, its raw calls, the totals filter.

Rules kept here:
1. A library is used only when it gives the number `ABI`; one built from an older source is not.
2. The C code trusts its lengths and layouts; `hashing` and `check_receipts` check them before.
3. Nothing depends on the library: without one hashing falls back to hashlib and the filter
   answers None.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import cffi  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt

from ledger.codec.errors import KernelTableError
from ledger.codec.receipts import RECEIPT_BYTES
from ledger.domain.codes import DeliveryMode, Purpose, ReceiptStatus

ABI = 1
"""`KERNEL_ABI` of the source that this file was written for."""

HASH_BYTES = 32
ENTRY_BYTES_MAX = 246
"""Longest entry that the library hashes: with prefix and padding it fills four blocks."""
NO_SLOT = 2**32 - 1
"""In a table of slots: the licence has no account."""

Bytes = npt.NDArray[np.uint8]
Slots = npt.NDArray[np.uint32]
Accounts = npt.NDArray[np.void]

ACCOUNT_DTYPE = np.dtype(
    [
        ("licence_seq", "u8"),
        ("cumulative_units", "u8"),
        ("used_at_ms", "u8"),
        ("records", "u8"),
        ("refusals", "u8"),
        ("valid_from_ms", "u8"),
        ("valid_until_ms", "u8"),
        ("modes", "u4"),
        ("purpose", "u2"),
        ("reserved", "u2"),
    ],
    align=True,
)
"""Where a licence stands in a log (the first five, running), and what it grants. 64 bytes."""

_DECLARATIONS = """
    typedef struct {
        uint64_t licence_seq, cumulative_units, used_at_ms, records, refusals;
        uint64_t valid_from_ms, valid_until_ms;
        uint32_t modes;
        uint16_t purpose, reserved;
    } account;
    typedef struct {
        uint64_t statuses[2];
        uint32_t purposes, modes;
    } codes;
    int32_t mdl_abi(void);
    int32_t mdl_has_sha(void);
    void mdl_leaf_hashes(int32_t, const uint8_t *, uint64_t, uint64_t, uint8_t *);
    void mdl_tile_roots(int32_t, const uint8_t *, uint64_t, uint64_t, uint8_t *);
    void mdl_node_roots(int32_t, const uint8_t *, uint64_t, uint8_t *);
    void mdl_tile_nodes(int32_t, const uint8_t *, uint64_t, uint8_t *);
    int32_t mdl_check_receipts(const uint8_t *, uint64_t, const uint32_t *, uint64_t,
                               account *, uint64_t, const codes *, uint64_t *);
"""


class Engine(IntEnum):
    """Which code of the library hashes."""

    PORTABLE = 0
    SHA = 1


class Stop(IntEnum):
    """Why the totals filter stopped before a receipt."""

    NONE = 0
    FORMAT = 1
    LICENCE = 2
    SEQ = 3
    SUM = 4
    CLOCK = 5
    STATUS = 6
    UNITS = 7
    MODE = 8
    PURPOSE = 9
    VALIDITY = 10
    RECORDS = 11


class Kernel:
    """The loaded library; its calls hold no lock, so threads run side by side."""

    def __init__(self, path: Path) -> None:
        """Load a library.

        Raises:
            OSError: when the file is no library of this machine.
            AttributeError: when it is none of this product.
        """
        self._ffi = cffi.FFI()
        self._ffi.cdef(_DECLARATIONS)
        self._lib = self._ffi.dlopen(str(path))
        self.abi: int = self._lib.mdl_abi()
        self._codes = self._ffi.new("codes *", _codes()) if self.abi == ABI else None

    @property
    def engines(self) -> tuple[Engine, ...]:
        """What this machine can run, the fastest first."""
        return (Engine.SHA, Engine.PORTABLE) if self._lib.mdl_has_sha() else (Engine.PORTABLE,)

    def leaf_hashes(self, engine: Engine, entries: Bytes, entry_bytes: int) -> bytes:
        """Return the leaf hash of each entry."""
        count = len(entries) // entry_bytes
        out = self._new(count)
        self._lib.mdl_leaf_hashes(engine, self._read(entries), entry_bytes, count, out)
        return self._bytes(out)

    def tile_roots(self, engine: Engine, entries: Bytes, entry_bytes: int, width: int) -> bytes:
        """Return the root of each run of `width` entries, which the C code takes to be 256."""
        count = len(entries) // (entry_bytes * width)
        out = self._new(count)
        self._lib.mdl_tile_roots(engine, self._read(entries), entry_bytes, count, out)
        return self._bytes(out)

    def node_roots(self, engine: Engine, hashes: Bytes, width: int) -> bytes:
        """Return the root of each run of `width` hashes, which the C code takes to be 256."""
        count = len(hashes) // (HASH_BYTES * width)
        out = self._new(count)
        self._lib.mdl_node_roots(engine, self._read(hashes), count, out)
        return self._bytes(out)

    def tile_nodes(self, engine: Engine, hashes: Bytes, node_count: int) -> bytes:
        """Return all complete nodes over some hashes, level by level, hashes first."""
        out = self._new(node_count)
        self._lib.mdl_tile_nodes(engine, self._read(hashes), len(hashes) // HASH_BYTES, out)
        return self._bytes(out)

    def check_receipts(
        self, receipts: Bytes, slot_of: Slots, accounts: Accounts
    ) -> tuple[int, Stop]:
        """Take receipts into their accounts while every rule holds."""
        stopped_at = self._ffi.new("uint64_t *")
        stop = self._lib.mdl_check_receipts(
            self._read(receipts),
            len(receipts) // RECEIPT_BYTES,
            self._ffi.from_buffer("uint32_t[]", slot_of),
            len(slot_of),
            self._ffi.from_buffer("account[]", accounts, require_writable=True),
            len(accounts),
            self._codes,
            stopped_at,
        )
        return int(stopped_at[0]), Stop(stop)

    def _new(self, hash_count: int) -> Any:
        return self._ffi.new("uint8_t[]", hash_count * HASH_BYTES)

    def _read(self, data: Bytes) -> Any:
        return self._ffi.from_buffer("uint8_t[]", data)

    def _bytes(self, out: Any) -> bytes:
        return bytes(self._ffi.buffer(out))


class _Switch:
    """Whether the filter may use the library."""

    is_on = True


def switch(is_on: bool) -> None:
    """Let the totals filter use the library or not, in all threads."""
    _Switch.is_on = is_on


@cache
def load(folder: Path = Path(__file__).parent) -> Kernel | None:
    """Return the library that was built for this Python in a folder; None where there is none."""
    for suffix in EXTENSION_SUFFIXES:
        path = folder / f"_kernel{suffix}"
        if path.exists():
            try:
                kernel = Kernel(path)
            except (OSError, AttributeError):
                continue
            if kernel.abi == ABI:
                return kernel
    return None


def check_receipts(receipts: Any, slot_of: Slots, accounts: Accounts) -> tuple[int, Stop] | None:
    """Take receipts into their accounts while they are plainly right; None without a library.

    It decides nothing: the first receipt that does not hold is left to the caller's own rules.

    Args:
        receipts: whole receipts, one after the other, in any buffer.
        slot_of: uint32 by licence number: the licence's place in `accounts`, or `NO_SLOT`.
        accounts: rows of `ACCOUNT_DTYPE`, changed in place for the receipts that passed.

    Returns:
        How many receipts passed, and why the next one did not.

    Raises:
        KernelTableError: when receipts are cut, or a table is not of its type and layout.
    """
    data = np.frombuffer(receipts, np.uint8)
    if len(data) % RECEIPT_BYTES:
        raise _table("receipts", len(data), f"a multiple of {RECEIPT_BYTES} bytes")
    _require_table("slot_of", slot_of, np.dtype(np.uint32))
    _require_table("accounts", accounts, ACCOUNT_DTYPE)
    if not accounts.flags.writeable:
        raise _table("accounts", "read-only", "an array to be changed")
    kernel = load() if _Switch.is_on else None
    return None if kernel is None else kernel.check_receipts(data, slot_of, accounts)


def _require_table(field: str, table: npt.NDArray[Any], dtype: np.dtype[Any]) -> None:
    is_row = table.ndim == 1 and table.flags.c_contiguous
    address: int = table.__array_interface__["data"][0]
    if table.dtype != dtype or not is_row or address % dtype.alignment:
        raise _table(field, str(table.dtype), f"one aligned row of {dtype}")


def _table(field: str, got: object, expected: str) -> KernelTableError:
    return KernelTableError(
        f"{field} must be {expected}, got {got}", field=field, got=got, expected=expected
    )


def _codes() -> dict[str, Any]:
    """Return the codes that a receipt may carry, as the bitmaps of the C code."""
    statuses = sum(1 << status for status in ReceiptStatus)
    return {
        "statuses": [statuses & (2**64 - 1), statuses >> 64],
        "purposes": sum(1 << purpose for purpose in Purpose),
        "modes": sum(mode.bit for mode in DeliveryMode),
    }
