"""Bytes that others published: C2SP notes and tiles, JCS, SM3, and our own receipt layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ledger.codec.canonical import canonical_json
from ledger.codec.checkpoints import CheckpointBody, open_checkpoint, read_checkpoint
from ledger.codec.digests import digest_file, sha256, sm3
from ledger.codec.documents import Document
from ledger.codec.errors import UnverifiedNoteError
from ledger.codec.notes import NoteSigner, NoteVerifier, open_note
from ledger.codec.receipts import RECEIPT_DTYPE, Receipt, commitment
from ledger.codec.tiles import Tile, encode_bundle, new_tiles

pytestmark = pytest.mark.golden

NOTES: dict[str, Any] = json.loads(
    (Path(__file__).parent / "vectors" / "c2sp_notes.json").read_text()
)

RECEIPT = Receipt(
    mode=2,
    purpose=3,
    meter_no=0x01020304,
    licence_no=0x1112131415161718,
    licence_seq=0x2122232425262728,
    used_at_ms=0x3132333435363738,
    version_no=0x41424344,
    status=0x51525354,
    units=0x6162636465666768,
    cumulative_units=0x7172737475767778,
    records=0x8182838485868788,
    commitment=bytes(range(0xA0, 0xC0)),
)
RECEIPT_HEX = (
    "01"
    "02"
    "0003"
    "01020304"
    "1112131415161718"
    "2122232425262728"
    "3132333435363738"
    "41424344"
    "51525354"
    "6162636465666768"
    "7172737475767778"
    "8182838485868788"
    "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
)


def test_receipt__every_field_distinct__bytes_of_the_design() -> None:
    assert RECEIPT.encode().hex() == RECEIPT_HEX
    assert Receipt.decode(bytes.fromhex(RECEIPT_HEX)) == RECEIPT


def test_receipt_dtype__same_bytes__same_fields() -> None:
    row = np.frombuffer(bytes.fromhex(RECEIPT_HEX), RECEIPT_DTYPE)[0]
    assert RECEIPT_DTYPE.itemsize == 96
    assert int(row["format"]) == 1
    expected = RECEIPT.as_dict() | {"commitment": RECEIPT.commitment}
    names = [name for name in RECEIPT_DTYPE.names or () if name not in ("format", "commitment")]
    assert {name: int(row[name]) for name in names} | {
        "commitment": row["commitment"].tobytes()
    } == expected


def test_commitment__zero_salt_and_digests__written_out() -> None:
    zeros = "0x" + "00" * 32
    opened = f'{{"request_digest":"{zeros}","response_digest":"{zeros}"}}'
    expected = sha256(bytes(32) + opened.encode())
    assert commitment(bytes(32), bytes(32), bytes(32)) == expected


def test_note__example_of_the_specification__opens() -> None:
    example = NOTES["signed_note_spec"]
    verifier = NoteVerifier.parse(example["vkey"])
    assert verifier.vkey == example["vkey"]
    assert open_note(example["note"], [verifier]).text == "This is an example message.\n"


def test_note__key_of_the_reference_implementation__same_signature() -> None:
    example = NOTES["reference_implementation"]
    signer = NoteSigner.parse(example["skey"])
    assert (signer.skey, signer.vkey) == (example["skey"], example["vkey"])
    assert signer.sign(example["text"]) == example["note"]


def test_checkpoint__example_of_the_specification__read_and_written_back() -> None:
    note = NOTES["checkpoint_spec"]["note"]
    body = read_checkpoint(note)
    assert (body.origin, body.size, body.time_ms) == ("example.com/behind-the-sofa", 20852163, None)
    assert note.startswith(body.text() + "\n")


def test_checkpoint__of_the_go_checksum_database__opens_with_its_key_only() -> None:
    published = NOTES["go_checksum_database"]
    verifier = NoteVerifier.parse(published["vkey"])
    body = open_checkpoint(published["note"], [verifier])
    assert (body.origin, body.size) == ("go.sum database tree", 15067302)
    with pytest.raises(UnverifiedNoteError):
        open_checkpoint(published["note"].replace("15067302", "15067303"), [verifier])


def test_checkpoint__our_extension_line__written_out() -> None:
    body = CheckpointBody("a.example/log", 0, bytes(32), 1_700_000_000_000)
    assert body.text() == f"a.example/log\n0\n{'A' * 43}=\ntime_ms 1700000000000\n"


def test_tile_path__example_of_the_specification__equal() -> None:
    assert Tile(0, 1234067).path == "tile/0/x001/x234/067"
    assert Tile(None, 7, 12).path == "tile/entries/007.p/12"


def test_tiles__tree_of_70000__counts_of_the_specification() -> None:
    tiles = list(new_tiles(0, 70_000))
    full = [(tile.level, tile.width) for tile in tiles if not tile.is_partial]
    assert (full.count((0, 256)), full.count((1, 256)), len(full)) == (273, 1, 274)
    partial = [tile for tile in tiles if tile.is_partial]
    assert partial == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]


def test_tiles__tree_of_256__full_tile_and_one_above() -> None:
    assert list(new_tiles(0, 256)) == [Tile(0, 0), Tile(1, 0, 1)]


def test_bundle__two_entries__length_prefixed() -> None:
    assert encode_bundle([b"", b"abc"]) == b"\x00\x00\x00\x03abc"


def test_jcs__sorting_example_of_rfc_8785__order_of_the_rfc() -> None:
    text = (
        '{"\\u20ac":"Euro Sign","\\r":"Carriage Return",'
        '"\\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",'
        '"\\ud83d\\ude00":"Emoji: Grinning Face","\\u0080":"Control",'
        '"\\u00f6":"Latin Small Letter O With Diaeresis"}'
    )
    assert list(json.loads(canonical_json(json.loads(text))).values()) == [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]


def test_jcs__strings_and_literals_of_rfc_8785__bytes_of_the_rfc() -> None:
    value = {
        "string": '\u20ac$\u000f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    expected = (
        "7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c"
        "22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d"
    )
    assert canonical_json(value).hex() == expected


def test_sm3__examples_of_the_standard__equal() -> None:
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert (
        sm3(b"abcd" * 16).hex()
        == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
    )


def test_digest_file__abc__both_digests(tmp_path: Path) -> None:
    file = tmp_path / "abc"
    file.write_bytes(b"abc")
    digests = digest_file(file)
    assert digests.size_bytes == 3
    assert digests.sm3 == sm3(b"abc")
    assert (
        digests.sha256.hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_document__fixed_salt__digest_written_out() -> None:
    document = Document({"b": 1, "a": "甲"}, bytes(range(32)))
    assert document.digest == sha256(bytes(range(32)) + '{"a":"甲","b":1}'.encode())
    assert document.to_json() == (
        '{"record":{"a":"甲","b":1},'
        '"salt":"0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"}'
    )
