"""Reading, proving and erasing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.codec.errors import InvalidProofError
from ledger.codec.merkle import EMPTY_ROOT, leaf_hash
from ledger.codec.notes import NoteSigner
from ledger.codec.tiles import Tile, decode_bundle
from ledger.domain.errors import LedgerError
from ledger.log.erasure import erase_licence
from ledger.log.errors import (
    LogBusyError,
    LogCorruptError,
    LogErasedError,
    LogMissingError,
    LogRangeError,
    LogUnsignedError,
)
from ledger.log.proofs import check_proof, make_proof
from ledger.log.reader import LogReader
from ledger.log.sealed import seal
from ledger.log.values import LicenceTally
from tests.golden import reference_tree
from tests.unit.log_story import LOG_NO, ORIGIN, fill, open_log, use

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log signed at 300 and again at 700, with ten receipts nobody signed yet."""
    path = tmp_path_factory.mktemp("log")
    fill(path, 300)
    with open_log(path) as writer:
        writer.append([use(1 + number % 3, 1_000 + number) for number in range(300, 700)])
        writer.checkpoint(6_000)
        writer.append([use(9, 1_000 + number) for number in range(10)])
    return path


@pytest.fixture
def reader(folder: Path) -> LogReader:
    return LogReader(folder)


def test_reader__no_log__typed_error(tmp_path: Path) -> None:
    with pytest.raises(LogMissingError):
        LogReader(tmp_path)


def test_reader__empty_log__empty_answers(tmp_path: Path) -> None:
    open_log(tmp_path).close()
    reader = LogReader(tmp_path)
    assert (reader.size, reader.checkpoint(), reader.root(0)) == (0, None, EMPTY_ROOT)
    assert (reader.latest(1), reader.tallies(), list(reader.receipts())) == (None, {}, [])


def test_reader__beside_a_live_writer__sees_what_was_acknowledged(tmp_path: Path) -> None:
    with open_log(tmp_path) as writer:
        reader = LogReader(tmp_path)
        for moment in range(3):
            [appended] = writer.append([use(used_at_ms=moment)])
            assert reader.receipt(appended.index) == appended.receipt
            assert reader.latest(1) == (appended.index, appended.receipt)
            assert writer.checkpoint() == reader.checkpoint()


@pytest.mark.parametrize("index", [-1, 710, 10**12])
def test_receipt__beyond_the_log__refused(reader: LogReader, index: int) -> None:
    with pytest.raises(LogRangeError):
        reader.receipt(index)
    with pytest.raises(LogRangeError):
        reader.root(711)


def test_latest__by_size_and_moment__last_one_before(reader: LogReader) -> None:
    found = reader.latest(2, size=700, before_ms=1_400)
    assert found is not None
    index, receipt = found
    assert (index, receipt.used_at_ms, receipt.licence_seq) == (397, 1_397, 133)
    assert reader.latest(2, size=1) is None
    assert reader.latest(2, before_ms=1_001) is None
    assert reader.latest(77) is None


def test_tallies__at_sizes__equal_the_receipts_read_one_by_one(reader: LogReader) -> None:
    for size in (0, 1, 299, 710):
        expected = {
            receipt.licence_no: LicenceTally(
                receipt.licence_seq, receipt.cumulative_units, receipt.used_at_ms
            )
            for _, receipt in reader.receipts(size=size)
        }
        assert reader.tallies(size) == expected


def test_receipts__of_a_licence_from_an_index__in_order(reader: LogReader) -> None:
    found = list(reader.receipts(3, start=500, size=520))
    assert [index for index, _ in found] == [500, 503, 506, 509, 512, 515, 518]
    assert {receipt.licence_no for _, receipt in found} == {3}


def test_tree__after_two_checkpoints__roots_of_full_tiles(folder: Path) -> None:
    receipts = (folder / "receipts.bin").read_bytes()
    leaves = [leaf_hash(receipts[at : at + 96]) for at in range(0, len(receipts), 96)]
    expected = [reference_tree.mth(leaves[at : at + 256]) for at in (0, 256)]
    assert [path.name for path in (folder / "tree").iterdir()] == ["1"]
    assert (folder / "tree/1").read_bytes() == b"".join(expected)


