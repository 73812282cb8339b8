"""The receipts by column: sealed, resumed, deleted and made again."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.domain.calendar import period_of
from ledger.log.errors import LogBusyError, LogRangeError
from ledger.log.lock import hold_lock
from tests.unit.receipt_story import (
    FIELDS,
    JANUARY_MS,
    columns_of,
    read_all,
    some_uses,
    write_receipts,
)

pytestmark = pytest.mark.unit

COUNT = 47
FILES = [f"0000000000{first}0.parquet" for first in range(4)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A log of 47 receipts: in segments of ten, four are full."""
    write_receipts(tmp_path / "log", some_uses(COUNT))
    return tmp_path / "log"


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "columns").iterdir()}


def plain(rows: list[dict[str, Any]]) -> list[tuple[int, ...]]:
    return sorted((tuple(row[name] for name in FIELDS) for row in rows), key=lambda row: row[1])


def test_seal__full_segments__files_listed_with_their_sums(folder: Path) -> None:
    assert columns_of(folder).seal(COUNT) == 4
    found = files_of(folder)
    assert sorted(found) == sorted([*FILES, "SHA256SUMS", "lock"])
    expected = [f"{hashlib.sha256(found[name]).hexdigest()}  {name}\n" for name in FILES]
    assert found["SHA256SUMS"].decode() == "".join(expected)


@pytest.mark.parametrize("size", [0, 9, 10, 35, 40, 47])
def test_parts__any_size__each_receipt_once(folder: Path, size: int) -> None:
    columns = columns_of(folder)
    columns.seal(COUNT)
    parts = columns.parts(size)
    assert [path.name for path in parts.files] == FILES[: size // 10]
    assert plain(read_all(parts)) == some_uses(COUNT)[:size]


def test_parts__nothing_sealed__read_from_the_receipts(folder: Path) -> None:
    parts = columns_of(folder).parts(COUNT)
    assert parts.files == ()
    assert plain(read_all(parts)) == some_uses(COUNT)


def test_parts__size_beyond_the_log__refused(folder: Path) -> None:
    with pytest.raises(LogRangeError):
        read_all(columns_of(folder).parts(COUNT + 1))
    with pytest.raises(LogRangeError):
        columns_of(folder).seal(COUNT + 10)


def test_seal__receipts_not_committed__left_alone(folder: Path) -> None:
    assert columns_of(folder).seal(29) == 2
    assert sorted(files_of(folder)) == sorted([*FILES[:2], "SHA256SUMS", "lock"])


def test_seal__again__writes_nothing(folder: Path) -> None:
    columns_of(folder).seal(COUNT)
    before = {path.name: path.stat().st_mtime_ns for path in (folder / "columns").iterdir()}
    assert columns_of(folder).seal(COUNT) == 0
    after = {path.name: path.stat().st_mtime_ns for path in (folder / "columns").iterdir()}
    assert after == before


def test_seal__deleted_folder__same_bytes_again(folder: Path) -> None:
    columns_of(folder).seal(COUNT)
    before = files_of(folder)
    shutil.rmtree(folder / "columns")
    columns_of(folder).seal(COUNT)
    assert files_of(folder) == before


@pytest.mark.parametrize("renames", range(8))
def test_seal__stopped_before_any_rename__resumed_to_the_same_bytes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    columns_of(folder).seal(COUNT)
    undisturbed = files_of(folder)
    shutil.rmtree(folder / "columns")
    left = [renames]
    replace: Callable[..., Path] = Path.replace

    def stopping(self: Path, target: Path) -> Path:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", stopping)
        with pytest.raises(KeyboardInterrupt):
            columns_of(folder).seal(COUNT)
    assert plain(read_all(columns_of(folder).parts(COUNT))) == some_uses(COUNT)
    assert columns_of(folder).seal(COUNT) > 0
    assert files_of(folder) == undisturbed


def test_seal__cut_file_and_torn_line__made_again(folder: Path) -> None:
    columns_of(folder).seal(COUNT)
    undisturbed = files_of(folder)
    (folder / "columns" / FILES[1]).write_bytes(undisturbed[FILES[1]][:100])
    sums = undisturbed["SHA256SUMS"]
    (folder / "columns" / "SHA256SUMS").write_bytes(sums[:-9])
    assert plain(read_all(columns_of(folder).parts(COUNT))) == some_uses(COUNT)
    assert columns_of(folder).seal(COUNT) == 2
    assert files_of(folder) == undisturbed


@pytest.mark.parametrize("offset", [0, 400, -1])
def test_parts__one_altered_byte__file_not_read_and_sealed_again(folder: Path, offset: int) -> None:
    columns_of(folder).seal(COUNT)
    undisturbed = files_of(folder)
    data = bytearray(undisturbed[FILES[1]])
    data[offset] ^= 1
    (folder / "columns" / FILES[1]).write_bytes(data)
    parts = columns_of(folder).parts(COUNT)
    assert [path.name for path in parts.files] == [FILES[0], *FILES[2:]]
    assert plain(read_all(parts)) == some_uses(COUNT)
    assert columns_of(folder).seal(COUNT) == 1
    assert files_of(folder) == undisturbed


def test_parts__files_of_another_segment_size__not_counted_twice(folder: Path) -> None:
    columns_of(folder, 5).seal(COUNT)
    assert plain(read_all(columns_of(folder, 10).parts(COUNT))) == some_uses(COUNT)
    columns_of(folder, 10).seal(COUNT)
    assert plain(read_all(columns_of(folder, 10).parts(COUNT))) == some_uses(COUNT)
    assert plain(read_all(columns_of(folder, 5).parts(COUNT))) == some_uses(COUNT)


def test_seal__while_another_seals__typed_error(folder: Path) -> None:
    (folder / "columns").mkdir()
    with hold_lock(folder / "columns" / "lock"), pytest.raises(LogBusyError):
        columns_of(folder).seal(COUNT)


@pytest.mark.parametrize(
    ("used_at_ms", "period_id"),
    [
        (0, 197001),
        (JANUARY_MS - 1, 202512),
        (JANUARY_MS, 202601),
        (253_402_271_999_999, 999912),
        (253_402_272_000_000, 999912),
        (2**64 - 1, 999912),
    ],
)
def test_period__edges__month_in_shanghai(tmp_path: Path, used_at_ms: int, period_id: int) -> None:
    write_receipts(tmp_path, [(1, used_at_ms, 2, 3, 0, 1, 1)])
    [row] = read_all(columns_of(tmp_path).parts(1))
    assert row["period_id"] == period_id
    if used_at_ms < 253_402_272_000_000:
        assert period_of(used_at_ms // 1_000) == period_id
