"""Measured quality of a file: its profile, six proposed scores with their arithmetic, a grade.

Nothing is sent, no market is needed. What a file cannot show (whether a value is true) is not
scored: accuracy counts values that cannot be right, and an inspector decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ledger.domain.calendar import CHINA
from ledger.domain.catalogue_lists import QUALITY_DIMENSIONS
from ledger.domain.codes import QualityGrade, UpdateFrequency, parse_code
from ledger.domain.errors import MalformedValueError
from ledger.domain.quality import Score, Share, grade_of, timeliness
from ledger.quality.counting import Declared
from ledger.quality.kinds import Kind, kind_of
from ledger.quality.profile import Profile, profile_file

_ENCODING_SCORE = {"utf-8": 100}
_OTHER_ENCODING_SCORE = 80
"""Everybody can read GB18030 and UTF-16, but has to know that it is that."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A file's profile with what it proposes."""

    profile: Profile
    scores: tuple[Score, ...]
    """Without a declared frequency there is none for timeliness."""
    missing: tuple[str, ...]
    """Fields that the record lists and the file has not."""
    unlisted: tuple[str, ...]
    """Columns that the record does not list."""

    @property
    def grade(self) -> QualityGrade:
        """The proposed grade."""
        return grade_of([score.value for score in self.scores])

    @property
    def quality_scores(self) -> dict[str, int]:
        """The scores as a record states them."""
        return {score.dimension: score.value for score in self.scores}

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        profile = self.profile
        return {
            "format": profile.format,
            "encoding": profile.encoding,
            "byte_size": profile.byte_size,
            "rows": profile.rows,
            "refused_lines": dict(profile.refused),
            "distinct_rows": profile.distinct_rows,
            "distinct_keys": profile.distinct_keys,
            "missing_fields": list(self.missing),
            "unlisted_columns": list(self.unlisted),
            "columns": [
                {
                    "name": column.name,
                    "type": column.kind.value,
                    "filled": column.filled,
                    "valid": column.valid,
                    "suspect": column.suspect,
                    "distinct_about": column.distinct_about,
                    "length_max": column.length_max,
                    "newest": column.newest.isoformat() if column.newest else None,
                }
                for column in profile.columns
            ],
            "quality_scores": self.quality_scores,
            "arithmetic": {score.dimension: score.arithmetic for score in self.scores},
            "grade": self.grade.name,
        }


def measure_file(path: Path, record: Any = None, now: datetime | None = None) -> Measured:
    """Profile a CSV or Parquet file and propose its scores.

    Args:
        path: the file.
        record: its catalogue record, for field list and frequency; None without one.
        now: the instant to which ages are counted; this one when left out.

    Raises:
        ProfileFileError, EncodingUnknownError, HeaderError: the file cannot be profiled.
        MalformedValueError, UnknownCodeError: the record's field list or frequency is malformed.
    """
    declared, frequency = _declared(record)
    moment = (now or datetime.now(UTC)).astimezone(CHINA).replace(tzinfo=None)
    profile = profile_file(path, declared, moment)
    names = [column.name for column in profile.columns]
    missing = tuple(name for name in declared if name not in names)
    unlisted = tuple(name for name in names if declared and name not in declared)
    scores = {
        "normativity": _normativity(profile),
        "completeness": _completeness(profile, missing),
        "accuracy": _accuracy(profile),
        "consistency": _consistency(profile, missing, unlisted),
        "accessibility": _accessibility(profile),
    }
    if frequency is not None:
        scores["timeliness"] = (timeliness(_age_seconds(profile, moment), frequency),)
    return Measured(
        profile,
        tuple(Score(name, scores[name]) for name in QUALITY_DIMENSIONS if name in scores),
        missing,
        unlisted,
    )


def _declared(record: Any) -> tuple[dict[str, Declared], UpdateFrequency | None]:
    if record is None:
        return {}, None
    if not isinstance(record, Mapping):
        raise MalformedValueError(
            "a record is a JSON object", field="record", expected="a JSON object"
        )
    declared: dict[str, Declared] = {}
    for place, item in enumerate(record.get("fields") or []):
        if not isinstance(item, Mapping) or not isinstance(item.get("name"), str):
            raise MalformedValueError(
                f"fields[{place}] has no name", field=f"fields[{place}]", expected="name and type"
            )
        length = item.get("length")
        is_length = isinstance(length, int) and not isinstance(length, bool) and length > 0
        is_key = item.get("is_key", item.get("primary_key")) is True
        kind = kind_of(str(item.get("type", "text")))
        declared[item["name"]] = Declared(kind, length if is_length else None, is_key)
    frequency = record.get("update_frequency")
    return declared, None if frequency is None else parse_code(
        UpdateFrequency, frequency, "update_frequency"
    )


def _normativity(profile: Profile) -> tuple[Share, ...]:
    refused = sum(profile.refused.values())
    return (
        Share(
            "values of their type",
            sum(column.valid for column in profile.columns),
            sum(column.filled for column in profile.columns),
        ),
        Share("lines that can be read", profile.rows, profile.rows + refused),
    )


def _completeness(profile: Profile, missing: tuple[str, ...]) -> tuple[Share, ...]:
    filled = sum(column.filled for column in profile.columns)
    cells = profile.rows * (len(profile.columns) + len(missing))
    return (Share("filled cells", filled, cells),)


def _accuracy(profile: Profile) -> tuple[Share, ...]:
    filled = sum(column.filled for column in profile.columns)
    suspect = sum(column.suspect for column in profile.columns)
    return (Share("values that can be right", filled - suspect, filled),)


def _consistency(
    profile: Profile, missing: tuple[str, ...], unlisted: tuple[str, ...]
) -> tuple[Share, ...]:
    shares = [Share("different rows", profile.distinct_rows, profile.rows)]
    if profile.distinct_keys is not None:
        shares.append(Share("different keys", profile.distinct_keys, profile.rows))
    if missing or unlisted:
        both = len(profile.columns) - len(unlisted)
        shares.append(Share("fields in record and file", both, both + len(missing + unlisted)))
    return tuple(shares)


def _accessibility(profile: Profile) -> tuple[Share, ...]:
    names = [column.name for column in profile.columns]
    score = _ENCODING_SCORE.get(profile.encoding, _OTHER_ENCODING_SCORE)
    return (
        Share(f"encoding {profile.encoding}", score, 100),
        Share("columns with a name of their own", len(set(names) - {""}), len(names)),
    )


def _age_seconds(profile: Profile, now: datetime) -> int | None:
    ends = [
        # A day's data is as new as the day's end.
        column.newest + (timedelta(days=1) if column.kind is Kind.DATE else timedelta())
        for column in profile.columns
        if column.newest is not None
    ]
    return int((now - max(ends)).total_seconds()) if ends else None
