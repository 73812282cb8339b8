"""Working days and the length of public notice."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from ledger.domain.working_days import NOTICE_DAYS_LAW
from ledger.projection.queries.base import columns, records
from ledger.projection.tables import notice_rules, working_days


@dataclass(frozen=True, slots=True)
class NoticeRule:
    """How long public notice lasts; on a trial chain it may be shorter than by law."""

    working_days: int
    is_trial: bool


def working_day_tables(connection: Connection) -> dict[int, tuple[int, int]]:
    """Return the two words of every year that has a table."""
    rows = connection.execute(select(working_days)).all()
    return {row.year: (row.words[0], row.words[1]) for row in rows}


def notice_rule(connection: Connection) -> NoticeRule:
    """Return the rule in force: the law's until governance sets one."""
    query = select(*columns(notice_rules, NoticeRule)).order_by(notice_rules.c.rule_no.desc())
    found = records(connection, query.limit(1), NoticeRule)
    return found[0] if found else NoticeRule(NOTICE_DAYS_LAW, is_trial=False)
