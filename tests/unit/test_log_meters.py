"""Rows that meters send: which enter, under which numbers, and what a second sending does."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ledger.codec.receipts import RECEIPT_BYTES
from ledger.domain.codes import ReceiptStatus
from ledger.log import meters as meters_module
from ledger.log.admission import RowFault, RowRefusal
from ledger.log.errors import LogMeterGapsError, LogRecordMissingError, LogRowsError
from ledger.log.meters import Meters, ranges_of
from ledger.log.reader import LogReader
from ledger.log.rows import UseRows
from ledger.log.snapshot import read_snapshot, snapshot_members
from ledger.log.values import LicenceTally, MeterRange, Taken
from tests.unit.log_story import open_log, use
from tests.unit.meter_story import batch, line, piece, rows_of, terms

pytestmark = pytest.mark.unit


def refused(answer: Any) -> list[tuple[int, RowFault, str]]:
    assert isinstance(answer, list)
    assert all(isinstance(item, RowRefusal) for item in answer)
    return [(item.row, item.fault, item.field) for item in answer]


def test_append_batches__two_licences__same_receipts_as_one_by_one(tmp_path: Path) -> None:
    lines = [
        line(seq, licence_no=1 + seq % 2, units=seq, used_at_ms=1_000 + seq) for seq in (1, 2, 3)
    ]
    with open_log(tmp_path) as writer:
        [taken] = writer.append_batches([batch(lines)], terms())
        assert taken == Taken(0, 3, 0, (MeterRange(4, 1, 4),))
        assert writer.tally(2) == LicenceTally(2, 4, 1_003)
    found = [receipt.as_dict() for _, receipt in LogReader(tmp_path).receipts()]
    numbers = [(item["licence_seq"], item["cumulative_units"]) for item in found]
    assert numbers == [(1, 1), (1, 2), (2, 4)]
    for item, sent in zip(found, lines, strict=True):
        same = [name for name in sent if name != "meter_seq"]
        assert {name: item[name] for name in same} == {name: sent[name] for name in same}


def test_append_batches__sent_again__adds_nothing(tmp_path: Path) -> None:
    first = [line(seq) for seq in (1, 2, 3)]
    with open_log(tmp_path) as writer:
        writer.append_batches([batch(first)], terms())
        [again] = writer.append_batches([batch(first)], terms())
        [partly] = writer.append_batches([batch([line(3), line(4)])], terms())
    assert (again, partly) == (Taken(3, 0, 3), Taken(3, 1, 1, (MeterRange(4, 4, 5),)))
    with open_log(tmp_path) as writer:
        [after] = writer.append_batches([batch(first)], terms())
        assert (after, writer.size) == (Taken(4, 0, 3), 4)


def test_append_batches__same_batch_twice_in_one_call__taken_once(tmp_path: Path) -> None:
    one, other = [line(1), line(2)], [line(1, meter_no=5)]
    with open_log(tmp_path) as writer:
        answers = writer.append_batches([batch(one), batch(other), batch(one)], terms())
        assert writer.size == 3
    assert [(item.count, item.repeated) for item in answers if isinstance(item, Taken)] == [
        (2, 0),
        (1, 0),
        (0, 2),
    ]


def test_append_batches__one_bad_row__that_batch_only_is_refused(tmp_path: Path) -> None:
    good, bad = [line(1)], [line(1, meter_no=5), line(2, meter_no=5, mode=1)]
    with open_log(tmp_path) as writer:
        answers = writer.append_batches([batch(bad), batch(good)], terms())
        assert refused(answers[0]) == [(1, RowFault.MODE_NOT_GRANTED, "mode")]
        assert answers[1] == Taken(0, 1, 0, (MeterRange(4, 1, 2),))
        [mended] = writer.append_batches([batch([line(1, meter_no=5)])], terms())
        assert (mended, writer.size) == (Taken(1, 1, 0, (MeterRange(5, 1, 2),)), 2)


FAULTS: list[tuple[dict[str, Any], RowFault, Any]] = [
    ({"mode": 0}, RowFault.MODE_UNKNOWN, "a known code"),
    ({"mode": 8}, RowFault.MODE_UNKNOWN, "a known code"),
    ({"mode": 255}, RowFault.MODE_UNKNOWN, "a known code"),
    ({"purpose": 6}, RowFault.PURPOSE_UNKNOWN, "a known code"),
    ({"status": 99, "units": 0}, RowFault.STATUS_UNKNOWN, "a known code"),
    ({"status": 1}, RowFault.UNITS_OF_REFUSAL, 0),
    ({"licence_no": 6}, RowFault.LICENCE_UNKNOWN, "a granted licence"),
    ({"licence_no": 0}, RowFault.LICENCE_UNKNOWN, "a granted licence"),
    ({"licence_no": 2**64 - 1}, RowFault.LICENCE_UNKNOWN, "a granted licence"),
    ({"used_at_ms": 499}, RowFault.OUTSIDE_VALIDITY, [500, 100_000]),
    ({"used_at_ms": 100_000}, RowFault.OUTSIDE_VALIDITY, [500, 100_000]),
    ({"mode": 1}, RowFault.MODE_NOT_GRANTED, [2, 3]),
    ({"purpose": 2}, RowFault.PURPOSE_NOT_GRANTED, 3),
    ({"units": 1_001}, RowFault.QUOTA_EXCEEDED, 1_000),
    ({"units": 2**64 - 1}, RowFault.QUOTA_EXCEEDED, 1_000),
]


@pytest.mark.parametrize(("changes", "fault", "expected"), FAULTS)
def test_append_batches__each_fault__named_and_nothing_enters(
    tmp_path: Path, changes: dict[str, Any], fault: RowFault, expected: Any
) -> None:
    with open_log(tmp_path) as writer:
        [answer] = writer.append_batches([batch([line(1, **changes)])], terms())
        assert isinstance(answer, list)
        [refusal] = answer
        assert (refusal.fault, refusal.expected) == (fault, expected)
        assert refusal.got == line(1, **changes)[refusal.field]
        assert (writer.size, list(Path(tmp_path / "commits").read_bytes())) == (0, [])


def test_append_batches__dated_inside_a_lifted_suspension__refused(tmp_path: Path) -> None:
    moments = [1_999, 2_000, 2_999, 3_000]
    rows = [line(seq, used_at_ms=moment) for seq, moment in enumerate(moments, 1)]
    other = line(5, licence_no=2, used_at_ms=2_500)
    granted = terms(pauses=[(1, 2_000, 3_000), (1, 50_000, 60_000), (9, 0, 10**6)])
    with open_log(tmp_path) as writer:
        [answer] = writer.append_batches([batch([*rows, other])], granted)
        suspended = RowFault.LICENCE_SUSPENDED
        assert refused(answer) == [(1, suspended, "used_at_ms"), (2, suspended, "used_at_ms")]
        [refusal, _] = answer
        assert refusal.expected == ["outside 2000 … 3000", "outside 50000 … 60000"]


def test_piece__of_a_meter_that_is_not_its_own__malformed() -> None:
    rows = [line(1, meter_no=4), line(2, meter_no=1), line(3, meter_no=4)]
    found = piece(rows, first=10).of_meters_from(2)
    assert (found.row_count, found.places.tolist(), found.seqs.tolist()) == (3, [10, 12], [1, 3])
    [refusal] = found.malformed
    assert (refusal.row, refusal.field, refusal.got) == (11, "meter_no", 1)


def test_append_batches__clock_back_within_and_after__refused(tmp_path: Path) -> None:
    with open_log(tmp_path) as writer:
        writer.append_batches([batch([line(1, used_at_ms=2_000)])], terms())
        [answer] = writer.append_batches(
            [
                batch(
                    [
                        line(2, used_at_ms=1_999),
                        line(3, used_at_ms=3_000),
                        line(4, used_at_ms=2_500),
                    ]
                )
            ],
            terms(),
        )
    assert refused(answer) == [
        (0, RowFault.CLOCK_BACK, "used_at_ms"),
        (2, RowFault.CLOCK_BACK, "used_at_ms"),
    ]


def test_append_batches__refusals_of_an_expired_licence__enter(
    tmp_path: Path,
) -> None:
    late = line(1, used_at_ms=200_000, status=int(ReceiptStatus.EXPIRED), units=0, mode=1)
    with open_log(tmp_path) as writer:
        [taken] = writer.append_batches([batch([late])], terms())
    assert taken == Taken(0, 1, 0, (MeterRange(4, 1, 2),))


def test_append_batches__beside_uses_of_the_gateway__one_numbering(tmp_path: Path) -> None:
    with open_log(tmp_path) as writer:
        writer.append([use(1, 600), use(1, 700)])
        writer.append_batches([batch([line(7, used_at_ms=800)])], terms())
        [appended] = writer.append([use(1, 900)])
        assert (appended.index, appended.receipt.licence_seq) == (3, 4)
    reader = LogReader(tmp_path)
    assert reader.opening(3)["request"]["page"] == 900
    with pytest.raises(LogRecordMissingError):
        reader.opening(2)
    with open_log(tmp_path) as writer:
        [again] = writer.append_batches([batch([line(7)])], terms())
    assert isinstance(again, Taken)
    assert again.repeated == 1


def test_decode__receipts_without_numbers__the_rows(tmp_path: Path) -> None:
    lines = [line(1, units=3), line(2, licence_no=2**40, records=2**60)]
    data = rows_of(lines).encode(np.zeros(2, np.uint64), np.zeros(2, np.uint64))
    back = UseRows.decode(data)
    assert back.encode(np.array([1, 1], np.uint64), np.array([3, 1], np.uint64)) == rows_of(
        lines
    ).encode(np.array([1, 1], np.uint64), np.array([3, 1], np.uint64))
    assert len(UseRows.decode(b"")) == 0


@pytest.mark.parametrize(("offset", "field"), [(0, "format"), (23, "licence_seq"), (55, "cumul")])
def test_decode__numbered_or_of_another_format__refused(offset: int, field: str) -> None:
    data = rows_of([line(1), line(2)]).encode(np.zeros(2, np.uint64), np.zeros(2, np.uint64))
    data[RECEIPT_BYTES + offset] = 7
    with pytest.raises(LogRowsError, match=f"{field}.* of row 1"):
        UseRows.decode(data)
    with pytest.raises(LogRowsError, match="length"):
        UseRows.decode(data[:-1])


def test_meters__any_order_of_ranges__the_same_as_a_set() -> None:
    parts = [(1, 4), (8, 9), (4, 8), (20, 30), (9, 12)]
    for order in itertools.permutations(parts):
        meters = Meters()
        taken: set[int] = set()
        for first, end in order:
            meters.take([MeterRange(3, first, end)])
            taken |= set(range(first, end))
            numbers = np.arange(1, 40, dtype=np.uint64)
            assert [n for n in range(1, 40) if meters.are_taken(3, numbers)[n - 1]] == sorted(taken)
            assert meters.next_seq(3) == max(taken) + 1
        assert list(meters) == [MeterRange(3, 1, 12), MeterRange(3, 20, 30)]
    assert Meters().next_seq(9) == 1


def test_meters__too_many_gaps__refused_and_nothing_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meters_module, "RANGES_MAX", 3)
    meters = Meters(ranges_of(1, np.array([1, 3, 5], np.uint64)))
    with pytest.raises(LogMeterGapsError) as caught:
        meters.take([MeterRange(2, 1, 2), MeterRange(1, 7, 8)])
    assert (caught.value.got, list(meters)) == (4, ranges_of(1, np.array([1, 3, 5], np.uint64)))
    meters.take([MeterRange(1, 2, 3), MeterRange(1, 7, 8)])
    assert len(list(meters)) == 3


def test_open__with_a_snapshot__same_books_as_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.log.snapshot.SNAPSHOT_RECEIPTS", 3)
    with open_log(tmp_path) as writer:
        for seq in range(1, 9):
            writer.append([use(2**60, seq, units=2**60)])
            writer.append_batches([batch([line(2 * seq, used_at_ms=500 + seq)])], terms())
        expected = (writer.tally(1), writer.tally(2**60), writer.size)
    layout = LogReader(tmp_path)._layout
    kept = read_snapshot(layout)
    assert 0 < kept.size < 17
    with open_log(tmp_path) as writer:
        assert (writer.tally(1), writer.tally(2**60), writer.size) == expected
        members = snapshot_members(writer._books())
    layout.snapshot.unlink()
    with open_log(tmp_path) as writer:
        assert snapshot_members(writer._books()) == members
