"""Properties of trees, receipts, notes, tiles and documents over arbitrary input."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.codec import merkle
from ledger.codec.canonical import canonical_json
from ledger.codec.documents import Document
from ledger.codec.errors import InvalidProofError, MalformedNoteError
from ledger.codec.notes import NoteSigner, open_note, parse_note
from ledger.codec.receipts import Receipt
from ledger.codec.tiles import Tile, decode_bundle, encode_bundle, new_tiles, tile_width

pytestmark = pytest.mark.property

digests = st.binary(min_size=32, max_size=32)
leaf_lists = st.lists(digests, min_size=1, max_size=70)
uint8, uint16 = st.integers(0, 2**8 - 1), st.integers(0, 2**16 - 1)
uint32, uint64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
receipts = st.builds(
    Receipt,
    mode=uint8,
    purpose=uint16,
    meter_no=uint32,
    licence_no=uint64,
    licence_seq=uint64,
    used_at_ms=uint64,
    version_no=uint32,
    status=uint32,
    units=uint64,
    cumulative_units=uint64,
    records=uint64,
    commitment=digests,
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=15,
)


@given(receipts)
def test_receipt__encode_decode__identity(receipt: Receipt) -> None:
    assert Receipt.decode(receipt.encode()) == receipt


@given(st.lists(receipts, min_size=1, max_size=9), st.data())
def test_root__any_bit_of_any_receipt_flipped__changes(
    batch: list[Receipt], data: st.DataObject
) -> None:
    block = b"".join(receipt.encode() for receipt in batch)
    bit = data.draw(st.integers(0, len(block) * 8 - 1))
    flipped = bytearray(block)
    flipped[bit // 8] ^= 1 << (bit % 8)
    before = merkle.root(merkle.hash_leaves(block, 96))
    assert merkle.root(merkle.hash_leaves(bytes(flipped), 96)) != before


@given(leaf_lists, st.data())
def test_inclusion__wrong_leaf_index_or_sibling__refused(
    leaves: list[bytes], data: st.DataObject
) -> None:
    size, root = len(leaves), merkle.root(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(leaves, index)
    merkle.verify_inclusion(leaves[index], index, size, proof, root)
    wrong = bytes([leaves[index][0] ^ 1]) + leaves[index][1:]
    with pytest.raises(InvalidProofError):
        merkle.verify_inclusion(wrong, index, size, proof, root)
    position = data.draw(st.integers(0, 40))
    if position < len(proof):
        proof[position] = merkle.node_hash(proof[position], proof[position])
        with pytest.raises(InvalidProofError):
            merkle.verify_inclusion(leaves[index], index, size, proof, root)


@given(leaf_lists, st.data())
def test_consistency__honest_or_rewritten__accepted_or_refused(
    leaves: list[bytes], data: st.DataObject
) -> None:
    old_size = data.draw(st.integers(1, len(leaves)))
    proof = merkle.consistency_proof(leaves, old_size)
    old_root, root = merkle.root(leaves[:old_size]), merkle.root(leaves)
    merkle.verify_consistency(old_size, len(leaves), old_root, root, proof)
    rewritten = [merkle.leaf_hash(leaves[0]), *leaves[1:]]
    with pytest.raises(InvalidProofError):
        merkle.verify_consistency(old_size, len(leaves), old_root, merkle.root(rewritten), proof)


@given(leaf_lists, st.integers(0, 70))
def test_frontier__resumed_at_any_size__same_root(leaves: list[bytes], cut: int) -> None:
    first = merkle.Frontier()
    for leaf in leaves[:cut]:
        first.append(leaf)
    resumed = merkle.Frontier(first.size, first.hashes)
    for leaf in leaves[cut:]:
        resumed.append(leaf)
    assert resumed.root() == merkle.root(leaves)


@given(json_values)
def test_canonical_json__read_back__same_value_and_bytes(value: Any) -> None:
    text = canonical_json(value)
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


@given(st.dictionaries(texts, json_values, max_size=4), digests)
def test_document__text_round_trip__same_digest(record: dict[str, Any], salt: bytes) -> None:
    document = Document(record, salt)
    again = Document.from_json(document.to_json())
    assert again.digest == document.digest
    assert again.to_json() == document.to_json()


@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=40), digests)
def test_note__sign_and_open__same_text(text: str, seed: bytes) -> None:
    signer = NoteSigner("example.com/key", seed)
    assert open_note(signer.sign(text + "\n"), [signer.verifier]).text == text + "\n"


@given(st.text(max_size=80))
def test_parse_note__any_text__note_or_typed_error(text: str) -> None:
    with suppress(MalformedNoteError):
        assert parse_note(text).text.endswith("\n")


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_bundle__encode_decode__identity(entries: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(entries)) == entries


@given(st.integers(0, 63) | st.none(), st.integers(0, 10**12), st.integers(1, 256))
def test_tile__path_round_trip__identity(level: int | None, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert Tile.parse(tile.path) == tile


@given(st.integers(0, 200_000), st.integers(0, 3_000))
def test_new_tiles__growth__exactly_the_tiles_whose_width_changed(old_size: int, more: int) -> None:
    size = old_size + more
    expected = {
        Tile(level, index, tile_width(level, index, size))
        for level in range(4)
        for index in range((old_size >> 8 * level) // 256, (size >> 8 * level) // 256 + 1)
        if tile_width(level, index, size) > tile_width(level, index, old_size)
    }
    made = list(new_tiles(old_size, size))
    assert set(made) == expected
    assert len(made) == len(expected)
