"""What the codec refuses, each with its typed error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger.codec import merkle
from ledger.codec.canonical import DEPTH_MAX, canonical_digest, canonical_json
from ledger.codec.checkpoints import CheckpointBody, open_checkpoint
from ledger.codec.digests import PIECE_BYTES, digest_file
from ledger.codec.documents import Document
from ledger.codec.errors import (
    InvalidProofError,
    MalformedDocumentError,
    MalformedNoteError,
    MalformedTileError,
    NotCanonicalError,
    ReceiptLengthError,
    TreeRangeError,
    UnknownReceiptFormatError,
    UnreadableFileError,
    UnverifiedNoteError,
)
from ledger.codec.notes import NoteSigner, NoteVerifier, open_note, parse_note
from ledger.codec.receipts import Receipt, commitment
from ledger.codec.tiles import (
    Tile,
    decode_bundle,
    decode_tile,
    encode_bundle,
    encode_tile,
    tile_root,
)
from ledger.domain.errors import MalformedValueError, ValueOutOfRangeError

pytestmark = pytest.mark.unit

LEAVES = [merkle.leaf_hash(bytes([number])) for number in range(7)]
SIGNER = NoteSigner("example.com/log", bytes(range(32)))
OTHER = NoteSigner("example.com/log", bytes(32))
VKEY = SIGNER.vkey


def receipt(**changes: Any) -> Receipt:
    values: dict[str, Any] = {
        "mode": 2,
        "purpose": 3,
        "meter_no": 1,
        "licence_no": 1,
        "licence_seq": 1,
        "used_at_ms": 1,
        "version_no": 1,
        "status": 0,
        "units": 1,
        "cumulative_units": 1,
        "records": 1,
        "commitment": bytes(32),
    }
    return Receipt(**(values | changes))


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"a": [1, 0.5]}, "$.a[1]"),
        ({"a": 2**53}, "$.a"),
        (-(2**53), "$"),
        ({1: "a"}, "$"),
        ({"a": b"bytes"}, "$.a"),
        ("\ud800", "$"),
        (nested(DEPTH_MAX + 1), "$" + "[0]" * (DEPTH_MAX + 1)),
    ],
)
def test_canonical_json__inexact_or_foreign__refused(value: Any, field: str) -> None:
    with pytest.raises(NotCanonicalError) as caught:
        canonical_json(value)
    assert caught.value.field == field


def test_canonical_json__limits__accepted() -> None:
    assert canonical_json([2**53 - 1, -(2**53) + 1]) == b"[9007199254740991,-9007199254740991]"
    assert canonical_json(nested(DEPTH_MAX)) == b"[" * 65 + b"]" * 65


def test_canonical_digest__key_order__irrelevant() -> None:
    assert canonical_digest({"a": 1, "b": 2}) == canonical_digest({"b": 2, "a": 1})


def test_digest_file__missing__refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError):
        digest_file(tmp_path / "missing")


def test_digest_file__several_pieces__progress_adds_up(tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(b"x" * (PIECE_BYTES + 5))
    seen: list[int] = []
    assert digest_file(file, seen.append).size_bytes == sum(seen)
    assert seen == [PIECE_BYTES, 5]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"record": {}}',
        '{"record": [], "salt": "0x' + "00" * 32 + '"}',
        '{"record": {}, "salt": "0x00"}',
        '{"record": {"a": 1, "a": 2}, "salt": "0x' + "00" * 32 + '"}',
        '{"record": {}, "salt": "0x' + "00" * 32 + '", "more": 1}',
    ],
)
def test_document__malformed_text__refused(text: str) -> None:
    with pytest.raises(MalformedDocumentError):
        Document.from_json(text)


def test_document__float_in_record__refused() -> None:
    with pytest.raises(NotCanonicalError):
        Document.from_json('{"record": {"a": 1.0}, "salt": "0x' + "00" * 32 + '"}')


def test_document__short_salt__refused() -> None:
    with pytest.raises(MalformedDocumentError):
        Document({}, b"short")


def test_document__new__salts_differ() -> None:
    assert Document.new({"a": 1}).digest != Document.new({"a": 1}).digest


@pytest.mark.parametrize("length", [0, 95, 97, 192])
def test_receipt__wrong_length__refused(length: int) -> None:
    with pytest.raises(ReceiptLengthError):
        Receipt.decode(bytes(length))


def test_receipt__unknown_format__refused() -> None:
    with pytest.raises(UnknownReceiptFormatError):
        Receipt.decode(b"\x02" + receipt().encode()[1:])


@pytest.mark.parametrize(
    ("field", "value"),
    [("mode", 256), ("purpose", 2**16), ("meter_no", -1), ("units", 2**64), ("status", 2**32)],
)
def test_receipt__number_beyond_field__refused(field: str, value: int) -> None:
    with pytest.raises(ValueOutOfRangeError) as caught:
        receipt(**{field: value}).encode()
    assert caught.value.field == field


def test_receipt__short_commitment__refused() -> None:
    with pytest.raises(MalformedValueError):
        receipt(commitment=bytes(31)).encode()


def test_commitment__short_salt__refused() -> None:
    with pytest.raises(MalformedValueError):
        commitment(bytes(31), bytes(32), bytes(32))


@pytest.mark.parametrize("index", [-1, 7])
def test_inclusion_proof__index_outside__refused(index: int) -> None:
    with pytest.raises(TreeRangeError):
        merkle.inclusion_proof(LEAVES, index)


@pytest.mark.parametrize("old_size", [-1, 8])
def test_consistency_proof__size_outside__refused(old_size: int) -> None:
    with pytest.raises(TreeRangeError):
        merkle.consistency_proof(LEAVES, old_size)


def test_frontier__wrong_number_of_hashes__refused() -> None:
    with pytest.raises(TreeRangeError):
        merkle.Frontier(3, [bytes(32)])


def test_verify_inclusion__index_at_size__refused() -> None:
    with pytest.raises(InvalidProofError):
        merkle.verify_inclusion(LEAVES[0], 7, 7, [], merkle.root(LEAVES))


@pytest.mark.parametrize("change", ["longer", "shorter", "narrow", "other_root", "other_index"])
def test_verify_inclusion__proof_changed__refused(change: str) -> None:
    proof, root, index = merkle.inclusion_proof(LEAVES, 2), merkle.root(LEAVES), 2
    if change == "longer":
        proof = [*proof, bytes(32)]
    elif change == "shorter":
        proof = proof[:-1]
    elif change == "narrow":
        proof = [proof[0][:31], *proof[1:]]
    elif change == "other_root":
        root = bytes(32)
    else:
        index = 3
    with pytest.raises(InvalidProofError):
        merkle.verify_inclusion(LEAVES[2], index, 7, proof, root)


@pytest.mark.parametrize(
    "change", ["longer", "shorter", "empty", "old_root", "root", "sizes_swapped"]
)
def test_verify_consistency__proof_changed__refused(change: str) -> None:
    sizes, roots = (3, 7), (merkle.root(LEAVES[:3]), merkle.root(LEAVES))
    proof = merkle.consistency_proof(LEAVES, 3)
    if change == "longer":
        proof = [*proof, bytes(32)]
    elif change == "shorter":
        proof = proof[:-1]
    elif change == "empty":
        proof = []
    elif change == "old_root":
        roots = (bytes(32), roots[1])
    elif change == "root":
        roots = (roots[0], bytes(32))
    else:
        sizes = (7, 3)
    with pytest.raises(InvalidProofError):
        merkle.verify_consistency(*sizes, *roots, proof)


@pytest.mark.parametrize(
    ("old_size", "old_root", "proof"),
    [(0, bytes(32), []), (7, bytes(32), []), (0, merkle.EMPTY_ROOT, [bytes(32)])],
)
def test_verify_consistency__trivial_sizes_with_wrong_parts__refused(
    old_size: int, old_root: bytes, proof: list[bytes]
) -> None:
    with pytest.raises(InvalidProofError):
        merkle.verify_consistency(old_size, 7, old_root, merkle.root(LEAVES), proof)


def test_verify_consistency__from_empty_tree__accepted() -> None:
    merkle.verify_consistency(0, 7, merkle.EMPTY_ROOT, merkle.root(LEAVES), [])


@pytest.mark.parametrize(
    "note",
    [
        "text only\n",
        "text\n\n— name AAAAAAA=",
        "text\n\n- name AAAAAAA=\n",
        "text\n\n—  AAAAAAA=\n",
        "text\n\n— na+me AAAAAAA=\n",
        "text\n\n— name not-base64\n",
        "text\n\n— name AAAA\n",
        "te\x01xt\n\n— name AAAAAAA=\n",
        "text\n\n" + "— name AAAAAAA=\n" * 65,
    ],
)
def test_parse_note__malformed__refused(note: str) -> None:
    with pytest.raises(MalformedNoteError):
        parse_note(note)


def test_sign__text_without_newline__refused() -> None:
    with pytest.raises(MalformedNoteError):
        SIGNER.sign("no newline")


def test_open_note__unknown_key_beside_known__ignored() -> None:
    note = SIGNER.sign("text\n") + OTHER.sign("text\n").split("\n\n")[1]
    opened = open_note(note, [SIGNER.verifier])
    assert [signature.key_id for signature in opened.signatures] == [SIGNER.verifier.key_id]


def test_open_note__only_unknown_keys__refused() -> None:
    with pytest.raises(UnverifiedNoteError):
        open_note(OTHER.sign("text\n"), [SIGNER.verifier])


def test_open_note__text_changed__refused() -> None:
    with pytest.raises(UnverifiedNoteError):
        open_note(SIGNER.sign("text\n").replace("text", "test"), [SIGNER.verifier])


@pytest.mark.parametrize(
    "vkey",
    [
        VKEY[1:],
        VKEY[:-1],
        VKEY.replace("+", "", 1),
        VKEY.replace(SIGNER.verifier.key_id.hex(), "00000000"),
        "name with space" + VKEY[VKEY.index("+") :],
        "+".join([*VKEY.split("+")[:2], "AAAA"]),
    ],
)
def test_vkey__mangled__refused(vkey: str) -> None:
    with pytest.raises(MalformedNoteError):
        NoteVerifier.parse(vkey)


@pytest.mark.parametrize("skey", [SIGNER.vkey, SIGNER.skey[:-2], SIGNER.skey.replace("log", "lag")])
def test_skey__mangled__refused_without_repeating_it(skey: str) -> None:
    with pytest.raises(MalformedNoteError) as caught:
        NoteSigner.parse(skey)
    assert skey not in caught.value.detail


def test_signer__repr__hides_seed() -> None:
    assert repr(SIGNER) == "NoteSigner('example.com/log')"


def test_signer__generate__text_forms_round_trip() -> None:
    signer = NoteSigner.generate("a.example/log")
    assert NoteSigner.parse(signer.skey) == signer
    assert NoteVerifier.parse(signer.vkey) == signer.verifier


@pytest.mark.parametrize("wrong", [b"", bytes(31)])
def test_keys__wrong_length__refused(wrong: bytes) -> None:
    with pytest.raises(MalformedNoteError):
        NoteSigner("name", wrong)
    with pytest.raises(MalformedNoteError):
        NoteVerifier("name", wrong)


@pytest.mark.parametrize(
    "text",
    [
        "origin\n1\n",
        "origin\n01\n" + "A" * 43 + "=\n",
        "origin\n18446744073709551616\n" + "A" * 43 + "=\n",
        "origin\n1\nAAAA\n",
        "origin\n1\n" + "A" * 43 + "=\ntime_ms x\n",
        "origin\n1\n" + "A" * 43 + "=\ntime_ms 1\ntime_ms 2\n",
        "origin\n1\n" + "A" * 43 + "=\n\n",
        "origin\n1\n" + "A" * 43 + "=",
        "origin\n1\n" + "A" * 42 + "B=\n",
    ],
)
def test_checkpoint__malformed__refused(text: str) -> None:
    with pytest.raises(MalformedNoteError):
        CheckpointBody.parse(text)


def test_checkpoint__signed_with_foreign_extension__round_trip() -> None:
    body = CheckpointBody("a.example/log", 9, bytes(32), 5, ("other line",))
    assert open_checkpoint(body.sign(SIGNER), [SIGNER.verifier]) == body


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/1",
        "tile/00/001",
        "tile/64/001",
        "tile/0/x000/001",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/01",
        "tile/0/../001",
        "/tile/0/001",
        "tile/x/001",
        "tile/0/001\n",
    ],
)
def test_tile_path__not_the_one_form__refused(path: str) -> None:
    with pytest.raises(MalformedTileError):
        Tile.parse(path)


@pytest.mark.parametrize("data", [b"", bytes(31), bytes(33), bytes(32 * 257)])
def test_decode_tile__not_whole_hashes__refused(data: bytes) -> None:
    with pytest.raises(MalformedTileError):
        decode_tile(data)


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x01", b"\x00\x02a", b"\x00\x00" * 257])
def test_decode_bundle__cut_or_too_many__refused(data: bytes) -> None:
    with pytest.raises(MalformedTileError):
        decode_bundle(data)


def test_encode_bundle__entry_too_long__refused() -> None:
    with pytest.raises(MalformedTileError):
        encode_bundle([bytes(2**16)])


@pytest.mark.parametrize("count", [0, 3])
def test_tile_root__no_power_of_two__refused(count: int) -> None:
    with pytest.raises(MalformedTileError):
        tile_root([bytes(32)] * count)


def test_tile__four_hashes__content_and_root() -> None:
    assert decode_tile(encode_tile(LEAVES[:4])) == LEAVES[:4]
    assert tile_root(LEAVES[:4]) == merkle.root(LEAVES[:4])
