"""Working days by the tables that the events tell, counted by ordinal numbers of days."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Mapping
from datetime import date

_EPOCH = date(1970, 1, 1).toordinal()
_CHINA_SECONDS = 28_800
_DAY_SECONDS = 86_400


def days_in(year: int) -> int:
    """Return the length of a year."""
    return 366 if isleap(year) else 365


def is_working(tables: Mapping[int, int], ordinal: int) -> bool:
    """Return whether a day is worked; `tables` has one number of bits by year."""
    day = date.fromordinal(ordinal)
    bits = tables.get(day.year, 0)
    if not bits:
        return ordinal % 7 not in (0, 6)
    first = date(day.year, 1, 1).toordinal()
    return bool(bits >> (ordinal - first) & 1)


def last_second(tables: Mapping[int, int], start_seconds: int, count: int) -> int:
    """Return the last second of the count-th working day after the day of an instant."""
    ordinal = _EPOCH + (start_seconds + _CHINA_SECONDS) // _DAY_SECONDS
    while count:
        ordinal += 1
        count -= is_working(tables, ordinal)
    return (ordinal + 1 - _EPOCH) * _DAY_SECONDS - _CHINA_SECONDS - 1