def test_tile__of_each_level__as_c2sp_has_it(folder: Path, reader: LogReader) -> None:
    receipts = (folder / "receipts.bin").read_bytes()
    leaves = [leaf_hash(receipts[at : at + 96]) for at in range(0, len(receipts), 96)]
    bundle = reader.tile(Tile(None, 2, 188), 700)
    assert bundle is not None
    assert b"".join(decode_bundle(bundle)) == receipts[512 * 96 : 700 * 96]
    assert reader.tile(Tile(0, 1), 700) == b"".join(leaves[256:512])
    assert reader.tile(Tile(0, 2, 100), 700) == b"".join(leaves[512:612])
    assert reader.tile(Tile(1, 0, 2), 700) == (folder / "tree/1").read_bytes()


@pytest.mark.parametrize(
    "tile", [Tile(0, 2), Tile(0, 2, 189), Tile(None, 3, 1), Tile(1, 0, 3), Tile(2, 0, 1)]
)
def test_tile__beyond_the_size__none(reader: LogReader, tile: Tile) -> None:
    assert reader.tile(tile, 700) is None


def test_root__hashes_deleted__same_root_and_proofs(tmp_path: Path, reader: LogReader) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("receipts.bin", "commits", "log.json", "checkpoint"):
        (bare / name).write_bytes((reader._layout.folder / name).read_bytes())
    other = LogReader(bare)
    assert other.root(700) == reader.root(700)
    assert other.inclusion_proof(3, 700) == reader.inclusion_proof(3, 700)
    assert other.consistency_proof(300, 700) == reader.consistency_proof(300, 700)


def test_checkpoint__hashes_deleted__made_again(tmp_path: Path) -> None:
    fill(tmp_path, 600)
    whole = (tmp_path / "tree/1").read_bytes()
    (tmp_path / "tree/1").unlink()
    with open_log(tmp_path) as writer:
        writer.append([use(used_at_ms=9_000)])
        writer.checkpoint()
    assert (tmp_path / "tree/1").read_bytes() == whole


def test_proof__altered_hash__not_given_out(tmp_path: Path) -> None:
    fill(tmp_path, 300)
    path = tmp_path / "tree/1"
    data = bytearray(path.read_bytes())
    data[7] ^= 1
    path.write_bytes(data)
    with pytest.raises(InvalidProofError):
        make_proof(LogReader(tmp_path), 290)


@pytest.mark.parametrize("offset", [0, 5, 95])
def test_proof__altered_receipt__not_given_out(tmp_path: Path, offset: int) -> None:
    fill(tmp_path, 300)
    data = bytearray((tmp_path / "receipts.bin").read_bytes())
    data[17 * 96 + offset] ^= 1
    (tmp_path / "receipts.bin").write_bytes(data)
    with pytest.raises(InvalidProofError):
        make_proof(LogReader(tmp_path), 17)


@pytest.mark.parametrize("tail", [b"", b"{", b'{"meters":[[4,4,5]],"size":4,'])
def test_reader__receipts_without_a_commit__not_there(tmp_path: Path, tail: bytes) -> None:
    fill(tmp_path, 3)
    with (tmp_path / "commits").open("ab") as stream:
        stream.write(tail)
    with (tmp_path / "receipts.bin").open("ab") as stream:
        stream.write(bytes(96))
    reader = LogReader(tmp_path)
    assert reader.size == 3
    with pytest.raises(LogRangeError):
        reader.receipt(3)


def test_opening__every_receipt__opens_its_commitment(reader: LogReader) -> None:
    opened = reader.opening(4)
    assert opened["request"] == {"page": 1_004, "who": "王"}
    assert opened["response_digest"] == "0x" + "05" * 32
    assert set(opened) == {"request", "request_digest", "response_digest", "salt"}


