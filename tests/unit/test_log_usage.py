"""Use summed: exact, narrowed, by plain SQL, from the named files only."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ledger.domain.errors import UnknownCodeError
from ledger.log.errors import LogUsageError
from ledger.log.usage import (
    Dimension,
    LicenceFacts,
    UsageFilter,
    UsageQuery,
    UsageRow,
    _Engine,
    parse_dimensions,
    sum_usage,
    usage_query,
)
from tests.unit.receipt_story import (
    JANUARY_MS,
    columns_of,
    read_all,
    some_uses,
    write_receipts,
)

pytestmark = pytest.mark.unit

COUNT = 47
LICENCES = [
    LicenceFacts(1, "rain", "bank", 320100),
    LicenceFacts(2, "rain", "insurer", 320100),
    LicenceFacts(3, "roads", "bank", 341100),
]
LINEAGE = [("rain", "gauges"), ("rain", "radar"), ("roads", "radar")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 47 receipts, two of its four full segments sealed."""
    path = tmp_path_factory.mktemp("log")
    write_receipts(path, some_uses(COUNT))
    columns_of(path).seal(20)
    return path


def summed(folder: Path, by: str, size: int = COUNT, **narrowed: Any) -> list[UsageRow]:
    return sum_usage(
        [columns_of(folder).parts(size)],
        by=parse_dimensions(by.split(",") if by else []),
        wanted=UsageFilter(**narrowed),
        licences=LICENCES,
        lineage=LINEAGE,
    )


def by_key(rows: list[UsageRow]) -> dict[tuple[Any, ...], int]:
    return {row.key: row.units for row in rows}


def test_usage__by_nothing__one_row_for_all(folder: Path) -> None:
    uses = some_uses(COUNT)
    [row] = summed(folder, "")
    assert row == UsageRow(
        key=(),
        receipts=COUNT,
        refusals=sum(use[4] != 0 for use in uses),
        units=sum(use[5] for use in uses),
        records=sum(use[6] for use in uses),
        first_used_at_ms=uses[0][1],
        last_used_at_ms=uses[-1][1],
    )


def test_usage__of_no_receipts__zeros(folder: Path) -> None:
    assert summed(folder, "", size=0) == [UsageRow((), 0, 0, 0, 0, None, None)]
    assert summed(folder, "licence", size=0) == []


@pytest.mark.parametrize("segments", [0, 1, 2])
@pytest.mark.parametrize("units", [2**62, 2**64 - 1])
def test_usage__sums_beyond_64_bits__exact(tmp_path: Path, segments: int, units: int) -> None:
    write_receipts(tmp_path, [(1, JANUARY_MS, 2, 3, 0, units, units)] * 4)
    columns_of(tmp_path, 2).seal(2 * segments)
    for by in ("", "licence", "product,month", "dataset"):
        for row in sum_usage(
            [columns_of(tmp_path, 2).parts(4)],
            by=parse_dimensions(by.split(",") if by else []),
            wanted=UsageFilter(),
            licences=LICENCES,
            lineage=LINEAGE,
        ):
            assert (row.units, row.records) == (4 * units, 4 * units)


def test_usage__of_two_logs__added_up(folder: Path, tmp_path: Path) -> None:
    write_receipts(tmp_path, some_uses(11))
    rows = sum_usage(
        [columns_of(folder).parts(COUNT), columns_of(tmp_path).parts(11)],
        by=[Dimension.LICENCE],
        wanted=UsageFilter(),
        licences=LICENCES,
        lineage=LINEAGE,
    )
    assert sum(row.units for row in rows) == sum(use[5] for use in some_uses(COUNT)) + sum(
        use[5] for use in some_uses(11)
    )


def test_usage__by_dataset__counts_for_each_of_the_lineage(folder: Path) -> None:
    products = by_key(summed(folder, "product"))
    assert by_key(summed(folder, "dataset")) == {
        ("gauges",): products["rain",],
        ("radar",): products["rain",] + products["roads",],
    }


