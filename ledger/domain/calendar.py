"""Instants, months and years of the market, in China Standard Time.

Rules kept here:
1. Instants are Unix seconds or milliseconds, UTC; only screens show local time.
2. Billing months and accounting years are those of Asia/Shanghai, which has been UTC+8 without
   daylight saving since 1992; the contracts use the same fixed offset.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import NewType

from ledger.domain.errors import MalformedValueError

PeriodId = NewType("PeriodId", int)
"""A month as yyyymm, e.g. 202611."""

CHINA_OFFSET_SECONDS = 8 * 3600
CHINA = timezone(timedelta(seconds=CHINA_OFFSET_SECONDS), "Asia/Shanghai")


def period_of(unix_seconds: int) -> PeriodId:
    """Return the month of an instant in China Standard Time as yyyymm."""
    local = datetime.fromtimestamp(unix_seconds, CHINA)
    return PeriodId(local.year * 100 + local.month)


def year_of(unix_seconds: int) -> int:
    """Return the calendar year of an instant in China Standard Time."""
    return period_of(unix_seconds) // 100


def period_text(period_id: int) -> str:
    """Return a month as people write it: 2026-11."""
    return f"{period_id // 100:04d}-{period_id % 100:02d}"


def parse_instant(text: str, name: str = "day") -> int:
    """Return the Unix seconds at which a day of China, or an instant with its offset, begins.

    Raises:
        MalformedValueError: it is neither 2026-11-01 nor 2026-11-01T08:00:00+08:00.
    """
    try:
        found = datetime.fromisoformat(text)
        return int((found if found.tzinfo else found.replace(tzinfo=CHINA)).timestamp())
    except (ValueError, OverflowError) as error:
        raise MalformedValueError(
            f"{name} must be a day or an instant, got {text!r}",
            field=name,
            got=text[:80],
            expected="2026-11-01 or 2026-11-01T08:00:00+08:00",
        ) from error


def parse_period(text: str, name: str = "month") -> PeriodId:
    """Return the month that people write as 2026-11.

    Raises:
        MalformedValueError: it is no month of the years 1970 to 9999.
    """
    found = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", text)
    if found is None or int(found[1]) < 1970:
        raise MalformedValueError(
            f"{name} must be a month such as 2026-11", field=name, got=text, expected="yyyy-mm"
        )
    return PeriodId(int(found[1]) * 100 + int(found[2]))


def start_of_period(period_id: int) -> int:
    """Return the first Unix second of a month of China Standard Time."""
    return int(datetime(period_id // 100, period_id % 100, 1, tzinfo=CHINA).timestamp())


def end_of_period(period_id: int) -> int:
    """Return the first Unix second after a month of China Standard Time."""
    is_december = period_id % 100 == 12
    return start_of_period(period_id + 89 if is_december else period_id + 1)


def instant_text(unix_seconds: int) -> str:
    """Return an instant as ISO 8601 with its offset, in China Standard Time."""
    return datetime.fromtimestamp(unix_seconds, UTC).astimezone(CHINA).isoformat()


def end_of_day(text: str, name: str = "until") -> int:
    """Return the last Unix second of a day in China Standard Time, written as 2026-11-30.

    Raises:
        MalformedValueError: it is no day.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise MalformedValueError(
            f"{name} must be a day such as 2026-11-30, got {text!r}",
            field=name,
            got=text,
            expected="yyyy-mm-dd",
        ) from error
    return int(datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=CHINA).timestamp())
