"""Working days (工作日) of the market: the chain's tables, filled from what is published.

The package `chinesecalendar` knows the notices of the State Council up to the current year; later
years are set by governance from the notice when it appears, and count Monday to Friday until then.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import chinese_calendar
from chinese_calendar import constants
from pydantic import Field

from ledger.app.commands import Command, CommandRequest, command
from ledger.app.fields import checked
from ledger.app.market import Market
from ledger.domain.errors import MalformedValueError
from ledger.domain.working_days import (
    Words,
    WorkingDays,
    days_of,
    notice_of,
    table_of,
    words_of,
)
from ledger.projection import queries

_DAYS_MAX = 60


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise MalformedValueError(
            f"{value!r} is no day such as 2027-01-01", got=str(value), expected="yyyy-mm-dd"
        ) from error


Day = Annotated[date, checked(_day)]
YearField = Annotated[int, Field(ge=1970, le=9999)]


class SetWorkingDays(CommandRequest):
    """A year's notice: days off among Monday to Friday, worked Saturdays and Sundays."""

    year: YearField
    holidays: list[Day] = Field(max_length=_DAYS_MAX)
    make_up_days: list[Day] = Field(max_length=_DAYS_MAX)


@command("set-working-days", SetWorkingDays, "Set a year's working days", "设定年度工作日")
def set_working_days(market: Market, actor_id: UUID | None, request: SetWorkingDays) -> Command:
    """Plan the table of a year; governance."""
    low, high = table_of(request.year, request.holidays, request.make_up_days)
    return Command(
        "directory", "setWorkingDays", (request.year, low, high), result={"year": request.year}
    )


def published_years() -> range:
    """Return the years that `chinesecalendar` knows."""
    years = {day.year for day in constants.holidays}
    return range(min(years), max(years) + 1)


def published_words(year: int) -> Words:
    """Return the table of a year that `chinesecalendar` knows."""
    return words_of(year, (day for day in days_of(year) if chinese_calendar.is_workday(day)))


def working_days(market: Market) -> WorkingDays:
    """Return the market's tables as projected."""
    with market.read() as connection:
        return WorkingDays(queries.working_day_tables(connection))


def calendar_found(market: Market) -> dict[str, Any]:
    """Return the tables as notices, the length of public notice, and whether it is a trial."""
    with market.read() as connection:
        tables = queries.working_day_tables(connection)
        rule = queries.notice_rule(connection)
    years = []
    for year, words in sorted(tables.items()):
        holidays, make_up_days = notice_of(year, words)
        years.append(
            {
                "year": year,
                "working_days": sum(word.bit_count() for word in words),
                "holidays": [day.isoformat() for day in holidays],
                "make_up_days": [day.isoformat() for day in make_up_days],
                "is_published": year in published_years() and words == published_words(year),
            }
        )
    return {"years": years, "notice_working_days": rule.working_days, "is_trial": rule.is_trial}