def test_usage__narrowed__only_what_was_asked(folder: Path) -> None:
    uses = some_uses(COUNT)
    january = sum(use[5] for use in uses if use[1] < JANUARY_MS + 31 * 24 * 3_600_000)
    later = sum(use[5] for use in uses) - january
    assert by_key(summed(folder, "", period_to=202601)) == {(): january}
    assert by_key(summed(folder, "", period_from=202602)) == {(): later}
    by_licence = by_key(summed(folder, "licence"))
    assert by_key(summed(folder, "licence", licence_no=2)) == {(2,): by_licence[2,]}
    assert by_key(summed(folder, "licence", product_id="roads")) == {(3,): by_licence[3,]}
    assert by_key(summed(folder, "licence", buyer_id="bank", product_id="rain")) == {
        (1,): by_licence[1,]
    }


def test_usage__licence_of_nobody__shown_unless_only_known_ones_are_wanted(tmp_path: Path) -> None:
    write_receipts(tmp_path, [(9, JANUARY_MS, 2, 3, 0, 5, 5), (1, JANUARY_MS, 2, 3, 0, 7, 7)])
    assert by_key(summed(tmp_path, "product", 2)) == {("rain",): 7, (None,): 5}
    assert by_key(summed(tmp_path, "licence", 2, is_known_only=True)) == {(1,): 7}
    assert by_key(summed(tmp_path, "", 2, is_known_only=True, licence_no=9)) == {(): 0}


def test_dimensions__of_no_such_name__typed_error() -> None:
    assert parse_dimensions(["month", "City", "month"]) == (Dimension.MONTH, Dimension.CITY)
    with pytest.raises(UnknownCodeError) as caught:
        parse_dimensions(["weekday"])
    assert caught.value.field == "by"


@pytest.mark.parametrize("by", ["", "licence,month", "dataset,buyer", "city,purpose,mode,product"])
def test_query__its_text__means_the_same_to_another_engine(folder: Path, by: str) -> None:
    database = sqlite3.connect(":memory:")
    rows = read_all(columns_of(folder).parts(COUNT))
    names = list(rows[0])
    database.execute(f"CREATE TABLE receipts ({', '.join(names)})")
    marks = ", ".join("?" * len(names))
    database.executemany(
        f"INSERT INTO receipts VALUES ({marks})", [tuple(row.values()) for row in rows]
    )
    database.execute("CREATE TABLE licences (licence_no, product_id, buyer_id, city_code)")
    database.executemany(
        "INSERT INTO licences VALUES (?, ?, ?, ?)",
        [(one.licence_no, one.product_id, one.buyer_id, one.city_code) for one in LICENCES],
    )
    database.execute("CREATE TABLE lineage (product_id, dataset_id)")
    database.executemany("INSERT INTO lineage VALUES (?, ?)", LINEAGE)
    narrowed = {"period_from": 202601, "buyer_id": "bank"}
    query = usage_query(
        parse_dimensions(by.split(",") if by else []),
        UsageFilter(**narrowed),  # type: ignore[arg-type]
    )
    found = database.execute(query.text, query.values).fetchall()
    expected = summed(folder, by, **narrowed)
    assert sorted(found) == [
        (
            *row.key,
            row.receipts,
            row.refusals,
            row.units,
            row.records,
            row.first_used_at_ms,
            row.last_used_at_ms,
        )
        for row in expected
    ]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY (SELECT 1) TO '/tmp/usage.csv'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '20GB'",
    ],
)
def test_engine__doors_to_the_outside__all_shut(folder: Path, text: str) -> None:
    with _Engine([columns_of(folder).parts(COUNT)]) as engine:
        with pytest.raises(LogUsageError):
            engine.answer(UsageQuery(text, ()))
        [(threads, memory)] = engine.answer(
            UsageQuery("SELECT current_setting('threads'), current_setting('memory_limit')", ())
        )
    assert (threads, memory) == (2, "1.5 GiB")


def test_usage__file_gone_meanwhile__typed_error(tmp_path: Path) -> None:
    write_receipts(tmp_path, some_uses(20))
    columns_of(tmp_path).seal(20)
    parts = columns_of(tmp_path).parts(20)
    parts.files[1].unlink()
    with pytest.raises(LogUsageError):
        sum_usage([parts], by=[], wanted=UsageFilter(), licences=LICENCES, lineage=LINEAGE)
