"""Events of Directory on time: working days by year, the length of public notice."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, func, select

from ledger.projection.handlers.base import handles, insert
from ledger.projection.stored import StoredEvent
from ledger.projection.tables import notice_rules, working_days

_DELETE_YEAR = delete(working_days).where(working_days.c.year == bindparam("year"))
_RULE_COUNT = select(func.count()).select_from(notice_rules)


@handles("WorkingDaysSet")
def working_days_set(connection: Connection, event: StoredEvent) -> None:
    """A year has a table, another one, or none again."""
    year, words = event.args["year"], [event.args["low"], event.args["high"]]
    connection.execute(_DELETE_YEAR, {"year": year})
    if any(words):
        insert(connection, working_days, year=year, words=words)


@handles("NoticeDaysSet")
def notice_days_set(connection: Connection, event: StoredEvent) -> None:
    """Public notice has another length from now on."""
    count = connection.execute(_RULE_COUNT).scalar_one()
    insert(
        connection,
        notice_rules,
        rule_no=count + 1,
        working_days=event.args["working_days"],
        is_trial=event.args["is_trial"],
        set_at=event.block_time,
    )
