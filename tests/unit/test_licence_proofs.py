"""A licence's range of receipts, whole or tampered with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ledger.codec import merkle
from ledger.codec.checkpoints import CheckpointBody
from ledger.codec.errors import InvalidProofError, TreeRangeError
from ledger.codec.multiproof import multiproof, root_of_multiproof
from ledger.codec.notes import NoteSigner
from ledger.codec.receipts import Receipt
from ledger.domain.ids import digest_text
from ledger.log import licence_proofs
from ledger.log.errors import LogCorruptError, LogRangeError, LogUnsignedError, ProofTooLargeError
from ledger.log.licence_proofs import check_licence_proof, make_licence_proof
from ledger.log.proof_checks import check_proof_bytes
from ledger.log.reader import LogReader
from tests.unit.log_story import ORIGIN, fill, open_log, use

pytestmark = pytest.mark.unit

LEAVES = [merkle.leaf_hash(bytes([number])) for number in range(70)]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> LogReader:
    """600 signed receipts of three licences in turn, and one of licence 2 nobody signed."""
    path = tmp_path_factory.mktemp("log")
    fill(path, 600)
    with open_log(path) as writer:
        writer.append([use(2, 9_000)])
    return LogReader(path)


@pytest.mark.parametrize(("first", "last"), [(1, None), (1, 1), (50, 120), (200, 200), (2, None)])
def test_licence__range__holds_after_json(reader: LogReader, first: int, last: int | None) -> None:
    document = make_licence_proof(reader, 2, first, last)
    assert check_proof_bytes(json.dumps(document).encode(), reader.vkey()) == []
    assert document["to_seq"] == (last or 200)
    assert len(document["receipts"]) == document["to_seq"] - first + 1
    assert document["indices"][0] == 3 * (first - 1) + 1


def test_licence__whole_range__shares_its_hashes(reader: LogReader) -> None:
    document = make_licence_proof(reader, 2)
    alone = sum(len(reader.inclusion_proof(index, 600)) for index in document["indices"])
    assert len(document["hashes"]) < alone / 4


@pytest.mark.parametrize(("first", "last"), [(0, 5), (6, 5), (1, 201), (202, None)])
def test_licence__range_not_signed__refused(
    reader: LogReader, first: int, last: int | None
) -> None:
    with pytest.raises(LogRangeError):
        make_licence_proof(reader, 2, first, last)


def test_licence__never_used__refused(reader: LogReader) -> None:
    with pytest.raises(LogRangeError):
        make_licence_proof(reader, 77)


def test_licence__log_never_signed__refused(tmp_path: Path) -> None:
    open_log(tmp_path).close()
    with pytest.raises(LogUnsignedError):
        make_licence_proof(LogReader(tmp_path), 1)


def test_licence__more_than_one_document_takes__refused(
    reader: LogReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(licence_proofs, "LICENCE_PROOF_MAX", 99)
    assert len(make_licence_proof(reader, 2, 1, 99)["receipts"]) == 99
    with pytest.raises(ProofTooLargeError) as caught:
        make_licence_proof(reader, 2, 1, 100)
    assert (caught.value.got, caught.value.expected) == (100, 99)


def test_licence__receipt_altered_on_disk__not_given_out(tmp_path: Path) -> None:
    fill(tmp_path, 30)
    data = bytearray((tmp_path / "receipts.bin").read_bytes())
    data[4 * 96 + 71] ^= 1
    (tmp_path / "receipts.bin").write_bytes(data)
    with pytest.raises(LogCorruptError):
        make_licence_proof(LogReader(tmp_path), 2)


def _without(document: dict[str, Any], place: int) -> dict[str, Any]:
    changed = json.loads(json.dumps(document))
    for member in ("indices", "receipts"):
        del changed[member][place]
    return dict(changed)


def test_check__receipt_left_out__refused(reader: LogReader) -> None:
    document = make_licence_proof(reader, 2, 3, 9)
    for place in range(7):
        fields = {
            item.field for item in check_licence_proof(_without(document, place), reader.vkey())
        }
        assert fields & {"receipts", "licence_seq"}


def test_check__end_of_the_range_left_out_and_renamed__still_no_longer_range(
    reader: LogReader,
) -> None:
    document = _without(make_licence_proof(reader, 2, 3, 9), 6)
    findings = check_licence_proof(document | {"to_seq": 8}, reader.vkey())
    assert [item.code for item in findings] == ["codec.invalid_proof"]


def test_check__receipts_swapped_or_doubled__refused(reader: LogReader) -> None:
    document = make_licence_proof(reader, 2, 3, 9)
    swapped = [document["receipts"][1], document["receipts"][0], *document["receipts"][2:]]
    doubled = [document["indices"][0]] * 7
    assert check_licence_proof(document | {"receipts": swapped}, reader.vkey())
    assert check_licence_proof(document | {"indices": doubled}, reader.vkey())


def test_check__other_licence_or_range__refused(reader: LogReader) -> None:
    document = make_licence_proof(reader, 2, 3, 9)
    for change in (
        {"licence_no": 1},
        {"from_seq": 4},
        {"to_seq": 10},
        {"from_seq": 2, "to_seq": 8},
    ):
        assert check_licence_proof(document | change, reader.vkey())


ALTERED: dict[str, Any] = {
    "format": lambda value: value + "0",
    "origin": lambda value: value + "x",
    "log_no": lambda value: value + 1,
    "indices": lambda value: [value[0] + 1, *value[1:]],
    "hashes": lambda value: [*value, value[0]],
    "checkpoint": lambda value: value.replace("\n600\n", "\n601\n"),
}


@pytest.mark.parametrize("field", [*ALTERED, "receipts"])
@pytest.mark.parametrize("how", ["altered", "missing", "null", "list", "number"])
def test_check__each_field__refused(reader: LogReader, field: str, how: str) -> None:
    document = make_licence_proof(reader, 2, 3, 9)
    value = document.pop(field)
    altered = ALTERED.get(field, lambda rows: rows[:-1])(value)
    if how != "missing":
        document[field] = {"altered": altered, "null": None, "list": [None], "number": 5}[how]
    assert check_licence_proof(document, reader.vkey())


def test_check__other_key__refused(reader: LogReader) -> None:
    document = make_licence_proof(reader, 2, 3, 9)
    assert check_licence_proof(document, NoteSigner.generate(ORIGIN).vkey)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"units": 2}, "cumulative_units"),
        ({"cumulative_units": 9}, "cumulative_units"),
        ({"used_at_ms": 5}, "used_at_ms"),
        ({"licence_seq": 4}, "licence_seq"),
        ({"licence_no": 3}, "licence_no"),
    ],
)
def test_check__keeper_that_signs_wrong_receipts__found_out(
    tmp_path: Path, change: dict[str, int], field: str
) -> None:
    fill(tmp_path, 30, sign=False)
    receipts = [receipt for _, receipt in LogReader(tmp_path).receipts()]
    receipts[3 * 4 + 1] = replace(receipts[3 * 4 + 1], **change)
    document = _signed(receipts, [index for index in range(30) if index % 3 == 1])
    findings = check_licence_proof(document, SIGNER.vkey)
    assert [item.field for item in findings] == [field]


def test_check__first_receipt_with_a_total_before_it__found_out(tmp_path: Path) -> None:
    fill(tmp_path, 3, sign=False)
    receipts = [receipt for _, receipt in LogReader(tmp_path).receipts()]
    receipts[1] = replace(receipts[1], cumulative_units=5)
    findings = check_licence_proof(_signed(receipts, [1]), SIGNER.vkey)
    assert [(item.field, item.got, item.expected) for item in findings] == [
        ("cumulative_units", 4, 0)
    ]


SIGNER = NoteSigner("bad.example/log", bytes(32))


def _signed(receipts: list[Receipt], indices: list[int]) -> dict[str, Any]:
    """Return the proof of a keeper that signs whatever there is."""
    leaves = [merkle.leaf_hash(receipt.encode()) for receipt in receipts]
    body = CheckpointBody(SIGNER.name, len(leaves), merkle.root(leaves), 1, ("log_no 1",))
    hashes = multiproof(indices, len(leaves), merkle.node_table(leaves))
    return {
        "format": licence_proofs.LICENCE_PROOF_FORMAT,
        "origin": SIGNER.name,
        "log_no": 1,
        "licence_no": 2,
        "from_seq": 1,
        "to_seq": len(indices),
        "indices": indices,
        "receipts": [digest_text(receipts[index].encode()) for index in indices],
        "hashes": [digest_text(item) for item in hashes],
        "checkpoint": body.sign(SIGNER),
    }


def _proof(indices: list[int], size: int) -> list[bytes]:
    return multiproof(indices, size, merkle.node_table(LEAVES[:size]))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 33, 64, 65, 70])
def test_multiproof__any_leaves__lead_to_the_root(size: int) -> None:
    for seed in range(40):
        chosen = Random(seed)
        indices = sorted(chosen.sample(range(size), chosen.randint(1, size)))
        leaves = [LEAVES[index] for index in indices]
        proof = _proof(indices, size)
        assert root_of_multiproof(leaves, indices, size, proof) == merkle.root(LEAVES[:size])


@pytest.mark.parametrize("index", [0, 5, 69])
def test_multiproof__one_leaf__the_hashes_of_its_path(index: int) -> None:
    path = merkle.inclusion_proof(LEAVES, index)
    assert sorted(_proof([index], 70)) == sorted(path)


def test_multiproof__every_leaf__no_hash() -> None:
    assert _proof(list(range(70)), 70) == []


def test_multiproof__hashes_missing_left_over_or_short__refused() -> None:
    indices, leaves = [3, 4, 60], [LEAVES[index] for index in (3, 4, 60)]
    proof = _proof(indices, 70)
    for wrong in (proof[:-1], [*proof, proof[0]], [b"", *proof[1:]]):
        with pytest.raises(InvalidProofError):
            root_of_multiproof(leaves, indices, 70, wrong)
    with pytest.raises(InvalidProofError):
        root_of_multiproof(leaves[:2], indices, 70, proof)


@pytest.mark.parametrize("indices", [[], [3, 3], [4, 3], [-1, 3], [3, 70]])
def test_multiproof__leaves_not_ascending_within_the_tree__refused(indices: list[int]) -> None:
    with pytest.raises(TreeRangeError):
        root_of_multiproof([LEAVES[0]] * len(indices), indices, 70, [])
