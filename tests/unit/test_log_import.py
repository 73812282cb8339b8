"""Meters' files: every form read the same, bad rows told, all or nothing, twice as once."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.log.admission import LicenceTerms, RowFault, RowRefusal
from ledger.log.bulk import Imported
from ledger.log.errors import LogRowsError, LogWriteError
from ledger.log.meter_files import NAMES, WIDTHS, Piece, open_meter_file
from ledger.log.proofs import check_proof, make_proof
from ledger.log.reader import LogReader
from ledger.log.writer import LogWriter
from tests.unit.log_story import open_log, use
from tests.unit.meter_story import batch, line, piece, terms

pytestmark = pytest.mark.unit

LINES = [line(seq, licence_no=1 + seq % 3, used_at_ms=1_000 + seq) for seq in range(1, 701)]
BAD = [
    (3, "{", RowFault.MALFORMED, "row"),
    (5, line(6, units=-1), RowFault.MALFORMED, "units"),
    (6, line(7, records=2**64), RowFault.MALFORMED, "records"),
    (7, line(8, mode=True), RowFault.MALFORMED, "row"),
    (8, line(9, units=1.5), RowFault.MALFORMED, "row"),
    (9, line(10) | {"extra": 1}, RowFault.MALFORMED, "row"),
    (10, line(11, commitment="0x12"), RowFault.MALFORMED, "commitment"),
    (11, line(0), RowFault.MALFORMED, "meter_seq"),
    (12, line(2**53), RowFault.MALFORMED, "meter_seq"),
    (13, line(14, licence_no=9), RowFault.LICENCE_UNKNOWN, "licence_no"),
    (14, line(15, used_at_ms=1), RowFault.OUTSIDE_VALIDITY, "used_at_ms"),
    (15, line(16, mode=1), RowFault.MODE_NOT_GRANTED, "mode"),
    (16, line(17, purpose=2), RowFault.PURPOSE_NOT_GRANTED, "purpose"),
    (17, line(18, units=5_000), RowFault.QUOTA_EXCEEDED, "units"),
    (18, line(19, used_at_ms=999), RowFault.CLOCK_BACK, "used_at_ms"),
]


def table_of(lines: list[dict[str, Any]]) -> pa.Table:
    kinds = {name: pa.from_numpy_dtype(width) for name, width in WIDTHS.items()}
    columns = {name: pa.array([item[name] for item in lines], kinds[name]) for name in WIDTHS}
    words = [bytes.fromhex(item["commitment"][2:]) for item in lines]
    return pa.table(columns | {"commitment": pa.array(words, pa.binary(32))})


def json_lines(lines: list[Any]) -> bytes:
    texts = [item if isinstance(item, str) else json.dumps(item) for item in lines]
    return "\n".join(texts).encode()


def write(path: Path, form: str, lines: list[dict[str, Any]]) -> Path:
    table = table_of(lines)
    if form == "parquet":
        pq.write_table(table, path, row_group_size=100)
    elif form == "arrow":
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=100)
    elif form == "gzip":
        path.write_bytes(gzip.compress(json_lines(lines) + b"\n"))
    elif form == "zstd":
        path.write_bytes(pa.Codec("zstd").compress(json_lines(lines), asbytes=True))
    else:
        path.write_bytes(json_lines(lines))
    return path


FORMS = ["parquet", "arrow", "gzip", "zstd", "lines"]


class Told:
    """What an import says while it goes on."""

    def __init__(self) -> None:
        self.refusals: list[RowRefusal] = []
        self.rows: list[int] = []


def bring(
    writer: LogWriter, path: Path, told: Told | None = None, granted: LicenceTerms | None = None
) -> Imported:
    told = told or Told()
    with open_meter_file(path) as (_, pieces):
        return writer.append_pieces(
            pieces, granted or terms(), told.refusals.extend, told.rows.append
        )


@pytest.mark.parametrize("form", FORMS)
def test_import__every_form__same_receipts_as_a_batch(tmp_path: Path, form: str) -> None:
    with open_log(tmp_path / "batch") as writer:
        writer.append_batches([batch(LINES)], terms())
        root = writer.checkpoint(9_000).root
    told = Told()
    with open_log(tmp_path / "file") as writer:
        found = bring(writer, write(tmp_path / "uses", form, LINES), told)
    assert found == Imported(rows=700, taken=700, repeated=0, refused=0, size=700)
    assert told.rows[-1] == 700
    receipts = [(tmp_path / name / "receipts.bin").read_bytes() for name in ("batch", "file")]
    assert receipts[0] == receipts[1]
    reader = LogReader(tmp_path / "file")
    signed = reader.checkpoint()
    assert signed is not None
    assert (signed.size, signed.root) == (700, root)
    assert check_proof(make_proof(reader, 333), reader.vkey()) == []


@pytest.mark.parametrize("form", FORMS)
def test_import__twice_and_after_reopening__adds_nothing(tmp_path: Path, form: str) -> None:
    path = write(tmp_path / "uses", form, LINES)
    with open_log(tmp_path / "log") as writer:
        bring(writer, path)
        before = (tmp_path / "log/receipts.bin").read_bytes()
        assert bring(writer, path) == Imported(700, 0, 700, 0, 700)
    with open_log(tmp_path / "log") as writer:
        assert bring(writer, path) == Imported(700, 0, 700, 0, 700)
    assert (tmp_path / "log/receipts.bin").read_bytes() == before
    assert (tmp_path / "log/commits").read_bytes().count(b"\n") == 1


def test_import__bad_rows__told_by_place_and_good_ones_enter(tmp_path: Path) -> None:
    lines: list[Any] = [line(seq) for seq in range(1, 21)]
    for place, row, _, _ in BAD:
        lines[place] = row
    path = tmp_path / "uses.ndjson"
    path.write_bytes(json_lines(lines))
    told = Told()
    with open_log(tmp_path / "log") as writer:
        found = bring(writer, path, told)
        assert found == Imported(20, 5, 0, 15, 5)
        assert [(r.row, r.fault, r.field) for r in told.refusals] == [
            (place, fault, field) for place, _, fault, field in BAD
        ]
        mended = write(tmp_path / "mended", "lines", [line(seq) for seq in range(1, 21)])
        assert bring(writer, mended) == Imported(20, 15, 5, 0, 20)
        assert bring(writer, path).taken == 0


def test_import__repeated_member__named(tmp_path: Path) -> None:
    text = json.dumps(line(1))
    path = tmp_path / "uses.ndjson"
    path.write_text(f'{text[:-1]}, "units": 9}}\n')
    told = Told()
    with open_log(tmp_path / "log") as writer:
        assert bring(writer, path, told).taken == 0
    [refusal] = told.refusals
    assert (refusal.fault, refusal.got) == (RowFault.MALFORMED, "a repeated member")


def test_import__nulls_and_wide_integers_in_columns__named(tmp_path: Path) -> None:
    lines = [line(seq) for seq in range(1, 6)]
    table = table_of(lines)
    columns = {name: table[name].to_pylist() for name in NAMES}
    columns["units"][1] = None
    columns["mode"][2] = 300
    columns["meter_no"][3] = -1
    columns["commitment"][4] = None
    kinds = {name: pa.int64() for name in WIDTHS} | {"commitment": pa.binary(32)}
    path = tmp_path / "uses.parquet"
    pq.write_table(pa.table({n: pa.array(v, kinds[n]) for n, v in columns.items()}), path)
    told = Told()
    with open_log(tmp_path / "log") as writer:
        assert bring(writer, path, told).taken == 1
    assert [(item.row, item.field, item.got) for item in told.refusals] == [
        (1, "units", None),
        (2, "mode", 300),
        (3, "meter_no", -1),
        (4, "commitment", None),
    ]


def test_import__commitments_of_any_length__only_whole_ones(tmp_path: Path) -> None:
    table = table_of([line(1), line(2), line(3)])
    values = [bytes(32), bytes(31), b""]
    table = table.set_column(10, "commitment", pa.array(values, pa.binary()))
    pq.write_table(table, tmp_path / "uses")
    told = Told()
    with open_log(tmp_path / "log") as writer:
        assert bring(writer, tmp_path / "uses", told).taken == 1
    assert [(item.row, item.got) for item in told.refusals] == [(1, "31 bytes"), (2, "0 bytes")]


@pytest.mark.parametrize("column", NAMES)
@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_import__column_missing_or_of_another_type__refused_whole(
    tmp_path: Path, column: str, form: str
) -> None:
    table = table_of([line(1)])
    place = table.schema.get_field_index(column)
    for number, changed in enumerate(
        [table.drop_columns([column]), table.set_column(place, column, pa.array(["1"]))]
    ):
        path = tmp_path / f"{number}"
        if form == "parquet":
            pq.write_table(changed, path)
        else:
            with pa.ipc.new_file(path, changed.schema) as stream:
                stream.write_table(changed)
        with open_log(tmp_path / f"log{number}") as writer:
            with pytest.raises(LogRowsError) as caught:
                bring(writer, path)
            assert (caught.value.field, writer.size) == (column, 0)


@pytest.mark.parametrize(
    "data",
    [b"PAR1 and no more", b"ARROW1 and no more", b"\x1f\x8b\x08 torn", b"\x28\xb5\x2f\xfdtorn"],
)
def test_import__unreadable_file__refused_whole(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "uses"
    path.write_bytes(data)
    with open_log(tmp_path / "log") as writer, pytest.raises(LogRowsError):
        bring(writer, path)
    with open_log(tmp_path / "log") as writer:
        assert writer.size == 0


def test_import__no_such_file__typed_error(tmp_path: Path) -> None:
    with pytest.raises(LogRowsError), open_meter_file(tmp_path / "none"):
        pass


def test_import__empty_file__nothing_happens(tmp_path: Path) -> None:
    (tmp_path / "uses").write_bytes(b"")
    with open_log(tmp_path / "log") as writer:
        assert bring(writer, tmp_path / "uses") == Imported()
        assert bring(writer, write(tmp_path / "none", "parquet", [])) == Imported()


def test_import__fails_half_way__nothing_entered_and_the_log_opens_again(tmp_path: Path) -> None:
    def breaks() -> Iterator[Piece]:
        yield piece(LINES[:300])
        raise LogRowsError("torn", field="file")

    writer = open_log(tmp_path)
    writer.append([use(1, 600, meter_no=1)])
    with pytest.raises(LogRowsError):
        writer.append_pieces(breaks(), terms(), lambda refusals: None, lambda rows: None)
    with pytest.raises(LogWriteError):
        writer.append([use(1, 700, meter_no=1)])
    writer.close()
    with open_log(tmp_path) as again:
        assert (again.size, again.tally(2).licence_seq) == (1, 0)
        again.append_pieces(iter([piece(LINES)]), terms(), lambda refusals: None, lambda rows: None)
        assert again.size == 701
    assert LogReader(tmp_path).tallies()[1].licence_seq == 234


def test_import__rows_of_several_meters_out_of_order_with_doubles__each_once(
    tmp_path: Path,
) -> None:
    seqs = [(4, 3), (5, 1), (4, 1), (5, 1), (4, 3), (4, 2)]
    lines = [line(seq, meter_no=meter_no) for meter_no, seq in seqs]
    with open_log(tmp_path / "log") as writer:
        assert bring(writer, write(tmp_path / "uses", "lines", lines)) == Imported(6, 4, 2, 0, 4)
        meters = [(item.meter_no, item.first_seq, item.end_seq) for item in writer._stage.meters]
    assert sorted(meters) == [(4, 1, 4), (5, 1, 2)]