def test_opening__altered_record__refused(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    path = tmp_path / "uses" / "1.jsonl"
    path.write_text(path.read_text().replace("1000", "1001"))
    with pytest.raises(LogCorruptError) as caught:
        LogReader(tmp_path).opening(0)
    assert caught.value.got == 0


@pytest.mark.parametrize(("index", "size"), [(0, None), (699, None), (299, 300), (5, 6), (0, 1)])
def test_proof__made_here__holds_after_json(
    reader: LogReader, index: int, size: int | None
) -> None:
    proof = json.loads(json.dumps(make_proof(reader, index, size)))
    assert check_proof(proof, reader.vkey()) == []
    assert (proof["index"], proof["size"], proof["log_no"]) == (index, size or 700, LOG_NO)


def test_proof__beyond_the_checkpoint__refused(reader: LogReader, tmp_path: Path) -> None:
    with pytest.raises(LogUnsignedError):
        make_proof(reader, 0, 701)
    with pytest.raises(LogRangeError):
        make_proof(reader, 700)
    open_log(tmp_path).close()
    with pytest.raises(LogUnsignedError):
        make_proof(LogReader(tmp_path), 0)


def flipped(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


ALTERED: dict[str, Any] = {
    "format": lambda value: value + "0",
    "origin": lambda value: value + "x",
    "log_no": lambda value: value + 1,
    "index": lambda value: value + 1,
    "size": lambda value: value + 1,
    "root": flipped,
    "receipt": flipped,
    "path": lambda value: [flipped(value[0]), *value[1:]],
    "consistency": lambda value: [*value[:-1], flipped(value[-1])],
    "checkpoint": lambda value: value.replace("\n700\n", "\n701\n"),
}


@pytest.mark.parametrize("field", ALTERED)
@pytest.mark.parametrize("how", ["altered", "missing", "null", "list"])
def test_check_proof__each_field__refused(reader: LogReader, field: str, how: str) -> None:
    proof = make_proof(reader, 42, 300)
    if how == "missing":
        del proof[field]
    else:
        proof[field] = {"null": None, "list": [1], "altered": None}[how]
    if how == "altered":
        proof[field] = ALTERED[field](make_proof(reader, 42, 300)[field])
    found = check_proof(proof, reader.vkey())
    assert found
    assert all(isinstance(finding, LedgerError) for finding in found)


def test_check_proof__other_key_or_extra_member__refused(reader: LogReader) -> None:
    proof = make_proof(reader, 42)
    assert check_proof(proof, NoteSigner.generate(ORIGIN).vkey)
    assert check_proof(proof, "no key")
    assert check_proof(proof | {"note": 1}, reader.vkey())
    assert check_proof([], reader.vkey())  # type: ignore[arg-type]


def test_erase__one_licence__proofs_hold_and_nothing_opens(tmp_path: Path) -> None:
    fill(tmp_path, 30)
    before = [make_proof(LogReader(tmp_path), index) for index in range(30)]
    kept = {name: tmp_path / f"kept.{name}" for name in ("2.key", "2.jsonl")}
    for name, link in kept.items():
        link.hardlink_to(tmp_path / ("secrets" if name == "2.key" else "uses") / name)
    erase_licence(tmp_path, 2)
    erase_licence(tmp_path, 2)
    assert all(not link.read_bytes().strip(b"\0") for link in kept.values())
    reader = LogReader(tmp_path)
    assert [make_proof(reader, index) for index in range(30)] == before
    with pytest.raises(LogErasedError):
        reader.opening(1)
    assert reader.opening(0)["request"]["page"] == 1_000
    assert not (tmp_path / "secrets" / "2.key").exists()
    assert not (tmp_path / "uses" / "2.jsonl").exists()


def test_erase__live_writer__through_the_writer_and_later_uses_open(tmp_path: Path) -> None:
    with open_log(tmp_path) as writer:
        writer.append([use(), use()])
        with pytest.raises(LogBusyError):
            erase_licence(tmp_path, 1)
        writer.erase(1)
        writer.append([use(used_at_ms=2_000)])
    reader = LogReader(tmp_path)
    for index in (0, 1):
        with pytest.raises(LogErasedError):
            reader.opening(index)
    assert reader.opening(2)["request"]["page"] == 2_000
    with open_log(tmp_path) as writer:
        assert writer.tally(1) == LicenceTally(3, 3, 2_000)


def test_erase__interrupted__finished_on_open(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    trace = seal({"erased_at_ms": 1, "licence_no": 1, "through_seq": 1})
    (tmp_path / "secrets" / "1.erasing").write_bytes(trace)
    with pytest.raises(LogErasedError):
        LogReader(tmp_path).opening(0)
    open_log(tmp_path).close()
    assert not (tmp_path / "secrets" / "1.key").exists()
    assert (tmp_path / "secrets" / "1.erased").read_bytes() == trace


def test_last_uses__many_licences__each_is_the_latest_of_its_own(reader: LogReader) -> None:
    found = reader.last_uses([1, 2, 3, 77], 700)
    assert set(found) == {1, 2, 3}
    assert found == {number: reader.latest(number, size=700) for number in (1, 2, 3)}
    earlier = reader.last_uses([1, 2], 200)
    assert earlier == {number: reader.latest(number, size=200) for number in (1, 2)}
