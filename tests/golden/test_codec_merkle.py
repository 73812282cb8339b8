"""Trees and proofs against published vectors, a naive reference and a library of others."""

from __future__ import annotations

import json
from pathlib import Path
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
ENTRIES = [b"entry %d" % number for number in range(1026)]
MANY = [merkle.leaf_hash(entry) for entry in ENTRIES]
SAMPLED = [*range(1, 18), 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 513, 1025]


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
    node = merkle.node_table(MANY)
    frontier = merkle.Frontier()
    for size in range(1026):
        expected = reference_tree.mth(MANY[:size])
        assert merkle.tree_root(size, node) == frontier.root() == expected
        frontier.append(MANY[size])


@pytest.mark.parametrize("size", SAMPLED)
def test_inclusion__every_index__equals_reference_and_accepted(size: int) -> None:
    node, root = merkle.node_table(MANY[:size]), reference_tree.mth(MANY[:size])
    step = 1 if size < 300 else 37
    for index in {*range(0, size, step), size - 1}:
        made = merkle.inclusion_path(index, size, node)
        assert made == reference_tree.path(index, MANY[:size])
        merkle.verify_inclusion(MANY[index], index, size, made, root)


def test_inclusion__every_index_of_1025__accepted() -> None:
    node, root = merkle.node_table(MANY[:1025]), reference_tree.mth(MANY[:1025])
    for index in range(1025):
        made = merkle.inclusion_path(index, 1025, node)
        merkle.verify_inclusion(MANY[index], index, 1025, made, root)


@pytest.mark.parametrize("size", SAMPLED)
def test_consistency__every_old_size__equals_reference_and_accepted(size: int) -> None:
    node, root = merkle.node_table(MANY[:size]), reference_tree.mth(MANY[:size])
    step = 1 if size < 300 else 37
    for old_size in {*range(1, size, step), size}:
        made = merkle.consistency_path(old_size, size, node)
        assert made == reference_tree.proof(old_size, MANY[:size])
        merkle.verify_consistency(old_size, size, merkle.tree_root(old_size, node), root, made)


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
