"""Measured quality: real files as they come, the counts on them, the scores from the counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from typer.testing import CliRunner

from ledger.app.quality import Measured, measure_file
from ledger.cli.main import app
from ledger.domain.codes import QualityGrade, UpdateFrequency
from ledger.domain.errors import LedgerError
from ledger.domain.quality import Score, Share, grade_of, timeliness

pytestmark = pytest.mark.unit
NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)
DAY = 86_400
RECORD = {
    "fields": [
        {"name": "day", "type": "date", "is_key": True},
        {"name": "city", "type": "text", "length": 4},
        {"name": "value", "type": "decimal"},
    ],
    "update_frequency": "daily",
}
GOOD = "day,city,value\n2026-11-24,南京,1.5\n2026-11-23,芜湖,2\n"


def measured(
    folder: Path, content: str | bytes, record: Any = None, name: str = "f.csv"
) -> Measured:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return measure_file(path, record, NOW)


def refused(folder: Path, content: bytes, name: str = "f.csv", record: Any = None) -> LedgerError:
    with pytest.raises(LedgerError) as caught:
        measured(folder, content, record, name)
    return caught.value


def test_profile__sound_file__six_whole_scores(tmp_path: Path) -> None:
    found = measured(tmp_path, GOOD, RECORD)
    assert found.quality_scores == dict.fromkeys(found.quality_scores, 100)
    assert len(found.quality_scores) == 6
    assert (found.grade, found.profile.rows, found.profile.refused) == (QualityGrade.A, 2, {})


@pytest.mark.parametrize(
    ("encoding", "told", "score"),
    [
        ("utf-8", "utf-8", 100),
        ("utf-8-sig", "utf-8", 100),
        ("gbk", "gb18030", 80),
        ("gb18030", "gb18030", 80),
        ("utf-16", "utf-16", 80),
    ],
)
def test_profile__encodings__same_counts(
    tmp_path: Path, encoding: str, told: str, score: int
) -> None:
    found = measured(tmp_path, GOOD.encode(encoding), RECORD)
    assert (found.profile.encoding, found.quality_scores["accessibility"]) == (told, score)
    assert [column.name for column in found.profile.columns] == ["day", "city", "value"]
    assert [column.valid for column in found.profile.columns] == [2, 2, 2]


def test_profile__rare_characters_of_gb18030__read(tmp_path: Path) -> None:
    found = measured(tmp_path, "名\n𠮷\n㐀\n".encode("gb18030"))
    assert (found.profile.rows, found.profile.encoding) == (2, "gb18030")


def test_profile__ragged_rows__counted_with_reason(tmp_path: Path) -> None:
    found = measured(tmp_path, GOOD + "2026-11-22,南京,3,too,many\n2026-11-21\n", RECORD)
    assert found.profile.rows == 2
    assert found.profile.refused == {"missing columns": 1, "too many columns": 1}
    assert found.quality_scores["normativity"] == 50


def test_profile__faults__each_lowers_its_own_score(tmp_path: Path) -> None:
    rows = ["2026-11-24,南京,1", "2026-11-24,马鞍山市区,x", "2026-11-20,,1", "2027-01-01,无,1"]
    found = measured(tmp_path, "day,city,value\n" + "\n".join(rows) + "\n", RECORD)
    scores = found.quality_scores
    assert scores["completeness"] == 11 * 100 // 12
    # A city longer than declared, a value that is no number.
    assert scores["normativity"] == 9 * 100 // 11
    # A day in the future, a word that stands for nothing.
    assert scores["accuracy"] == 9 * 100 // 11
    assert scores["consistency"] == 75
    assert found.profile.distinct_keys == 3


def test_profile__record_and_file_differ__fields_told(tmp_path: Path) -> None:
    found = measured(tmp_path, "day,colour\n2026-11-24,red\n", RECORD)
    assert (found.missing, found.unlisted) == (("city", "value"), ("colour",))
    assert found.quality_scores["completeness"] == 50
    assert found.quality_scores["consistency"] == 1 * 100 // 4


def test_profile__same_row_again__less_consistent(tmp_path: Path) -> None:
    assert measured(tmp_path, "a,b\n1,2\n1,2\n1,3\n").quality_scores["consistency"] == 66


@pytest.mark.parametrize("content", ["", "\n", "day,city,value\n", "day,city,value"])
def test_profile__empty_file__zero_and_lowest_grade(tmp_path: Path, content: str) -> None:
    found = measured(tmp_path, content, RECORD)
    assert (found.profile.rows, found.grade) == (0, QualityGrade.E)
    assert found.quality_scores["completeness"] == 0


def test_profile__huge_field__read_up_to_the_limit(tmp_path: Path) -> None:
    found = measured(tmp_path, f'a,b\n"{"字" * 2_000_000}",1\n2,3\n')
    assert found.profile.rows == 2
    assert found.profile.columns[0].length_max == 2_000_000
    found = measured(tmp_path, f'a,b\n"{"x" * (17 << 20)}",1\n2,3\n')
    assert sum(found.profile.refused.values()) >= 1


def test_profile__quoted_breaks_and_delimiters__one_value(tmp_path: Path) -> None:
    found = measured(tmp_path, 'a;b\n"x\ny;z";1\n"say ""so""";2\n')
    assert (found.profile.rows, found.profile.columns[1].kind.value) == (2, "integer")


