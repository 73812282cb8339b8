"""Proof files of every form: made here, altered, cut, and brought under the wrong key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.codec.errors import MalformedProofError
from ledger.codec.notes import NoteSigner
from ledger.codec.proof_files import PATH_MAX, TLOG_HEADER, CompactProof, TlogProof
from ledger.domain.errors import LedgerError
from ledger.log.consistency_proofs import make_consistency
from ledger.log.errors import LogRangeError, LogUnsignedError
from ledger.log.proof_checks import check_proof_bytes
from ledger.log.proofs import compact_of, make_proof, tlog_of
from ledger.log.reader import LogReader
from tests.unit.log_story import LOG_NO, ORIGIN, fill, open_log, use

pytestmark = pytest.mark.unit

SIZE = 700


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> LogReader:
    """A log signed at 300 and again at 700, with three receipts nobody signed yet."""
    path = tmp_path_factory.mktemp("log")
    fill(path, 300)
    with open_log(path) as writer:
        writer.append([use(1 + number % 3, 1_000 + number) for number in range(300, SIZE)])
        writer.checkpoint(6_000)
        writer.append([use(9, 1_000 + number) for number in range(3)])
    return LogReader(path)


@pytest.fixture(scope="module")
def note(reader: LogReader) -> str:
    signed = reader.checkpoint()
    assert signed is not None
    return signed.note


def _codes(findings: list[LedgerError]) -> list[str]:
    return [finding.code for finding in findings]


def _fields(findings: list[LedgerError]) -> list[str | None]:
    return [finding.field for finding in findings]


@pytest.mark.parametrize("index", [0, 255, 256, 511, 699])
def test_proof__of_each_form__holds(reader: LogReader, note: str, index: int) -> None:
    document = make_proof(reader, index)
    files = {
        "json": json.dumps(document).encode(),
        "compact": compact_of(document).encode(),
        "tlog": tlog_of(document).text().encode(),
    }
    found = {form: check_proof_bytes(data, reader.vkey(), note) for form, data in files.items()}
    assert found == {"json": [], "compact": [], "tlog": []}


def test_compact__fields__are_where_the_chain_reads_them(reader: LogReader) -> None:
    data = compact_of(make_proof(reader, 42)).encode()
    assert data[:4] == LOG_NO.to_bytes(4, "big")
    assert data[4:12] == SIZE.to_bytes(8, "big")
    assert data[12:20] == (42).to_bytes(8, "big")
    assert data[20:116] == reader.receipt_bytes(42)
    assert data[116:] == b"".join(reader.inclusion_proof(42, SIZE))


def test_compact__depth_28__is_1012_bytes() -> None:
    proof = CompactProof(1, 2**28, 5, b"\x01" * 96, (bytes(32),) * 28)
    assert len(proof.encode()) == 1012
    assert CompactProof.decode(proof.encode()) == proof


@pytest.mark.parametrize(
    ("length", "expected"), [(0, 116), (115, 116), (117, 116), (1011, 980), (3000, 2164)]
)
def test_compact__other_length__refused_with_both_lengths(length: int, expected: int) -> None:
    with pytest.raises(MalformedProofError) as caught:
        CompactProof.decode(b"\x01" * length)
    assert (caught.value.got, caught.value.expected) == (length, expected)


def test_compact__cut_at_every_length__never_holds(reader: LogReader, note: str) -> None:
    data = compact_of(make_proof(reader, 42)).encode()
    for length in range(len(data)):
        assert check_proof_bytes(data[:length], reader.vkey(), note), length


def test_compact__every_bit__never_holds_when_changed(reader: LogReader, note: str) -> None:
    data = compact_of(make_proof(reader, 42)).encode()
    for place in range(len(data)):
        bent = bytearray(data)
        bent[place] ^= 1 << place % 8
        assert check_proof_bytes(bytes(bent), reader.vkey(), note), place


def test_compact__checkpoint_of_another_size__refused(reader: LogReader, note: str) -> None:
    data = compact_of(make_proof(reader, 42, 300)).encode()
    findings = check_proof_bytes(data, reader.vkey(), note)
    assert _fields(findings)[0] == "size"


def test_compact__without_a_checkpoint__refused(reader: LogReader) -> None:
    data = compact_of(make_proof(reader, 42)).encode()
    assert _fields(check_proof_bytes(data, reader.vkey())) == ["checkpoint"]


def test_compact__checkpoint_of_another_key__refused(reader: LogReader, note: str) -> None:
    data = compact_of(make_proof(reader, 42)).encode()
    findings = check_proof_bytes(data, NoteSigner.generate(ORIGIN).vkey, note)
    assert _codes(findings) == ["codec.unverified_note"]


def test_tlog__text__as_c2sp_has_it(reader: LogReader, note: str) -> None:
    lines = tlog_of(make_proof(reader, 42)).text().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1].startswith("extra ")
    assert lines[2] == "index 42"
    assert len(lines[3 : lines.index("")]) == len(reader.inclusion_proof(42, SIZE))
    assert "\n".join(lines[lines.index("") + 1 :]) == note


def test_tlog__tree_smaller_than_the_checkpoints__refused(reader: LogReader) -> None:
    with pytest.raises(LogUnsignedError):
        tlog_of(make_proof(reader, 42, 300))


def test_tlog__every_line__never_holds_when_changed(reader: LogReader) -> None:
    lines = tlog_of(make_proof(reader, 42)).text().split("\n")
    for place, line in enumerate(lines[:-1]):
        middle = len(line) // 2
        swapped = "A" if line[middle : middle + 1] != "A" else "B"
        changed = [
            *lines[:place],
            line[:middle] + swapped + line[middle + 1 :],
            *lines[place + 1 :],
        ]
        assert check_proof_bytes("\n".join(changed).encode(), reader.vkey()), line


def test_tlog__every_line__never_holds_when_missing(reader: LogReader) -> None:
    lines = tlog_of(make_proof(reader, 42)).text().split("\n")
    for place in range(len(lines) - 1):
        shorter = "\n".join(lines[:place] + lines[place + 1 :])
        assert check_proof_bytes(shorter.encode(), reader.vkey()), lines[place]


def test_tlog__file_of_others_without_the_receipt__says_so(reader: LogReader, note: str) -> None:
    path = tuple(reader.inclusion_proof(42, SIZE))
    data = TlogProof(42, path, note).text().encode()
    assert _fields(check_proof_bytes(data, reader.vkey())) == ["extra"]


@pytest.mark.parametrize(
    "tail",
    [
        "",
        "\n",
        "\nextra AA==\n",
        "\nindex 00\n\nnote\n",
        "\nindex 18446744073709551616\n\nnote\n",
        "\nindex 1\nAAAA\n\nnote\n",
        "\nindex 1\n",
        "\nindex 1\n\n",
        "\nindex 1" + f"\n{'A' * 43}=" * (PATH_MAX + 1) + "\n\nnote\n",
        "\nindex 1\nextra AA==\n\nnote\n",
    ],
)
def test_tlog__malformed__refused(tail: str) -> None:
    with pytest.raises(MalformedProofError):
        TlogProof.parse(TLOG_HEADER + tail)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"7",
        b'{"format":"mdl-log-proof-0"}',
        b'{"format":["mdl-log-proof-1"]}',
        b"9" * 10_000,
        b"\xff\xfe",
        b"c2sp.org/tlog-proof@v2\nindex 1\n\n",
    ],
)
def test_check__no_known_form__one_finding(data: bytes) -> None:
    assert _codes(check_proof_bytes(data, "no key")) == ["codec.malformed_proof"]


def test_check__brackets_only__refused_before_they_are_followed() -> None:
    [finding] = check_proof_bytes(b"[" * 1_000_000, "no key")
    assert (finding.code, finding.expected) == ("domain.malformed_value", 64)


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 700), (1, 2), (256, 300), (300, 700), (9, 9)])
def test_consistency__made_here__holds_after_json(reader: LogReader, old: int, new: int) -> None:
    data = json.dumps(make_consistency(reader, old, new)).encode()
    assert check_proof_bytes(data, reader.vkey()) == []


def test_consistency__beyond_the_checkpoint_or_backwards__refused(reader: LogReader) -> None:
    with pytest.raises(LogUnsignedError):
        make_consistency(reader, 1, SIZE + 1)
    for old, new in ((5, 4), (-1, 4)):
        with pytest.raises(LogRangeError):
            make_consistency(reader, old, new)


def _flipped(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


ALTERED: dict[str, Any] = {
    "origin": lambda value: value + "x",
    "log_no": lambda value: value + 1,
    "old_size": lambda value: value + 1,
    "old_root": _flipped,
    "new_size": lambda value: value + 1,
    "new_root": _flipped,
    "consistency": lambda value: [_flipped(value[0]), *value[1:]],
    "to_checkpoint": lambda value: value[:-1],
    "checkpoint": lambda value: value.replace("\n700\n", "\n701\n"),
}


@pytest.mark.parametrize("field", ALTERED)
@pytest.mark.parametrize("how", ["altered", "missing", "null", "list"])
def test_consistency__each_field__refused(reader: LogReader, field: str, how: str) -> None:
    document = make_consistency(reader, 200, 300)
    value = document.pop(field)
    if how != "missing":
        document[field] = {"altered": ALTERED[field](value), "null": None, "list": [1]}[how]
    assert check_proof_bytes(json.dumps(document).encode(), reader.vkey())


def test_proofs__log_never_signed__refused(tmp_path: Path) -> None:
    open_log(tmp_path).close()
    with pytest.raises(LogUnsignedError):
        make_consistency(LogReader(tmp_path), 0, 0)
