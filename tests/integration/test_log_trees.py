"""Roots and proofs of a log on disk, against a library of others and the RFC's own recursion."""

from __future__ import annotations

from pathlib import Path

import pymerkle
import pytest

from ledger.codec.merkle import leaf_hash
from ledger.codec.proof_files import CompactProof, TlogProof
from ledger.log.proof_checks import check_proof_bytes
from ledger.log.proofs import compact_of, make_proof
from ledger.log.reader import LogReader
from ledger.log.sealed import seal
from tests.golden import reference_tree
from tests.unit.log_story import LOG_NO, fill, open_log, use

pytestmark = pytest.mark.integration

SIZES = [1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 513, 700]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Signed at 257 and at 600; 100 more are not in any tile."""
    path = tmp_path_factory.mktemp("log")
    fill(path, 257)
    with open_log(path) as writer:
        writer.append([use(1 + number % 3, 1_000 + number) for number in range(257, 600)])
        writer.checkpoint()
        writer.append([use(1 + number % 3, 1_000 + number) for number in range(600, 700)])
    return path


@pytest.fixture(scope="module")
def entries(folder: Path) -> list[bytes]:
    data = (folder / "receipts.bin").read_bytes()
    return [data[at : at + 96] for at in range(0, len(data), 96)]


@pytest.mark.parametrize("size", SIZES)
def test_root__pymerkle_and_reference__equal(folder: Path, entries: list[bytes], size: int) -> None:
    theirs = pymerkle.InmemoryTree(algorithm="sha256")
    theirs.append_entries(entries[:size])
    root = LogReader(folder).root(size)
    assert root == theirs.get_root()
    assert root == reference_tree.mth([leaf_hash(entry) for entry in entries[:size]])


@pytest.mark.parametrize("size", SIZES)
def test_inclusion__reference_path_and_pymerkle_check__hold(
    folder: Path, entries: list[bytes], size: int
) -> None:
    reader = LogReader(folder)
    leaves = [leaf_hash(entry) for entry in entries[:size]]
    theirs = pymerkle.InmemoryTree(algorithm="sha256")
    theirs.append_entries(entries[:size])
    for index in {0, size // 2, size - 1}:
        ours = reader.inclusion_proof(index, size)
        assert ours == reference_tree.path(index, leaves)
        proof = theirs.prove_inclusion(index + 1, size)
        proof.path = [leaves[index], *ours]
        pymerkle.verify_inclusion(leaves[index], reader.root(size), proof)


@pytest.mark.parametrize("index", [0, 255, 256, 300, 599])
def test_proof_file__read_by_pymerkle__holds(
    folder: Path, entries: list[bytes], index: int
) -> None:
    reader = LogReader(folder)
    data = compact_of(make_proof(reader, index)).encode()
    size, path = 600, [data[at : at + 32] for at in range(116, len(data), 32)]
    theirs = pymerkle.InmemoryTree(algorithm="sha256")
    theirs.append_entries(entries[:size])
    proof = theirs.prove_inclusion(index + 1, size)
    proof.path = [leaf_hash(data[20:116]), *path]
    pymerkle.verify_inclusion(leaf_hash(entries[index]), theirs.get_root(), proof)


@pytest.mark.parametrize("index", [0, 255, 256, 300, 599])
def test_proof_file__made_from_pymerkles_path__holds(
    folder: Path, entries: list[bytes], index: int
) -> None:
    reader = LogReader(folder)
    theirs = pymerkle.InmemoryTree(algorithm="sha256")
    theirs.append_entries(entries[:600])
    _, *path = theirs.prove_inclusion(index + 1, 600).path
    signed = reader.checkpoint()
    assert signed is not None
    compact = CompactProof(LOG_NO, 600, index, entries[index], tuple(path)).encode()
    text = TlogProof(index, tuple(path), signed.note, entries[index]).text()
    assert check_proof_bytes(compact, reader.vkey(), signed.note) == []
    assert check_proof_bytes(text.encode(), reader.vkey()) == []


def test_consistency__reference_proof__equal(folder: Path, entries: list[bytes]) -> None:
    reader = LogReader(folder)
    leaves = [leaf_hash(entry) for entry in entries]
    for new in SIZES:
        for old in (size for size in SIZES if size <= new):
            expected = reference_tree.proof(old, leaves[:new])
            assert reader.consistency_proof(old, new) == expected


def test_tiles__third_level__same_root_as_the_receipts(tmp_path: Path) -> None:
    size = 256 * 256 + 300
    with open_log(tmp_path) as writer:
        [one] = writer.append([use(units=0, status=1)])
    record = one.receipt.encode()
    numbered = b"".join(
        record[:16] + seq.to_bytes(8, "big") + record[24:] for seq in range(1, size + 1)
    )
    (tmp_path / "receipts.bin").write_bytes(numbered)
    (tmp_path / "commits").write_bytes(seal({"meters": [[4, 1, size + 1]], "size": size}))
    with open_log(tmp_path) as writer:
        checkpoint = writer.checkpoint()
    assert (tmp_path / "tree/1").stat().st_size == 257 * 32
    assert (tmp_path / "tree/2").stat().st_size == 32
    reader = LogReader(tmp_path)
    leaves = [leaf_hash(numbered[at : at + 96]) for at in range(0, len(numbered), 96)]
    assert checkpoint.root == reader.root(size) == reference_tree.mth(leaves)
    for index in (0, 65_535, 65_536, size - 1):
        assert reader.inclusion_proof(index, size) == reference_tree.path(index, leaves)