def test_profile__names_that_are_sql__are_only_names(tmp_path: Path) -> None:
    found = measured(tmp_path, '"a\'; DROP TABLE x; --",c0,c0\n1,2,3\n')
    assert found.profile.columns[0].name == "a'; DROP TABLE x; --"
    assert found.quality_scores["accessibility"] == 66


def test_profile__parquet__counted_by_value(tmp_path: Path) -> None:
    table = pa.table(
        {
            "day": pa.array([datetime(2026, 11, 24), None]),
            "value": pa.array([1.5, 2.5]),
            "tags": pa.array([["a"], ["b", "c"]]),
        }
    )
    path = tmp_path / "f.parquet"
    pq.write_table(table, path)
    found = measure_file(path, None, NOW)
    assert [column.filled for column in found.profile.columns] == [1, 2, 2]
    assert [column.kind.value for column in found.profile.columns] == [
        "datetime",
        "decimal",
        "text",
    ]


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"\x80\x81\xff\xff", "f.csv", "quality.encoding_unknown"),
        (b"\xef\xbb\xbfa\n\xff\n", "f.csv", "quality.encoding_unknown"),
        (b"a," * 1_001 + b"\n", "f.csv", "quality.header"),
        (b"PAR1 no parquet at all PAR1", "f.parquet", "quality.file_unreadable"),
        (b"", "f.parquet", "quality.file_unreadable"),
    ],
)
def test_profile__malformed__typed_error(
    tmp_path: Path, content: bytes, name: str, code: str
) -> None:
    assert refused(tmp_path, content, name).code == code


def test_profile__absent_file_or_bad_record__typed_error(tmp_path: Path) -> None:
    with pytest.raises(LedgerError) as caught:
        measure_file(tmp_path / "absent.csv")
    assert caught.value.code == "quality.file_unreadable"
    for record in ([], {"fields": [1]}, {"update_frequency": "fortnightly"}):
        assert refused(tmp_path, GOOD.encode(), record=record).code.startswith("domain.")


@pytest.mark.parametrize(
    ("age_days", "frequency", "score"),
    [
        (1, UpdateFrequency.DAILY, 100),
        (2, UpdateFrequency.DAILY, 66),
        (4, UpdateFrequency.DAILY, 0),
        (-1, UpdateFrequency.DAILY, 100),
        (31, UpdateFrequency.MONTHLY, 100),
        (400, UpdateFrequency.STATIC, 100),
    ],
)
def test_timeliness__late_periods__fall_to_nothing(
    age_days: int, frequency: UpdateFrequency, score: int
) -> None:
    assert timeliness(age_days * DAY, frequency).score == score


def test_timeliness__no_date__nothing_shown() -> None:
    assert timeliness(None, UpdateFrequency.DAILY).score == 0


def test_score__several_shares__smallest_with_its_arithmetic() -> None:
    score = Score("accuracy", (Share("good", 2, 3), Share("lines", 1, 1), Share("none", 0, 0)))
    assert score.value == 0
    assert score.arithmetic == ("good 2 of 3 = 66; lines 1 of 1 = 100; none 0 of 0 = 0; smallest 0")


def test_grade__mean_of_scores__by_floor() -> None:
    grades = [grade_of([score]).name for score in (100, 90, 89, 80, 79, 60, 59, 0)]
    assert grades == ["A", "A", "B", "B", "C", "D", "E", "E"]


def test_command__propose__fills_the_record(tmp_path: Path) -> None:
    file, record, proposed = tmp_path / "f.csv", tmp_path / "r.json", tmp_path / "p.json"
    file.write_text(GOOD, "utf-8")
    record.write_text(json.dumps(RECORD), "utf-8")
    words = ["quality", str(file), "--record", str(record), "--propose", str(proposed)]
    answer = CliRunner().invoke(app, words)
    assert answer.exit_code == 0
    assert "规范性" in answer.stdout
    filled = json.loads(proposed.read_text("utf-8"))
    assert set(filled["quality_scores"]) == {
        "normativity", "completeness", "accuracy", "consistency", "timeliness", "accessibility",
    }  # fmt: skip
    plain = CliRunner().invoke(app, [*words[:2], "--json"])
    assert "timeliness" not in json.loads(plain.stdout)["quality_scores"]
    alone = CliRunner().invoke(app, [*words[:2], "--propose", str(proposed), "--json"])
    assert json.loads(alone.stdout)["error"]["field"] == "propose"
