"""Proofs that others published, honest and hostile: Merkle proofs and C2SP texts."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from ledger.codec import merkle
from ledger.codec.errors import InvalidProofError, MalformedProofError
from ledger.codec.proof_files import TlogProof

pytestmark = pytest.mark.golden

FOLDER = Path(__file__).parent / "vectors"
MERKLE: dict[str, Any] = json.loads((FOLDER / "transparency_dev_merkle.json").read_text())
STRICTER = "consistency/additional/sizes-are-equal-one-and-proof-is-empty"
"""Holds where roots may be any bytes; its own are a text of twelve."""
TLOG: dict[str, Any] = json.loads((FOLDER / "c2sp_tlog_proof.json").read_text())


def _bytes(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def _inclusion(case: dict[str, Any]) -> None:
    proof = [_bytes(item) for item in case["proof"]]
    leaf, root = _bytes(case["leafHash"]), _bytes(case["root"])
    merkle.verify_inclusion(leaf, case["leafIdx"], case["treeSize"], proof, root)


def _consistency(case: dict[str, Any]) -> None:
    proof = [_bytes(item) for item in case["proof"]]
    roots = _bytes(case["root1"]), _bytes(case["root2"])
    merkle.verify_consistency(case["size1"], case["size2"], *roots, proof)


def _chosen(kind: str, *, is_wrong: bool) -> list[Any]:
    cases = [
        case for case in MERKLE[kind] if (case["wantErr"] or case["name"] == STRICTER) == is_wrong
    ]
    return [pytest.param(case, id=case["name"]) for case in cases]


@pytest.mark.parametrize("case", _chosen("inclusion", is_wrong=False))
def test_inclusion__published_proof_that_holds__accepted(case: dict[str, Any]) -> None:
    _inclusion(case)


@pytest.mark.parametrize("case", _chosen("inclusion", is_wrong=True))
def test_inclusion__published_proof_that_fails__refused(case: dict[str, Any]) -> None:
    with pytest.raises(InvalidProofError):
        _inclusion(case)


@pytest.mark.parametrize("case", _chosen("consistency", is_wrong=False))
def test_consistency__published_proof_that_holds__accepted(case: dict[str, Any]) -> None:
    _consistency(case)


@pytest.mark.parametrize("case", _chosen("consistency", is_wrong=True))
def test_consistency__published_proof_that_fails__refused(case: dict[str, Any]) -> None:
    with pytest.raises(InvalidProofError):
        _consistency(case)


@pytest.mark.parametrize("case", TLOG["marshal"], ids=lambda case: case["name"])
def test_tlog_proof__published_text__read_and_written_back(case: dict[str, Any]) -> None:
    hashes = tuple(hashlib.sha256(text.encode()).digest() for text in case["hashes_of"])
    extra = None if case["extra"] is None else case["extra"].encode()
    proof = TlogProof(case["index"], hashes, case["checkpoint"], extra)
    assert proof.text() == case["text"]
    assert TlogProof.parse(case["text"]) == proof


@pytest.mark.parametrize("case", TLOG["refused"], ids=lambda case: case["name"])
def test_tlog_proof__published_malformed_text__refused(case: dict[str, Any]) -> None:
    with pytest.raises(MalformedProofError):
        TlogProof.parse(case["text"])


def test_tlog_proof__example_of_the_specification__parts_as_described() -> None:
    example = TLOG["specification"]
    proof = TlogProof.parse(example["text"])
    assert (proof.index, len(proof.path), proof.extra) == (73894, 5, None)
    assert proof.path[0] == base64.b64decode("gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=")
    assert proof.checkpoint.startswith("example.com/fancylog\n109482\n")
    assert proof.text() == example["text"]
