"""Responsibility lists (开放责任清单) and quality: due dates, grades.

Rules kept here:
1. A dataset is to be updated within its declared frequency, counted from its latest version; a day
   that nobody works moves to the next working day. Irregular and static data have no date.
2. Late is late from the first second after that day: the dataset shows STALE.
3. Grade from six scores of 0 to 100: the mean gives A from 90, B from 80, C from 70, D from 60,
   else E; one score below 60 makes it D at best, one below 40 makes it E. So does the contract.
4. The next inspection follows from the grade; grade E opens a rectification that a better
   inspection closes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from ledger.domain.codes import QualityGrade, UpdateFrequency
from ledger.domain.working_days import WorkingDays, day_of, end_of

_DAYS = {UpdateFrequency.REAL_TIME: 1, UpdateFrequency.DAILY: 1, UpdateFrequency.WEEKLY: 7}
_MONTHS = {
    UpdateFrequency.MONTHLY: 1,
    UpdateFrequency.QUARTERLY: 3,
    UpdateFrequency.HALF_YEARLY: 6,
    UpdateFrequency.YEARLY: 12,
}
_INSPECTION_MONTHS = {
    QualityGrade.NONE: 3,
    QualityGrade.A: 12,
    QualityGrade.B: 12,
    QualityGrade.C: 6,
    QualityGrade.D: 3,
    QualityGrade.E: 1,
}
_MEANS = ((90, QualityGrade.A), (80, QualityGrade.B), (70, QualityGrade.C), (60, QualityGrade.D))
_WEAK, _FAILED = 60, 40


def months_after(day: date, months: int) -> date:
    """Return the same day some months later, or that month's last day where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    first = date(year, month + 1, 1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return last if day.day > last.day else first.replace(day=day.day)


def update_due(frequency: int, updated_at: int, days: WorkingDays) -> int | None:
    """Return the last second by which a dataset is to be updated, None where there is no date."""
    day = day_of(updated_at)
    if frequency in _DAYS:
        due = day + timedelta(days=_DAYS[UpdateFrequency(frequency)])
    elif frequency in _MONTHS:
        due = months_after(day, _MONTHS[UpdateFrequency(frequency)])
    else:
        return None
    return end_of(days.on_or_after(due))


def inspection_due(grade: int, inspected_at: int, days: WorkingDays) -> int:
    """Return the last second by which a dataset is to be inspected again."""
    due = months_after(day_of(inspected_at), _INSPECTION_MONTHS[QualityGrade(grade)])
    return end_of(days.on_or_after(due))


def grade_of(scores: Sequence[int]) -> QualityGrade:
    """Return the grade of six scores of 0 to 100."""
    mean = sum(scores) // len(scores)
    found = next((grade for least, grade in _MEANS if mean >= least), QualityGrade.E)
    if min(scores) < _FAILED:
        return QualityGrade.E
    return max(found, QualityGrade.D) if min(scores) < _WEAK else found


def quarter_of(unix_seconds: int) -> int:
    """Return the quarter of an instant in China as yyyyq."""
    day = day_of(unix_seconds)
    return day.year * 10 + (day.month + 2) // 3


def quarter_text(quarter_id: int) -> str:
    """Return a quarter as people write it: 2026-Q4."""
    return f"{quarter_id // 10}-Q{quarter_id % 10}"
