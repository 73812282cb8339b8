"""Bulk hashing: every engine of this machine gives the bytes of hashlib, from any buffer."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ledger.codec import hashing, kernel, tiles
from ledger.codec.errors import EntryLengthError, UnknownEngineError
from ledger.codec.receipts import RECEIPT_DTYPE

pytestmark = pytest.mark.unit

DATA = np.random.default_rng(9162).integers(0, 256, 600 * 300 + 1, np.uint8).tobytes()
TILE = 256 * 96


@pytest.fixture(params=hashing.available_engines())
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    yield hashing.use_engine(request.param)
    hashing.use_engine()


def leaves_by_hashlib(data: bytes, entry_bytes: int) -> list[bytes]:
    return [
        hashlib.sha256(b"\x00" + data[start : start + entry_bytes]).digest()
        for start in range(0, len(data), entry_bytes)
    ]


def root_by_hashlib(row: list[bytes]) -> bytes:
    while len(row) > 1:
        pairs = zip(row[::2], row[1::2], strict=True)
        row = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return row[0]


@pytest.mark.parametrize("first", range(1, 301, 50))
def test_leaf_hashes__lengths_1_to_300__bytes_of_hashlib(engine: str, first: int) -> None:
    for entry_bytes in range(first, first + 50):
        data = DATA[: 11 * entry_bytes]
        expected = b"".join(leaves_by_hashlib(data, entry_bytes))
        assert hashing.leaf_hashes(data, entry_bytes) == expected, entry_bytes


@pytest.mark.parametrize("entry_bytes", [1, 64, 96, 300])
def test_leaf_hashes__counts_0_to_600__bytes_of_hashlib(engine: str, entry_bytes: int) -> None:
    data = DATA[: 600 * entry_bytes]
    expected = b"".join(leaves_by_hashlib(data, entry_bytes))
    for count in [*range(40), *range(40, 600, 17), 600]:
        made = hashing.leaf_hashes(data[: count * entry_bytes], entry_bytes)
        assert made == expected[: 32 * count], count


@pytest.mark.parametrize("entry_bytes", [1000, 4096, 65_535])
def test_leaf_hashes__long_entries__bytes_of_hashlib(engine: str, entry_bytes: int) -> None:
    data = DATA[: len(DATA) // entry_bytes * entry_bytes]
    expected = b"".join(leaves_by_hashlib(data, entry_bytes))
    assert hashing.leaf_hashes(data, entry_bytes) == expected


@pytest.mark.parametrize("entry_bytes", [1, 33, 64, 96, 200])
def test_tile_roots__three_tiles__roots_by_hashlib(engine: str, entry_bytes: int) -> None:
    data = DATA[: 3 * 256 * entry_bytes]
    leaves = leaves_by_hashlib(data, entry_bytes)
    expected = b"".join(root_by_hashlib(leaves[start : start + 256]) for start in (0, 256, 512))
    assert hashing.tile_roots(data, entry_bytes) == expected


def test_node_roots__runs_of_256__roots_by_hashlib(engine: str) -> None:
    row = [DATA[start : start + 32] for start in range(0, 3 * 8192, 32)]
    expected = b"".join(root_by_hashlib(row[start : start + 256]) for start in (0, 256, 512))
    assert hashing.node_roots(DATA[: 3 * 8192]) == expected


def test_tile_nodes__counts_1_to_256__levels_of_complete_nodes(engine: str) -> None:
    for count in range(1, 257):
        nodes = hashing.tile_nodes(DATA[: 32 * count])
        row = tiles.decode_tile(DATA[: 32 * count])
        expected = []
        for level in range(count.bit_length()):
            width = 1 << level
            starts = range(0, count // width * width, width)
            expected += [root_by_hashlib(row[start : start + width]) for start in starts]
        assert nodes == b"".join(expected), count


@pytest.mark.parametrize(
    "call",
    [
        lambda data: hashing.leaf_hashes(data, 96),
        lambda data: hashing.leaf_hashes(data, 0),
        lambda data: hashing.tile_roots(data, 96),
        lambda data: hashing.tile_roots(data, 0),
        hashing.node_roots,
        hashing.tile_nodes,
    ],
)
@pytest.mark.parametrize("data", [b"", np.zeros(0, RECEIPT_DTYPE)], ids=["bytes", "array"])
def test_hashing__nothing_given__nothing_returned(
    engine: str, call: Callable[[Any], bytes], data: Any
) -> None:
    assert call(data) == b""


@pytest.mark.parametrize(
    "call",
    [
        lambda: hashing.leaf_hashes(bytes(97), 96),
        lambda: hashing.leaf_hashes(bytes(1), 0),
        lambda: hashing.leaf_hashes(bytes(1), -1),
        lambda: hashing.leaf_hashes(memoryview(bytes(192))[::2], 96),
        lambda: hashing.tile_roots(bytes(255 * 96), 96),
        lambda: hashing.tile_roots(bytes(1), 0),
        lambda: hashing.node_roots(bytes(8160)),
        lambda: hashing.tile_nodes(bytes(33)),
        lambda: hashing.tile_nodes(bytes(32 * 257)),
    ],
)
def test_hashing__length_that_does_not_fit__refused(engine: str, call: Callable[[], bytes]) -> None:
    with pytest.raises(EntryLengthError):
        call()


def test_tile_roots__any_buffer_at_any_offset__same_bytes(engine: str, tmp_path: Path) -> None:
    block = DATA[:TILE]
    expected = hashing.tile_roots(block, 96)
    for offset in range(1, 17):
        shifted = memoryview(b"\xff" * offset + block)[offset:]
        assert hashing.tile_roots(shifted, 96) == expected
    array = np.frombuffer(block, RECEIPT_DTYPE)
    assert hashing.tile_roots(array, 96) == expected
    assert hashing.tile_roots(bytearray(block), 96) == expected
    file = tmp_path / "receipts.bin"
    file.write_bytes(b"\x00" + block)
    with (
        file.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
        memoryview(mapped) as whole,
    ):
        assert hashing.tile_roots(whole[1:], 96) == expected


def test_tile_roots__input__left_as_it_was(engine: str) -> None:
    block = bytearray(DATA[:TILE])
    hashing.tile_roots(block, 96)
    hashing.node_roots(memoryview(block)[:8192])
    hashing.tile_nodes(memoryview(block)[:8192])
    assert block == DATA[:TILE]


def test_tile_roots__two_threads_at_once__same_bytes(engine: str) -> None:
    blocks = [DATA[start : start + 2 * TILE] for start in range(0, 64, 2)]
    alone = [hashing.tile_roots(block, 96) for block in blocks]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda block: hashing.tile_roots(block, 96), blocks)) == alone


def test_use_engine__auto__the_fastest_there_is(engine: str) -> None:
    assert hashing.engine() == engine
    assert hashing.use_engine() == hashing.available_engines()[0] == hashing.engine()


def test_use_engine__hashlib__calls_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    hashing.use_engine("hashlib")
    monkeypatch.setattr(kernel, "load", lambda: pytest.fail("the library was asked for"))
    try:
        assert hashing.leaf_hashes(DATA[:96], 96) == leaves_by_hashlib(DATA[:96], 96)[0]
        accounts = np.zeros(1, kernel.ACCOUNT_DTYPE)
        assert kernel.check_receipts(b"", np.zeros(1, np.uint32), accounts) is None
    finally:
        monkeypatch.undo()
        hashing.use_engine()


@pytest.mark.parametrize("name", ["", "sha", "HASHLIB"])
def test_use_engine__unknown_name__refused_and_nothing_changed(name: str) -> None:
    before = hashing.engine()
    with pytest.raises(UnknownEngineError):
        hashing.use_engine(name)
    assert hashing.engine() == before


def test_load__folder_without_library__none(tmp_path: Path) -> None:
    assert kernel.load(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"no library"])
def test_load__file_that_is_no_library__passed_over(tmp_path: Path, content: bytes) -> None:
    for suffix in kernel.EXTENSION_SUFFIXES:
        (tmp_path / f"_kernel{suffix}").write_bytes(content)
    assert kernel.load(tmp_path) is None


def test_load__library_of_another_source__passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "ABI", kernel.ABI + 1)
    kernel.load.cache_clear()
    try:
        assert kernel.load() is None
        assert hashing.available_engines() == ("hashlib",)
    finally:
        monkeypatch.undo()
        kernel.load.cache_clear()


def test_abi__of_the_source__equals_pythons() -> None:
    source = (Path(kernel.__file__).parent / "kernel.c").read_text("utf-8")
    assert f"KERNEL_ABI = {kernel.ABI}," in source
