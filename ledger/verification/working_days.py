"""Due dates in working days, counted day by day in China Standard Time: Monday to Friday."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

_CHINA = timedelta(hours=8)
_SATURDAY = 5


def working_days_after(unix_seconds: int, count: int) -> int:
    """Return the last second of the count-th working day after the day of an instant."""
    day = (datetime.fromtimestamp(unix_seconds, UTC) + _CHINA).date()
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < _SATURDAY
    end = datetime.combine(day, time(23, 59, 59), UTC) - _CHINA
    return int(end.timestamp())
