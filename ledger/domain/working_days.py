"""Working days of China (工作日): a table by year, Monday to Friday where a year has none.

Rules kept here, equal to `contracts/libraries/WorkingDays.sol`:
1. Days are those of China Standard Time; a clock of n working days starts on the day after the
   event and ends with the last second of the n-th working day (民法典 arts. 201 to 203).
2. A year's table is two words of bits: bit i of the first is day i of the year from zero, bit i of
   the second is day 256 + i. Two zero words are no table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from ledger.domain.calendar import CHINA, CHINA_OFFSET_SECONDS
from ledger.domain.errors import MalformedValueError

Words = tuple[int, int]
COUNT_MAX = 366
NOTICE_DAYS_LAW = 10
"""Public notice (公示) in working days, 发改数据规〔2025〕26号."""
_WORD_BITS = 256
_DAY_SECONDS = 86_400


class WorkingDays:
    """The tables of a market.

    Args:
        tables: two words by year.
    """

    def __init__(self, tables: Mapping[int, Words] | None = None) -> None:
        self.tables = {year: words for year, words in (tables or {}).items() if any(words)}

    def is_working(self, day: date) -> bool:
        """Return whether people work on a day."""
        words = self.tables.get(day.year)
        if words is None:
            return day.weekday() < 5
        place = day.timetuple().tm_yday - 1
        return bool(words[place // _WORD_BITS] >> place % _WORD_BITS & 1)

    def on_or_after(self, day: date) -> date:
        """Return the first working day from a day on."""
        while not self.is_working(day):
            day += timedelta(days=1)
        return day

    def day_after(self, day: date, count: int) -> date:
        """Return the n-th working day after a day; the day itself when n is zero."""
        for _ in range(count):
            day = self.on_or_after(day + timedelta(days=1))
        return day

    def end_after(self, from_seconds: int, count: int) -> int:
        """Return the last Unix second of the n-th working day after an instant's day."""
        return end_of(self.day_after(day_of(from_seconds), count))

    def between(self, start_seconds: int, end_seconds: int) -> int:
        """Return how many working days lie after the day of an instant, up to that of another."""
        day, last, count = day_of(start_seconds), day_of(end_seconds), 0
        while day < last:
            day += timedelta(days=1)
            count += self.is_working(day)
        return count


def day_of(unix_seconds: int) -> date:
    """Return the day of an instant in China."""
    return datetime.fromtimestamp(unix_seconds, CHINA).date()


def end_of(day: date) -> int:
    """Return the last Unix second of a day in China."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    return int(midnight) - CHINA_OFFSET_SECONDS + _DAY_SECONDS - 1


def days_of(year: int) -> Iterator[date]:
    """Yield the days of a year."""
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)


def words_of(year: int, working: Iterable[date]) -> Words:
    """Return the table of a year from its working days."""
    bits = sum(1 << day.timetuple().tm_yday - 1 for day in set(working) if day.year == year)
    return bits & (1 << _WORD_BITS) - 1, bits >> _WORD_BITS


def table_of(year: int, holidays: Iterable[date], make_up_days: Iterable[date]) -> Words:
    """Return a year's table from its notice: Monday to Friday, but for what the notice says.

    Args:
        year: the year.
        holidays: days off among Monday to Friday (放假).
        make_up_days: Saturdays and Sundays that are worked (调休上班).

    Raises:
        MalformedValueError: a day is of another year, or the notice would change nothing by it.
    """
    off, on = set(holidays), set(make_up_days)
    for name, days, is_working in (("holidays", off, True), ("make_up_days", on, False)):
        for day in sorted(days):
            if day.year != year or (day.weekday() < 5) is not is_working:
                raise MalformedValueError(
                    f"{name}: {day} is no {'weekday' if is_working else 'weekend day'} of {year}",
                    field=name,
                    got=day.isoformat(),
                    expected=f"a {'Monday to Friday' if is_working else 'Saturday or Sunday'}",
                )
    ordinary = {day for day in days_of(year) if day.weekday() < 5}
    return words_of(year, (ordinary - off) | on)


def notice_of(year: int, words: Words) -> tuple[list[date], list[date]]:
    """Return holidays and make-up days of a year's table, as a notice would list them."""
    days = WorkingDays({year: words})
    off = [day for day in days_of(year) if day.weekday() < 5 and not days.is_working(day)]
    on = [day for day in days_of(year) if day.weekday() >= 5 and days.is_working(day)]
    return off, on
