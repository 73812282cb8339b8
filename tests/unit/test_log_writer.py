"""The writer's promises, one by one."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.codec.canonical import canonical_digest, canonical_json
from ledger.codec.errors import NotCanonicalError
from ledger.codec.receipts import RECEIPT_BYTES, Receipt, commitment
from ledger.domain.errors import LedgerError, MalformedValueError, ValueOutOfRangeError
from ledger.log import writer as writer_module
from ledger.log.errors import (
    LogBusyError,
    LogClockError,
    LogClosedError,
    LogCorruptError,
    LogIdentityError,
    LogLicenceError,
    LogUnitsError,
    LogWriteError,
)
from ledger.log.reader import LogReader
from ledger.log.salts import receipt_salt
from ledger.log.use_files import find_line, use_line
from ledger.log.values import LicenceTally, Use
from ledger.log.writer import LogWriter
from tests.unit.log_story import LOG_NO, ORIGIN, fill, open_log, use

pytestmark = pytest.mark.unit


def test_append__three_uses__numbered_summed_and_on_disk(tmp_path: Path) -> None:
    with open_log(tmp_path) as writer:
        first = writer.append([use(units=5), use(2, units=7)])
        second = writer.append([use(used_at_ms=2_000, units=11)])
        data = (tmp_path / "receipts.bin").read_bytes()
        assert writer.size == 3
    appended = [*first, *second]
    assert [item.index for item in appended] == [0, 1, 2]
    assert [item.receipt.licence_seq for item in appended] == [1, 1, 2]
    assert [item.receipt.cumulative_units for item in appended] == [5, 7, 16]
    assert data == b"".join(item.receipt.encode() for item in appended)


def test_append__commitment__opens_with_the_documented_salt(tmp_path: Path) -> None:
    with open_log(tmp_path) as writer:
        [appended] = writer.append([use()])
    key = (tmp_path / "secrets" / "1.key").read_bytes()
    salt = receipt_salt(key, LOG_NO, 1)
    expected = commitment(salt, canonical_digest(use().request), use().response_digest)
    assert appended.receipt.commitment == expected
    line = json.loads((tmp_path / "uses" / "1.jsonl").read_text())
    assert line == {
        "licence_seq": 1,
        "request": use().request,
        "response_digest": "0x" + "05" * 32,
    }


def test_use_line__any_request__is_canonical_json() -> None:
    line = use_line(3, canonical_json(use().request), b"\x05" * 32)
    assert line.endswith(b"\n")
    assert canonical_json(json.loads(line)) == line[:-1]


def test_salt__fixed_key__fixed_bytes() -> None:
    # openssl dgst -sha256 -mac HMAC over the label and the two numbers.
    salt = receipt_salt(bytes(range(32)), 7, 2**40 + 1)
    assert salt.hex() == "74ce951e5098cc664007bbf396da1ad1bcc0b387baf70b1d4844a84a0f2fd001"


def test_open__first_use__secrets_are_for_the_owner_only(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    for name in ("key", "secrets/1.key", "uses/1.jsonl"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    identity = json.loads((tmp_path / "log.json").read_text())
    assert (identity["log_no"], identity["origin"]) == (LOG_NO, ORIGIN)
    assert identity["vkey"] == LogReader(tmp_path).vkey()


def test_open__second_writer__refused_until_the_first_closes(tmp_path: Path) -> None:
    with open_log(tmp_path), pytest.raises(LogBusyError) as caught:
        open_log(tmp_path)
    assert caught.value.retryable
    open_log(tmp_path).close()


@pytest.mark.parametrize(("origin", "log_no"), [("example.org/other", LOG_NO), (ORIGIN, 8)])
def test_open__another_identity__refused(tmp_path: Path, origin: str, log_no: int) -> None:
    fill(tmp_path, 1)
    with pytest.raises(LogIdentityError):
        LogWriter.open(tmp_path, origin=origin, log_no=log_no)
    open_log(tmp_path).close()


def test_open__key_lost__refused_not_replaced(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    (tmp_path / "key").unlink()
    with pytest.raises(LogIdentityError):
        open_log(tmp_path)
    assert not (tmp_path / "key").exists()


REFUSALS: list[tuple[dict[str, Any], type[LedgerError]]] = [
    ({"used_at_ms": 999}, LogClockError),
    ({"status": 1, "units": 1}, LogUnitsError),
    ({"mode": 256}, ValueOutOfRangeError),
    ({"units": 2**64}, ValueOutOfRangeError),
    ({"units": 2**64 - 1}, ValueOutOfRangeError),
    ({"units": -1}, ValueOutOfRangeError),
    ({"request": {"share": 0.5}}, NotCanonicalError),
    ({"response_digest": b"short"}, MalformedValueError),
]


@pytest.mark.parametrize(("changes", "error"), REFUSALS)
def test_append__one_bad_use_among_good__nothing_changes(
    tmp_path: Path, changes: dict[str, Any], error: type[LedgerError]
) -> None:
    with open_log(tmp_path) as writer:
        writer.append([use()])
        before = writer.tally(1)
        with pytest.raises(error):
            writer.append([use(2), use(), use(**changes)])
        assert (writer.size, writer.tally(1), writer.tally(2)) == (1, before, LicenceTally())
        assert [item.index for item in writer.append([use(used_at_ms=1_001)])] == [1]
    open_log(tmp_path).close()


def test_append_decided__another_licence_or_an_error__nothing_appended(tmp_path: Path) -> None:
    def fail(tally: LicenceTally) -> Use:
        raise KeyError(tally.licence_seq)

    with open_log(tmp_path) as writer:
        with pytest.raises(LogLicenceError):
            writer.append_decided(1, lambda tally: use(2))
        with pytest.raises(KeyError):
            writer.append_decided(1, fail)
        assert writer.append_decided(1, lambda tally: use()).index == 0
        assert (writer.size, writer.tally(2)) == (1, LicenceTally())


def test_close__then_append_or_sign__refused(tmp_path: Path) -> None:
    writer = open_log(tmp_path)
    writer.close()
    writer.close()
    for call in (lambda: writer.append([use()]), writer.checkpoint, lambda: writer.erase(1)):
        with pytest.raises(LogClosedError):
            call()


def test_append__disk_refuses__not_acknowledged_and_recovered_by_reopening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = open_log(tmp_path)
    writer.append([use()])
    whole = writer_module.write_all

    def torn(descriptor: int, data: bytes) -> None:
        whole(descriptor, data[: RECEIPT_BYTES // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer_module, "write_all", torn)
    for _ in range(2):
        with pytest.raises(LogWriteError) as caught:
            writer.append([use()])
        assert caught.value.retryable
    writer.close()
    monkeypatch.undo()
    with open_log(tmp_path) as again:
        assert (again.size, again.tally(1).licence_seq) == (1, 1)
        again.append([use(request={"page": "again"})])
    assert LogReader(tmp_path).opening(1)["request"] == {"page": "again"}


def uncommit(folder: Path, keep_bytes: int = 0) -> None:
    """Take the last commit back, as a kill before it was whole leaves the file."""
    path = folder / "commits"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:keep_bytes])


@pytest.mark.parametrize("torn_bytes", [0, 1, 50, 95])
@pytest.mark.parametrize("commit_bytes", [0, 1, 20])
def test_open__receipts_without_a_commit__cut_with_their_request_records(
    tmp_path: Path, torn_bytes: int, commit_bytes: int
) -> None:
    with open_log(tmp_path) as writer:
        for moment in range(3):
            writer.append([use(used_at_ms=moment)])
    uncommit(tmp_path, commit_bytes)
    os.truncate(tmp_path / "receipts.bin", 2 * RECEIPT_BYTES + torn_bytes)
    with open_log(tmp_path) as writer:
        assert (writer.size, writer.tally(1)) == (2, LicenceTally(2, 2, 1))
    assert (tmp_path / "receipts.bin").stat().st_size == 2 * RECEIPT_BYTES
    assert len((tmp_path / "uses" / "1.jsonl").read_text().splitlines()) == 2
    assert (tmp_path / "commits").read_bytes().count(b"\n") == 2


def test_open__committed_receipts_missing__refused(tmp_path: Path) -> None:
    fill(tmp_path, 3, sign=False)
    os.truncate(tmp_path / "receipts.bin", 2 * RECEIPT_BYTES)
    with pytest.raises(LogCorruptError) as caught:
        open_log(tmp_path)
    assert (caught.value.field, caught.value.got, caught.value.expected) == ("size", 2, 3)


@pytest.mark.parametrize("line", [0, 1])
def test_open__altered_commit_before_the_last__refused(tmp_path: Path, line: int) -> None:
    with open_log(tmp_path) as writer:
        for moment in range(3):
            writer.append([use(used_at_ms=moment)])
    path = tmp_path / "commits"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line] = lines[line].replace(b"[[4,", b"[[5,")
    path.write_bytes(b"".join(lines))
    with pytest.raises(LogCorruptError) as caught:
        open_log(tmp_path)
    assert caught.value.field == "commits"


def test_open__half_a_batch__none_of_it_stays(tmp_path: Path) -> None:
    with open_log(tmp_path) as writer:
        writer.append([use()])
        writer.append([use(used_at_ms=2_000), use(2), use(3)])
    uncommit(tmp_path)
    os.truncate(tmp_path / "receipts.bin", 3 * RECEIPT_BYTES)
    with open_log(tmp_path) as writer:
        assert (writer.size, writer.tally(1).licence_seq, writer.tally(2)) == (
            1,
            1,
            LicenceTally(),
        )
    assert (tmp_path / "uses" / "2.jsonl").read_bytes() == b""


@pytest.mark.parametrize(
    "tail", [b'{"licence_seq":4,"req', b"\x00" * 200, b'{"licence_seq":4}\n', b"x" * 70_000]
)
def test_open__request_records_ahead_of_receipts__cut(tmp_path: Path, tail: bytes) -> None:
    long = {"text": "x" * 40_000}
    with open_log(tmp_path) as writer:
        for moment in range(3):
            writer.append([use(used_at_ms=moment, request=long)])
    path = tmp_path / "uses" / "1.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + tail)
    open_log(tmp_path).close()
    assert path.read_bytes() == whole


def test_open__signed_receipts_missing__refused_and_nothing_cut(tmp_path: Path) -> None:
    fill(tmp_path, 9)
    lines = (tmp_path / "uses" / "1.jsonl").read_bytes()
    os.truncate(tmp_path / "receipts.bin", 5 * RECEIPT_BYTES)
    with pytest.raises(LogCorruptError) as caught:
        open_log(tmp_path)
    assert (caught.value.field, caught.value.got) == ("size", 5)
    assert (tmp_path / "receipts.bin").stat().st_size == 5 * RECEIPT_BYTES
    assert (tmp_path / "uses" / "1.jsonl").read_bytes() == lines


def rewrite(folder: Path, index: int, change: Callable[[bytearray], None]) -> None:
    path = folder / "receipts.bin"
    data = bytearray(path.read_bytes())
    record = bytearray(data[index * RECEIPT_BYTES : (index + 1) * RECEIPT_BYTES])
    change(record)
    data[index * RECEIPT_BYTES : (index + 1) * RECEIPT_BYTES] = record
    path.write_bytes(data)


BROKEN = {"format": 0, "licence_seq": 23, "used_at_ms": 31, "units": 47, "cumulative_units": 55}


@pytest.mark.parametrize("field", BROKEN)
def test_open__receipt_breaks_a_rule__named_by_field_and_index(tmp_path: Path, field: str) -> None:
    fill(tmp_path, 9, sign=False)

    def change(record: bytearray) -> None:
        offset = BROKEN[field]
        record[offset] = 9
        if field == "used_at_ms":
            record[24:32] = bytes(8)
        if field == "units":
            record[39] = 1
            record[55] += 8

    rewrite(tmp_path, 4, change)
    with pytest.raises(LogCorruptError) as caught:
        open_log(tmp_path)
    assert (caught.value.field, caught.value.got) == (field, 4)


def test_open__sum_that_wraps_around__refused(tmp_path: Path) -> None:
    with open_log(tmp_path) as writer:
        writer.append([use(units=10)])
        writer.append([use(units=5)])

    def change(record: bytearray) -> None:
        record[40:48] = (2**64 - 8).to_bytes(8, "big")
        record[48:56] = (2).to_bytes(8, "big")

    rewrite(tmp_path, 1, change)
    with pytest.raises(LogCorruptError) as caught:
        open_log(tmp_path)
    assert (caught.value.field, caught.value.got) == ("cumulative_units", 1)


def test_open__altered_commitment__named_by_its_tile(tmp_path: Path) -> None:
    fill(tmp_path, 600)

    def change(record: bytearray) -> None:
        record[95] ^= 1

    rewrite(tmp_path, 300, change)
    with pytest.raises(LogCorruptError, match="first altered one is at 256 or up to 255 behind it"):
        open_log(tmp_path)


def test_checkpoint__nothing_new__the_same_one(tmp_path: Path) -> None:
    with open_log(tmp_path) as writer:
        writer.append([use()])
        first = writer.checkpoint(5_000)
        assert writer.checkpoint(6_000) is first
        note = (tmp_path / "checkpoint").read_text()
        assert note == first.note
    with open_log(tmp_path) as writer:
        assert writer.checkpoint() == first


def test_checkpoint__clock_going_back__refused_then_corrected(tmp_path: Path) -> None:
    future_ms = 9_999_999_999_999
    with open_log(tmp_path) as writer:
        writer.checkpoint(future_ms)
        writer.append([use()])
        with pytest.raises(LogClockError):
            writer.checkpoint(future_ms - 1)
        assert writer.checkpoint().time_ms == future_ms


def test_find_line__number_inside_a_request__not_mistaken(tmp_path: Path) -> None:
    with open_log(tmp_path) as writer:
        writer.append([use(request={"licence_seq": 2, "x": 1})])
        writer.append([use(used_at_ms=2_000)])
    line = find_line(tmp_path / "uses" / "1.jsonl", 2)
    assert line is not None
    assert line["request"] == use(used_at_ms=2_000).request
    assert Receipt.decode((tmp_path / "receipts.bin").read_bytes()[96:]).licence_seq == 2


def test_append__new_licence__key_then_record_then_receipt_become_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    sync, data_sync = os.fsync, os.fdatasync

    def noting(real: Callable[[int], None]) -> Callable[[int], None]:
        def call(descriptor: int) -> None:
            real(descriptor)
            target = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
            synced.append(str(target.relative_to(tmp_path.resolve())))

        return call

    with open_log(tmp_path) as writer:
        monkeypatch.setattr(os, "fsync", noting(sync))
        monkeypatch.setattr(os, "fdatasync", noting(data_sync))
        writer.append([use()])
        acknowledged = list(synced)
        monkeypatch.undo()
    written = ["secrets/1.key.new", "secrets", "uses/1.jsonl", "uses", "receipts.bin"]
    expected = [*written, "commits"]
    assert acknowledged == expected
