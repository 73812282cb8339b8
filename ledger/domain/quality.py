"""Six proposed scores and a grade from counts; an inspector decides.

Rules kept here:
1. A score is 0 to 100, down; of several shares of one dimension the smallest counts.
2. Every score carries the counts that it comes from, so that anybody can do the division again.
3. The grade follows from the mean of the scores, down.

Source: the six dimensions of GB/T 36344-2018 and the five grades of DB11/T 2317-2024; the limits of
the grades are the market's own.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.codes import QualityGrade, UpdateFrequency

SCORE_MAX = 100
GRADE_FLOORS = {
    QualityGrade.A: 90,
    QualityGrade.B: 80,
    QualityGrade.C: 70,
    QualityGrade.D: 60,
    QualityGrade.E: 0,
}
_DAY_SECONDS = 86_400
PERIOD_SECONDS = {
    UpdateFrequency.REAL_TIME: _DAY_SECONDS,
    UpdateFrequency.DAILY: _DAY_SECONDS,
    UpdateFrequency.WEEKLY: 7 * _DAY_SECONDS,
    UpdateFrequency.MONTHLY: 31 * _DAY_SECONDS,
    UpdateFrequency.QUARTERLY: 92 * _DAY_SECONDS,
    UpdateFrequency.HALF_YEARLY: 184 * _DAY_SECONDS,
    UpdateFrequency.YEARLY: 366 * _DAY_SECONDS,
}
"""The longest that a period lasts; irregular and static data have none."""
LATE_PERIODS_MAX = 3
"""Periods after which data that should be newer is worth nothing."""


@dataclass(frozen=True, slots=True)
class Share:
    """One measured share of a dimension: so many of so many."""

    what: str
    count: int
    whole: int

    @property
    def score(self) -> int:
        """Hundredths, down; nothing of nothing is 0, because nothing was shown."""
        return self.count * SCORE_MAX // self.whole if self.whole else 0


@dataclass(frozen=True, slots=True)
class Score:
    """One dimension's score, and the shares of which it is the smallest."""

    dimension: str
    shares: tuple[Share, ...]

    @property
    def value(self) -> int:
        """0 to 100."""
        return min((share.score for share in self.shares), default=0)

    @property
    def arithmetic(self) -> str:
        """The divisions, as people would write them."""
        parts = [
            f"{share.what} {share.count:,} of {share.whole:,} = {share.score}"
            for share in self.shares
        ]
        return "; ".join(parts) + (f"; smallest {self.value}" if len(parts) > 1 else "")


def timeliness(age_seconds: int | None, frequency: UpdateFrequency) -> Share:
    """Return how timely data is: whole within a period, nothing after three more than that.

    Args:
        age_seconds: since the newest instant in the data; None when there is none.
        frequency: as declared.
    """
    period = PERIOD_SECONDS.get(frequency)
    if period is None:
        return Share("no period declared", 1, 1)
    if age_seconds is None:
        return Share("no date in the data", 0, period)
    late = max(0, age_seconds - period)
    room = LATE_PERIODS_MAX * period
    return Share(f"seconds left of {LATE_PERIODS_MAX} late periods", max(0, room - late), room)


def grade_of(scores: list[int]) -> QualityGrade:
    """Return the grade of scores, by their mean, down; of none, the lowest."""
    mean = sum(scores) // len(scores) if scores else 0
    return next(grade for grade, floor in GRADE_FLOORS.items() if mean >= floor)
