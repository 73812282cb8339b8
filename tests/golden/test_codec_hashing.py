"""Leaves and nodes by every engine of this machine, against published vectors and others' code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymerkle
import pytest

from ledger.codec import hashing, merkle
from tests.golden import reference_tree

pytestmark = pytest.mark.golden

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parent / "vectors" / "rfc9162.json").read_text()
)
ENTRIES = [bytes.fromhex(entry) for entry in VECTORS["entries"]]


@pytest.fixture(params=hashing.available_engines(), autouse=True)
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    yield hashing.use_engine(request.param)
    hashing.use_engine()


def cut(hashes: bytes) -> list[bytes]:
    return [hashes[start : start + 32] for start in range(0, len(hashes), 32)]


@pytest.mark.parametrize("size", range(1, 9))
def test_leaf_hashes__published_entries__published_roots(size: int) -> None:
    leaves = [
        hashing.leaf_hashes(entry, len(entry)) if entry else merkle.leaf_hash(entry)
        for entry in ENTRIES[:size]
    ]
    assert merkle.root(leaves).hex() == VECTORS["roots"][size]


@pytest.mark.parametrize("level", range(4))
def test_tile_nodes__published_entries__root_of_a_power_of_two_last(level: int) -> None:
    leaves = b"".join(merkle.leaf_hash(entry) for entry in ENTRIES[: 1 << level])
    assert hashing.tile_nodes(leaves)[-32:].hex() == VECTORS["roots"][1 << level]


def test_tile_roots__pymerkle_tree_of_the_same_entries__same_root() -> None:
    entries = [bytes([number]) * 96 for number in range(256)]
    theirs = pymerkle.InmemoryTree(algorithm="sha256")
    theirs.append_entries(entries)
    assert hashing.tile_roots(b"".join(entries), 96) == theirs.get_root()


def test_node_roots__pymerkle_tree_of_two_tiles__same_root() -> None:
    entries = [b"%096d" % number for number in range(512)]
    theirs = pymerkle.InmemoryTree(algorithm="sha256")
    theirs.append_entries(entries)
    leaves = hashing.leaf_hashes(b"".join(entries), 96)
    assert merkle.node_hash(*cut(hashing.node_roots(leaves))) == theirs.get_root()


@pytest.mark.parametrize("count", [1, 2, 3, 100, 255, 256])
def test_tile_nodes__every_node__equals_the_recursive_definition(count: int) -> None:
    leaves = [merkle.leaf_hash(b"%d" % number) for number in range(count)]
    expected = [
        reference_tree.mth(leaves[start : start + width])
        for width in (1 << level for level in range(count.bit_length()))
        for start in range(0, count // width * width, width)
    ]
    assert cut(hashing.tile_nodes(b"".join(leaves))) == expected
