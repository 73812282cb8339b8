"""Working days: the published years, clocks, tables and notices."""

from __future__ import annotations

from datetime import date, timedelta

import chinese_calendar
import pytest

from ledger.app.calendars import published_words, published_years
from ledger.domain.calendar import CHINA_OFFSET_SECONDS
from ledger.domain.errors import MalformedValueError
from ledger.domain.working_days import (
    WorkingDays,
    day_of,
    days_of,
    end_of,
    notice_of,
    table_of,
    words_of,
)
from ledger.verification.working_days import last_second

pytestmark = pytest.mark.unit

PUBLISHED = WorkingDays({year: published_words(year) for year in published_years()})
NOON_2026_09_25 = 1_790_308_800
"""A Friday, the first day of Mid-Autumn 2026; Unix seconds."""


@pytest.mark.parametrize("year", published_years())
def test_published_words__every_day__equals_the_package(year: int) -> None:
    found = [PUBLISHED.is_working(day) for day in days_of(year)]
    assert found == [chinese_calendar.is_workday(day) for day in days_of(year)]


def test_end_after__national_day_2026__skips_the_holiday_and_counts_make_up_days() -> None:
    end = PUBLISHED.end_after(NOON_2026_09_25, 10)
    assert day_of(end) == date(2026, 10, 15)
    assert end == end_of(date(2026, 10, 15))
    assert PUBLISHED.between(NOON_2026_09_25, end) == 10


def test_end_after__zero__is_the_end_of_the_day_in_china() -> None:
    assert PUBLISHED.end_after(0, 0) == 24 * 3600 - CHINA_OFFSET_SECONDS - 1
    assert PUBLISHED.end_after(16 * 3600, 0) == 48 * 3600 - CHINA_OFFSET_SECONDS - 1


def test_is_working__year_without_a_table__is_monday_to_friday() -> None:
    days = [date(2031, 1, 1) + timedelta(days=step) for step in range(400)]
    assert [WorkingDays().is_working(day) for day in days] == [day.weekday() < 5 for day in days]


def test_table_of__notice__comes_back_as_it_was() -> None:
    for year in published_years():
        holidays, make_up_days = notice_of(year, published_words(year))
        assert table_of(year, holidays, make_up_days) == published_words(year)


@pytest.mark.parametrize(
    ("holidays", "make_up_days"),
    [
        ([date(2027, 1, 2)], []),
        ([], [date(2027, 1, 1)]),
        ([date(2026, 1, 1)], []),
        ([], [date(2028, 1, 1)]),
    ],
)
def test_table_of__day_that_changes_nothing_or_of_another_year__is_refused(
    holidays: list[date], make_up_days: list[date]
) -> None:
    with pytest.raises(MalformedValueError) as caught:
        table_of(2027, holidays, make_up_days)
    assert caught.value.got == (holidays + make_up_days)[0].isoformat()


def test_words_of__leap_year__has_its_last_day() -> None:
    assert words_of(2028, [date(2028, 12, 31)]) == (0, 1 << 365 - 256)


@pytest.mark.parametrize("count", [0, 1, 3, 10, 20, 250])
def test_last_second__of_the_verifier__is_the_same(count: int) -> None:
    tables = {year: low | high << 256 for year, (low, high) in PUBLISHED.tables.items()}
    for start in range(1_072_886_400, 1_830_000_000, 86_400 * 37 + 7_777):
        assert last_second(tables, start, count) == PUBLISHED.end_after(start, count)
