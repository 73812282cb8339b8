"""Trees and proofs against published vectors, a naive reference and a library of others."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pymerkle
import pytest

from ledger.codec import merkle
from tests.golden import reference_tree

pytestmark = pytest.mark.golden

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parent / "vectors" / "rfc9162.json").read_text()
)
LEAVES = [merkle.leaf_hash(bytes.fromhex(entry)) for entry in VECTORS["entries"]]
ENTRIES = [b"entry %d" % number for number in range(4098)]
MANY = [merkle.leaf_hash(entry) for entry in ENTRIES]
NODE, RANGES = merkle.node_table(MANY), reference_tree.Ranges(MANY)
BESIDE_POWERS = sorted({2**k + beside for k in range(13) for beside in (-1, 0, 1)} - {0})


@pytest.mark.parametrize("size", range(9))
def test_root__published_tree__equal(size: int) -> None:
    assert merkle.root(LEAVES[:size]).hex() == VECTORS["roots"][size]


@pytest.mark.parametrize("case", VECTORS["inclusion"])
def test_inclusion__published_proof__equal_and_accepted(case: dict[str, Any]) -> None:
    index, size = case["index"], case["size"]
    made = merkle.inclusion_proof(LEAVES[:size], index)
    assert [item.hex() for item in made] == case["proof"]
    root = bytes.fromhex(VECTORS["roots"][size])
    merkle.verify_inclusion(LEAVES[index], index, size, made, root)


@pytest.mark.parametrize("case", VECTORS["consistency"])
def test_consistency__published_proof__equal_and_accepted(case: dict[str, Any]) -> None:
    old_size, size = case["old_size"], case["size"]
    made = merkle.consistency_proof(LEAVES[:size], old_size)
    assert [item.hex() for item in made] == case["proof"]
    old_root, root = (bytes.fromhex(VECTORS["roots"][number]) for number in (old_size, size))
    merkle.verify_consistency(old_size, size, old_root, root, made)


def test_root__sizes_0_to_1025__equals_reference() -> None:
    frontier = merkle.Frontier()
    for size in range(1026):
        assert merkle.tree_root(size, NODE) == frontier.root() == RANGES.mth(0, size)
        frontier.append(MANY[size])


def _sampled(size: int, seed: int) -> set[int]:
    """Return both ends of a tree, the places beside its splits, and three anywhere."""
    splits = {size & ~((1 << k) - 1) for k in range(size.bit_length())}
    near = {at + beside for at in splits for beside in (-1, 0, 1)}
    return {
        at
        for at in {0, size - 1, *near, *Random(seed).sample(range(size), min(3, size))}
        if 0 <= at < size
    }


def _check_inclusion(index: int, size: int) -> None:
    made = merkle.inclusion_path(index, size, NODE)
    assert made == RANGES.path(index, 0, size)
    merkle.verify_inclusion(MANY[index], index, size, made, RANGES.mth(0, size))


def _check_consistency(old_size: int, size: int) -> None:
    made = merkle.consistency_path(old_size, size, NODE)
    assert made == RANGES.proof(old_size, 0, size)
    merkle.verify_consistency(old_size, size, RANGES.mth(0, old_size), RANGES.mth(0, size), made)


def test_ranges__of_the_reference__equal_its_slices() -> None:
    for size in (1, 2, 7, 64, 65):
        assert RANGES.mth(0, size) == reference_tree.mth(MANY[:size])
        for at in range(1, size):
            assert RANGES.path(at, 0, size) == reference_tree.path(at, MANY[:size])
            assert RANGES.proof(at, 0, size) == reference_tree.proof(at, MANY[:size])


def test_inclusion__every_index_of_every_size_to_257__equals_reference_and_accepted() -> None:
    for size in range(1, 258):
        for index in range(size):
            _check_inclusion(index, size)


def test_inclusion__every_size_to_1025__equals_reference_and_accepted() -> None:
    for size in range(1, 1026):
        for index in _sampled(size, size):
            _check_inclusion(index, size)


@pytest.mark.parametrize("size", BESIDE_POWERS)
def test_root__beside_a_power_of_two__equals_reference(size: int) -> None:
    assert merkle.tree_root(size, NODE) == RANGES.mth(0, size)


@pytest.mark.parametrize("size", BESIDE_POWERS)
def test_inclusion__beside_a_power_of_two__equals_reference_and_accepted(size: int) -> None:
    for index in range(size) if size < 1026 else _sampled(size, size):
        _check_inclusion(index, size)


def test_consistency__every_pair_to_257__equals_reference_and_accepted() -> None:
    for size in range(1, 258):
        for old_size in range(1, size + 1):
            _check_consistency(old_size, size)


def test_consistency__every_size_to_1025__equals_reference_and_accepted() -> None:
    for size in range(1, 1026):
        for old_size in {*_sampled(size, size), size} - {0}:
            _check_consistency(old_size, size)


@pytest.mark.parametrize("size", BESIDE_POWERS)
def test_consistency__beside_a_power_of_two__equals_reference_and_accepted(size: int) -> None:
    for old_size in range(1, size + 1) if size < 1026 else _sampled(size, size) - {0}:
        _check_consistency(old_size, size)


def test_root__pymerkle_sizes_0_to_130__equal() -> None:
    theirs, node = pymerkle.InmemoryTree(algorithm="sha256"), merkle.node_table(MANY)
    for size in range(131):
        assert theirs.get_root() == merkle.tree_root(size, node)
        theirs.append_entry(ENTRIES[size])


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 64, 100, 130])
def test_inclusion__pymerkle_proof__accepted_here_and_ours_there(size: int) -> None:
    theirs = pymerkle.InmemoryTree(algorithm="sha256")
    theirs.append_entries(ENTRIES[:size])
    node, root = merkle.node_table(MANY[:size]), theirs.get_root()
    for index in range(size):
        proof = theirs.prove_inclusion(index + 1, size)
        leaf, *siblings = proof.path
        assert leaf == MANY[index]
        merkle.verify_inclusion(leaf, index, size, siblings, root)
        proof.path = [leaf, *merkle.inclusion_path(index, size, node)]
        pymerkle.verify_inclusion(leaf, root, proof)


@pytest.mark.parametrize("size", [2, 3, 5, 8, 13, 64, 100])
def test_consistency__pymerkle_proof__accepts_our_roots(size: int) -> None:
    # Their path splits further than the RFC's, so the roots are compared and not the hashes.
    theirs = pymerkle.InmemoryTree(algorithm="sha256")
    theirs.append_entries(ENTRIES[:size])
    node = merkle.node_table(MANY[:size])
    for old_size in range(1, size):
        old_root, root = merkle.tree_root(old_size, node), merkle.tree_root(size, node)
        proof = theirs.prove_consistency(old_size, size)
        pymerkle.verify_consistency(old_root, root, proof)
        ours = merkle.consistency_path(old_size, size, node)
        merkle.verify_consistency(old_size, size, proof.retrieve_prior_state(), root, ours)
